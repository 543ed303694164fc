"""docs/rules.md lists every field and operator there is."""

from pathlib import Path

from segments.rules.reference import reference

PAGE = Path("docs/rules.md")


def test_the_page_follows_from_the_tables():
    assert PAGE.read_text() == reference(), "Run: python manage.py write_rules_reference"
