"""Pages of a customer's timeline."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from crm_site.api.filters import refuse_parameters
from crm_site.api.pagination import KeysetPagination, read_limit
from customers.api.serializers import EntrySerializer
from customers.choices import ActivityCategory
from customers.services.timeline import Position, read_timeline


class TimelinePagination(KeysetPagination):
    """Reads forwards only, newest first: ``previous`` is always null."""

    parameters = ("limit", "cursor", "category", "source", "search")

    def answer(self, request: Request, **question: Any) -> Response:
        """A page; ``question`` is passed on to ``read_timeline``."""
        refuse_parameters(request, known=self.parameters)
        page = read_timeline(
            before=_read_position(request),
            limit=read_limit(request),
            categories=_read_categories(request),
            services=_read_services(request),
            text=request.query_params.get("search", ""),
            **question,
        )
        address = request.build_absolute_uri()
        following = replace_query_param(address, "cursor", str(page.next)) if page.next else None
        rows = EntrySerializer(page.entries, many=True).data
        return Response({"next": following, "previous": None, "results": rows})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        shared = super().get_schema_operation_parameters(view)
        own: dict[str, dict[str, Any]] = {
            "category": {"type": "string", "enum": ActivityCategory.values},
            "source": {"type": "string", "description": "scl, teetime, messaging or crm."},
            "search": {"type": "string", "description": "Words of the title or description."},
        }
        return [parameter for parameter in shared if parameter["name"] in self.parameters] + [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in own.items()
        ]


def _read_position(request: Request) -> Position | None:
    cursor = request.query_params.get("cursor")
    try:
        return Position.parse(cursor) if cursor is not None else None
    except ValueError:
        raise ValidationError({"cursor": ["This cursor cannot be read."]}, code="invalid") from None


def _read_categories(request: Request) -> list[str]:
    category = request.query_params.get("category")
    if category is not None and category not in ActivityCategory.values:
        raise ValidationError({"category": ["There is no such category."]}, code="invalid_choice")
    return [category] if category else []


def _read_services(request: Request) -> list[str]:
    service = request.query_params.get("source")
    return [service] if service else []
