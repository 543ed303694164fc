"""The API describes itself, and the description in docs/ is the one it gives."""

from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

COMMITTED = Path("docs/openapi.yaml")


def test_the_committed_description_is_current(tmp_path, capsys):
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(made))

    assert made.read_text() == COMMITTED.read_text(), "Run: make schema"


@pytest.mark.django_db
def test_anyone_may_read_it(client):
    answer = client.get("/api/v1/schema/", HTTP_ACCEPT="application/json")

    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"


def test_every_operation_names_its_scope_and_its_errors():
    document = yaml.safe_load(COMMITTED.read_text())
    operations = [operation for path in document["paths"].values() for operation in path.values()]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["security"][0]["apiKey"], operation["operationId"]
        assert "401" in operation["responses"]


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/docs/", "/api/v1/docs/"])
def test_the_reader_is_open_and_has_no_inline_script(client, url):
    page = client.get(url)

    assert page.status_code == 200
    assert "<script>" not in page.content.decode()
    script = client.get(f"{url}?script=")
    assert script["Content-Type"].startswith("application/javascript")


def test_lists_within_are_described_as_pages_and_null_as_a_value():
    document = yaml.safe_load(COMMITTED.read_text())
    lists = [
        "campaigns/{id}/runs/",
        "campaigns/{id}/deliveries/",
        "segments/{id}/members/",
        "segments/{id}/history/",
        "segments/{id}/refreshes/",
        "customers/{id}/notes/",
        "customers/{id}/timeline/",
        "journeys/{id}/enrollments/",
    ]

    for path in lists:
        answer = document["paths"][f"/api/v1/{path}"]["get"]["responses"]["200"]
        name = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert "results" in document["components"]["schemas"][name]["properties"], path
    assert {} not in document["components"]["schemas"]["Customer"]["properties"]["externalIds"].get(
        "oneOf", ()
    )
