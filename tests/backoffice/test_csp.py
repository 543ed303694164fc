"""Scripts are files of ours and evaluate no strings: decision 0006."""

import re
from pathlib import Path

import pytest
import unfold
from django.conf import settings
from django.contrib.staticfiles import finders

THEME = Path(unfold.__file__).parent / "templates"

# What each template of ours leaves out of the theme's, and what must be left out of it.
REPLACED = {
    "unfold/layouts/skeleton.html": "sidebarDesktopOpen: (localStorage.getItem(",
    "unfold/helpers/welcomemsg.html": "localStorage.setItem('sidebarDesktopOpen'",
    "admin/change_form.html": "window.location.pathname + window.location.search",
}


@pytest.mark.parametrize("name", REPLACED)
def test_an_overridden_template_still_replaces_what_the_theme_has(name):
    ours = (settings.BASE_DIR / "templates" / name).read_text()

    assert REPLACED[name] in (THEME / name).read_text()
    assert REPLACED[name] not in ours


@pytest.mark.parametrize("name", ["unfold/layouts/skeleton.html", "admin/change_form.html"])
def test_an_overridden_template_is_otherwise_the_themes_own(name):
    blocks = re.compile(r"{%-?\s*(?:block|include|load)\s+[^%]*%}")
    ours = (settings.BASE_DIR / "templates" / name).read_text()

    assert blocks.findall(ours) == blocks.findall((THEME / name).read_text())


def test_alpine_is_the_build_that_evaluates_nothing():
    text = Path(finders.find("unfold/js/alpine/alpine.js")).read_text()

    assert text.startswith("/*! @alpinejs/csp 3.17.4")
    assert "AsyncFunction" not in text
    assert "new Function(" not in text


def test_the_policy_names_nobody_but_us(client):
    policy = client.get("/admin/login/")["Content-Security-Policy"]

    assert "script-src 'self';" in policy + ";"
    assert "unsafe-eval" not in policy


def test_no_page_of_ours_writes_a_script_into_itself():
    inline = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>|\son[a-z]+=\"")

    guilty = [
        str(path.relative_to(settings.BASE_DIR))
        for path in (settings.BASE_DIR / "templates").rglob("*.html")
        if inline.search(path.read_text())
    ]

    assert guilty == []
