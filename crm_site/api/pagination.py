"""Pages by key: as fast on page ten thousand as on the first, and stable while rows come in."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import models
from django.db.models import F
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from crm_site.db.names import camel_case

DEFAULT_LIMIT, MAX_LIMIT = 50, 500


@dataclass(frozen=True)
class Order:
    """By one field and then by id, so that no two rows share a place. Nulls come last, always."""

    field: "models.Field[Any, Any]"
    is_descending: bool

    @property
    def name(self) -> str:
        return ("-" if self.is_descending else "") + camel_case(self.field.attname)


@dataclass(frozen=True)
class Place:
    """Where a page begins: just after the row with these keys, or just before if backward."""

    value: Any
    pk: Any
    is_backward: bool


class KeysetPagination(BasePagination):
    """Lists ``{"next", "previous", "results"}``, with ``count`` where ``?count=true`` asks for it.

    The view names ``ordering_fields`` (model fields that an index serves) and ``ordering``, the
    default, with a minus sign for newest or largest first.
    """

    limit_help = f"How many rows to a page: 1 to {MAX_LIMIT}."
    parameters: tuple[str, ...] = ("limit", "cursor", "ordering", "count")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.address = request.build_absolute_uri()
        limit = read_limit(request)
        self.order = self._read_order(request, view, queryset.model)
        place = self._read_place(request)
        self.total = queryset.count() if _read_flag(request, "count") else None

        rows = _rows_beyond(queryset, self.order, place, limit + 1)
        has_more, rows = len(rows) > limit, rows[:limit]
        is_backward = place is not None and place.is_backward
        if is_backward:
            rows.reverse()
        self.has_next = bool(rows) and (is_backward or has_more)
        self.has_previous = bool(rows) and (has_more if is_backward else place is not None)
        self.rows = rows
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        count = {} if self.total is None else {"count": self.total}
        return Response(
            {
                "next": self._link(self.rows[-1], is_backward=False) if self.has_next else None,
                "previous": self._link(self.rows[0], is_backward=True)
                if self.has_previous
                else None,
                **count,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": link,
                "previous": link,
                "count": {"type": "integer", "description": "Only where asked for."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = [camel_case(name) for name in getattr(view, "ordering_fields", ())]
        orders = [sign + name for name in names for sign in ("", "-")]
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        return [
            _parameter("limit", limit, self.limit_help),
            _parameter("cursor", {"type": "string"}, "From the next or previous of another page."),
            _parameter("ordering", {"type": "string", "enum": orders}, "Blank values come last."),
            _parameter("count", {"type": "boolean", "default": False}, "Count the rows, too."),
        ]

    def _read_order(self, request: Request, view: Any, model: type[models.Model]) -> Order:
        allowed = {camel_case(name): name for name in view.ordering_fields}
        asked = request.query_params.get("ordering")
        if asked is None:
            name, is_descending = view.ordering.lstrip("-"), view.ordering.startswith("-")
        elif asked.removeprefix("-") in allowed:
            name, is_descending = allowed[asked.removeprefix("-")], asked.startswith("-")
        else:
            raise _bad("ordering", f"Order by one of {', '.join(allowed)}; - for descending.")
        return Order(model._meta.get_field(name), is_descending)  # type: ignore[arg-type]

    def _read_place(self, request: Request) -> Place | None:
        token = request.query_params.get("cursor")
        if token is None:
            return None
        try:
            padded = token.encode() + b"=" * (-len(token) % 4)
            name, value, pk, is_backward = json.loads(base64.urlsafe_b64decode(padded))
            place = Place(
                None if value is None else self.order.field.to_python(value),
                self.order.field.model._meta.pk.to_python(pk),
                bool(is_backward),
            )
        except (ValueError, TypeError, DjangoValidationError, RecursionError):
            raise _bad("cursor", "This cursor cannot be read.") from None
        if name != self.order.name or place.pk is None:
            raise _bad("cursor", "This cursor belongs to another ordering.")
        if place.value is None and not self.order.field.null:
            raise _bad("cursor", "This cursor cannot be read.")
        return place

    def _link(self, row: Any, *, is_backward: bool) -> str:
        value = getattr(row, self.order.field.attname)
        written = value.isoformat() if hasattr(value, "isoformat") else value
        key = [self.order.name, written, row.pk, is_backward]
        token = base64.urlsafe_b64encode(json.dumps(key, default=str).encode())
        return str(replace_query_param(self.address, "cursor", token.decode().rstrip("=")))


def _rows_beyond(queryset: Any, order: Order, place: Place | None, size: int) -> list[Any]:
    """Up to ``size`` rows in reading direction from ``place``.

    A nullable field is read in two blocks, values and then nulls: each is one range of the index,
    which "nulls last" on a descending order would not be.
    """
    is_backward = place is not None and place.is_backward
    is_descending = order.is_descending != is_backward
    blocks: list[bool | None] = [False, True] if order.field.null else [None]
    if is_backward:
        blocks.reverse()
    if place is not None and order.field.null:
        blocks = blocks[blocks.index(place.value is None) :]

    rows: list[Any] = []
    for is_null in blocks:
        block, keys = queryset, [order.field.attname, "pk"]
        if is_null is not None:
            block = block.filter(**{f"{order.field.attname}__isnull": is_null})
        if is_null or order.field.primary_key:
            keys = ["pk"]
        if place is not None and is_null is blocks[0]:
            block = block.filter(_beyond(keys, place, is_descending=is_descending))
        sign = "-" if is_descending else ""
        rows += block.order_by(*(sign + key for key in keys))[: size - len(rows)]
        if len(rows) == size:
            break
    return rows


def _beyond(keys: list[str], place: Place, *, is_descending: bool) -> Any:
    lookup = TupleLessThan if is_descending else TupleGreaterThan
    values = (place.value, place.pk) if len(keys) == 2 else (place.pk,)
    return lookup(Tuple(*(F(key) for key in keys)), values)


def read_limit(request: Request) -> int:
    """``?limit=``, 1 to MAX_LIMIT. Raises ValidationError for anything else."""
    asked = request.query_params.get("limit")
    if asked is None:
        return DEFAULT_LIMIT
    if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= MAX_LIMIT):
        raise _bad("limit", f"A whole number from 1 to {MAX_LIMIT}.")
    return int(asked)


def _read_flag(request: Request, name: str) -> bool:
    asked = request.query_params.get(name, "false")
    if asked not in {"true", "false"}:
        raise _bad(name, "Say true or false.")
    return asked == "true"


def _bad(name: str, message: str) -> ValidationError:
    return ValidationError({name: [message]}, code="invalid")


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description,
            "schema": schema}  # fmt: skip
