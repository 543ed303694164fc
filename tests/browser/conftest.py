"""A real browser on a real server, for what only a browser can tell."""

import os
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

# Playwright keeps an event loop on this thread, which Django would take for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def _session_of(user):
    client = Client()
    with transaction.atomic():
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value}


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium; a test that needs it is skipped where there is none."""
    if not Path(PROGRAM).exists():
        pytest.skip("No Chromium on this machine: apt-get install chromium.")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium, live_server):
    """``browse(user, width=1440, dark=False)``: a page signed in as that user.

    Addresses are relative: ``page.goto("/oakhill/admin/")``. The test fails on any error that a
    script of ours reports, a breach of the Content-Security-Policy included.
    """
    contexts, complaints = [], []

    def open_page(user, *, width=1440, height=900, dark=False):
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(15_000)
        context.add_cookies([{**_session_of(user), "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
