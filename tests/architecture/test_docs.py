"""What the docs tell of the code is there, and what is there is told."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands

from crm_site.celery import app
from crm_site.devstack.stack import QUEUES
from crm_site.tenancy.base import TenantModel
from customers.sync import registry

ROOT = Path(settings.BASE_DIR)
DOCS = ROOT / "docs"
OWN = ("crm_site", "customers", "segments", "campaigns", "journeys", "social")
SOURCES = [path for package in OWN for path in sorted((ROOT / package).rglob("*.py"))]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]

# Read by the tools they belong to, not by us.
FOREIGN_VARIABLES = {"DJANGO_SETTINGS_MODULE"}
READ_VARIABLE = re.compile(
    r"\b(?:env\.\w+\(|os\.environ(?:\.get\(|\.setdefault\(|\[))\s*\"([A-Z_]+)\""
)


def section(page, title):
    """The lines under a heading, up to the next of its level."""
    text = (DOCS / page).read_text()
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_cells(text):
    """The first column of a page's tables, without backticks and notes in brackets."""
    rows = re.findall(r"^\| ((?:[^|\\]|\\.)+) \|", text, re.MULTILINE)
    return {re.sub(r"\(.*?\)|`", "", cell).strip() for cell in rows}


def test_every_environment_variable_is_in_operations():
    read = {name for path in SOURCES for name in READ_VARIABLE.findall(path.read_text())}

    told = {name for name in first_cells(section("operations.md", "Environment")) if name.isupper()}

    assert "DATABASE_URL" in read
    assert told == read - FOREIGN_VARIABLES


def test_every_tick_is_in_operations_and_rings_a_task_that_is_there():
    app.loader.import_default_modules()
    told = first_cells(section("operations.md", "What runs by itself"))

    assert set(settings.CELERY_BEAT_SCHEDULE) <= told
    for tick in settings.CELERY_BEAT_SCHEDULE.values():
        assert tick["task"] in app.tasks


def test_every_queue_is_in_operations_and_has_a_worker():
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    queues = routed | {settings.CELERY_TASK_DEFAULT_QUEUE}

    assert queues == set(QUEUES.split(","))
    assert queues <= first_cells(section("operations.md", "What runs by itself"))
    assert f"worker -Q {QUEUES}" in section("operations.md", "On servers of your own")


def test_every_command_is_in_operations():
    ours = {name for name, package in get_commands().items() if str(package).startswith(OWN)}

    told = {cell.split()[0] for cell in first_cells(section("operations.md", "Commands"))}

    assert ours == told - {"command"}


def test_every_event_type_is_in_events():
    """A row names full types, and then shortened ones: message.sent, .delivered."""
    told = set()
    for source, types in re.findall(
        r"^\| (\w+) \| ([^|]+) \|", section("events.md", "Catalogue"), re.MULTILINE
    ):
        stem = ""
        for name in re.findall(r"`([\w.]+)`", types):
            stem = stem if name.startswith(".") else name.split(".")[0]
            told.add((source, f"{stem}{name}" if name.startswith(".") else name))

    skipped = {kind for kind in told if registry.translator_of(*kind) is None}

    assert told - skipped == set(registry._translators)
    assert skipped == {
        ("teetime", f"competition.{verb}") for verb in ("published", "updated", "cancelled")
    }
    assert set(registry._followers) <= told


def test_every_table_is_in_data_model():
    ours = {
        model.__name__
        for model in apps.get_models()
        if issubclass(model, TenantModel) or model.__module__.startswith(OWN)
    }

    told = first_cells((DOCS / "data-model.md").read_text())

    assert ours == told - {"table"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_points_at_is_there(page):
    text = page.read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    paths = re.findall(rf"`((?:docs|tests|templates|{'|'.join(OWN)})/[\w./-]+)`", text)

    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [path for path in paths if not (ROOT / path).exists()]

    assert missing == []


def test_every_make_target_that_is_told_of_is_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    told = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)", page.read_text())}

    assert told <= targets


def test_decisions_are_numbered_without_gaps_and_have_one_form():
    pages = sorted((DOCS / "decisions").glob("*.md"))

    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for number, page in enumerate(pages, start=1):
        text = page.read_text()
        assert text.startswith(f"# {number}. ")
        for part in ("Context", "Decision", "Rejected", "Consequence"):
            assert f"**{part}.**" in text, (page.name, part)
