"""Every model, field, default, enum value, key and index of the data model is there.

``tests/spec/data-model.prisma`` is the data model as its owner wrote it. Where we differ, and why,
is in the tables below; whatever else differs is a fault.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone

from crm_site.db.names import camel_case

SPECIFICATION = Path("tests/spec/data-model.prisma")
APPS = ("customers", "segments", "campaigns", "journeys", "social", "audit")

KINDS = {
    "String": (models.CharField, models.TextField, models.UUIDField, models.ForeignKey,
               models.GenericIPAddressField),
    "Int": (models.IntegerField,),
    "Float": (models.FloatField,),
    "Decimal": (models.DecimalField,),
    "Boolean": (models.BooleanField,),
    "DateTime": (models.DateTimeField,),
    "Json": (models.JSONField,),
}  # fmt: skip

CALENDAR_DAYS = "A birthday or a membership's term is a day, the same in every time zone."
OTHER_TYPES = {
    ("CustomerProfile", "dateOfBirth"): (models.DateField, CALENDAR_DAYS),
    ("CustomerProfile", "memberSince"): (models.DateField, CALENDAR_DAYS),
    ("CustomerProfile", "membershipExpiry"): (models.DateField, CALENDAR_DAYS),
}
LIVE_ONLY = "Holds for rows that are neither deleted nor merged: those gone free their identifiers."
PER_TENANT = "Two tenants may know the same id and must not learn of each other."
OTHER_KEYS = {
    ("CustomerProfile", ("authUserId",)): (("tenantId", "authUserId"), PER_TENANT),
    ("SyncLog", ("sourceService", "eventId")): (
        ("tenantId", "sourceService", "eventId"),
        PER_TENANT,
    ),
    ("JourneyStep", ("journeyId", "stepNumber")): (
        ("journeyId", "versionId", "stepNumber"),
        "A journey has published versions and a draft, each with steps of its own.",
    ),
    ("JourneyEnrollment", ("journeyId", "customerId")): (
        ("journeyId", "customerId", "entryNumber"),
        "Entries are counted from 0, so that allowReentry can let somebody in again.",
    ),
    ("JourneyEnrollmentStep", ("enrollmentId", "stepId")): (
        ("enrollmentId", "stepId", "visitNumber"),
        "A loop visits a step more than once; visits are counted from 0.",
    ),
}
PARTIAL_KEYS = {
    **{
        ("CustomerProfile", ("tenantId", name)): LIVE_ONLY
        for name in (
            *("authUserId", "email", "phoneNumber"),
            *("sclMemberId", "teetimePlayerId", "messagingContactId"),
        )
    },
    ("CustomerSegment", ("tenantId", "name")): LIVE_ONLY,
    ("Journey", ("tenantId", "name")): LIVE_ONLY,
    ("Activity", ("tenantId", "sourceService", "sourceEventId")): "Skips blank event ids only.",
}
OTHER_INDEXES = {
    ("CustomerProfile", ("tenantId", "tags")): (
        ("tags",),
        "GIN over the tenant too would need btree_gin, an extension the embedded server lacks.",
    ),
}


@dataclass
class Column:
    name: str
    kind: str
    is_list: bool
    is_optional: bool
    attributes: str


@dataclass
class Table:
    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    keys: list[tuple[str, ...]] = field(default_factory=list)
    indexes: list[tuple[tuple[str, ...], str]] = field(default_factory=list)


@cache
def blocks(kind):
    """``{name: [line, …]}`` of every block of that kind, comments and blank lines left out."""
    text = re.sub(r"//.*", "", SPECIFICATION.read_text())
    found = re.findall(rf"^{kind} (\w+) \{{\n(.*?)^\}}", text, re.MULTILINE | re.DOTALL)
    return {
        name: [line.strip() for line in body.splitlines() if line.strip()] for name, body in found
    }


@cache
def tables():
    found = {name: Table(name) for name in blocks("model")}
    for table in found.values():
        for line in blocks("model")[table.name]:
            _read_line(table, line)
    return found


def _read_line(table, line):
    composite = re.match(r"@@(unique|index)\(\[([\w, ]+)\](?:, type: (\w+))?\)", line)
    if composite:
        names = tuple(name.strip() for name in composite[2].split(","))
        if composite[1] == "unique":
            table.keys.append(names)
        else:
            table.indexes.append((names, composite[3] or ""))
        return
    name, kind, attributes = re.match(r"(\w+) (\S+)\s*(.*)", line).groups()
    if kind.rstrip("?[]") in blocks("model"):
        return  # The other end of a relation; its key is a column of its own.
    table.columns[name] = Column(
        name, kind.rstrip("?[]"), "[]" in kind, kind.endswith("?"), attributes
    )
    if "@unique" in attributes:
        table.keys.append((name,))


@cache
def our_models():
    configs = [apps.get_app_config(app) for app in APPS]
    return {model.__name__: model for config in configs for model in config.get_models()}


def our_fields(model):
    return {camel_case(f.attname): f for f in model._meta.concrete_fields}


def all_columns():
    return [(table.name, name) for table in tables().values() for name in table.columns]


def names_of(model, fields):
    return tuple(camel_case(model._meta.get_field(name.lstrip("-")).attname) for name in fields)


def leads_with(have, want):
    return have[: len(want)] == want


def test_the_specification_is_read_whole():
    assert len(tables()) == 18
    assert len(blocks("enum")) == 19
    assert len(all_columns()) > 250


@pytest.mark.parametrize("name", tables(), ids=str)
def test_every_model_is_there(name):
    assert name in our_models()


@pytest.mark.parametrize(("table", "name"), all_columns(), ids=str)
def test_every_field_is_there_as_it_is_written(table, name):
    column = tables()[table].columns[name]
    ours = our_fields(our_models()[table])

    assert name in ours
    found = ours[name]
    if column.is_list:
        assert isinstance(found, ArrayField)
        found = found.base_field
    else:
        assert found.null == column.is_optional
    if column.kind in blocks("enum"):
        assert [value for value, _ in found.flatchoices] == blocks("enum")[column.kind]
    else:
        kinds, _ = OTHER_TYPES.get((table, name), (KINDS[column.kind], ""))
        assert isinstance(found, kinds)
    length = re.search(r"@db\.VarChar\((\d+)\)", column.attributes)
    if length:
        assert found.max_length == int(length[1])
    digits = re.search(r"@db\.Decimal\((\d+), (\d+)\)", column.attributes)
    if digits:
        assert (found.max_digits, found.decimal_places) == (int(digits[1]), int(digits[2]))


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (table, name)
        for table, name in all_columns()
        if re.search(r"@default|@updatedAt", tables()[table].columns[name].attributes)
    ],
    ids=str,
)
def test_every_default_is_there(table, name):
    column = tables()[table].columns[name]
    found = our_fields(our_models()[table])[name]

    if "@updatedAt" in column.attributes:
        assert found.auto_now
        return
    wanted = re.search(r"@default\((.*)\)", column.attributes)[1]
    if wanted == "now()":
        assert found.default is timezone.now
    elif wanted == "uuid()":
        assert found.primary_key
        assert found.has_default()
    else:
        assert found.get_default() == read_default(wanted)


def read_default(text):
    if text.startswith("["):
        return [int(item) for item in text.strip("[]").split(",") if item]
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if text.isdigit() else text.strip('"')


@pytest.mark.parametrize(
    ("table", "key"),
    [(table.name, key) for table in tables().values() for key in table.keys],
    ids=str,
)
def test_every_unique_key_is_there(table, key):
    model = our_models()[table]
    key, _ = OTHER_KEYS.get((table, key), (key, ""))
    constraints = {
        names_of(model, constraint.fields): constraint
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
    }
    single = {(name,): found for name, found in our_fields(model).items() if found.unique}

    assert key in constraints or key in single
    if key in constraints and constraints[key].condition is not None:
        assert (table, key) in PARTIAL_KEYS


@pytest.mark.parametrize(
    ("table", "columns", "kind"),
    [(table.name, *index) for table in tables().values() for index in table.indexes],
    ids=str,
)
def test_every_index_is_there(table, columns, kind):
    """An index that starts with the columns serves; so does a key, and a foreign key's own."""
    model = our_models()[table]
    columns, _ = OTHER_INDEXES.get((table, columns), (columns, ""))
    declared = [
        names_of(model, index.fields)
        for index in model._meta.indexes
        if index.condition is None and isinstance(index, GinIndex) == (kind == "Gin")
    ]
    keys = [
        names_of(model, constraint.fields)
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and constraint.condition is None
    ]
    own = [(name,) for name, found in our_fields(model).items() if found.db_index]

    assert any(leads_with(have, columns) for have in [*declared, *keys, *own])


def test_every_difference_is_still_one():
    for (table, key), (ours, _) in OTHER_KEYS.items():
        assert key in tables()[table].keys
        assert ours != key
    for (table, columns), _ in OTHER_INDEXES.items():
        assert columns in [index for index, _ in tables()[table].indexes]
    for table, name in OTHER_TYPES:
        assert name in tables()[table].columns
