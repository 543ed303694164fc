"""The door for events of API keys, POST /api/v1/events/, and what both doors answer."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiTypes, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from crm_site.api.errors import CONTENT_TYPE, problem
from crm_site.tenancy.context import require_tenant_id
from customers.sync.envelope import MAX_BODY_BYTES, BodyError, read_body, too_large
from customers.sync.ingest import CONFLICT, Receipt, receive
from customers.tasks import nudge

MAX_EVENTS = 1_000


def answer(receipt: Receipt, *, is_array: bool) -> tuple[dict[str, Any], int]:
    """Body and status: 202, or 409 for a single event whose id came before with another body."""
    rejected = receipt.rejected
    if not is_array and rejected and rejected[0].code == CONFLICT:
        return problem(409, CONFLICT, rejected[0].message), 409
    return receipt.as_json(), 202


def has_too_large_body(request: HttpRequest) -> bool:
    """By what the sender says, before anything is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return not length.isdigit() or int(length) > MAX_BODY_BYTES


def nudge_on_commit(receipt: Receipt) -> None:
    """Ring for a worker. Is the broker away, the events are stored and a sweep finds them."""
    if receipt.accepted:
        tenant_id = require_tenant_id()
        transaction.on_commit(lambda: nudge(tenant_id), robust=True)


class _BodyFailure(APIException):
    def __init__(self, error: BodyError) -> None:
        super().__init__(error.message, error.code)
        self.status_code = error.status


@dataclass(frozen=True)
class EventBody:
    """The events of one request, unchecked yet."""

    events: list[Any]
    is_array: bool


class EventParser(BaseParser):
    """Events as they came. Names in them are their source's, and stay as they are."""

    media_type = "application/cloudevents+json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        if has_too_large_body(stream):
            raise _BodyFailure(too_large())
        try:
            return EventBody(*read_body(stream.body, most=MAX_EVENTS))
        except BodyError as error:
            raise _BodyFailure(error) from None


class EventBatchParser(EventParser):
    media_type = "application/cloudevents-batch+json"


class EventJsonParser(EventParser):
    media_type = "application/json"


EventReceiptSerializer = inline_serializer(
    "EventReceipt",
    {
        "accepted": serializers.IntegerField(help_text="Events stored now."),
        "duplicates": serializers.IntegerField(help_text="Events that were stored before."),
        "rejected": inline_serializer(
            "RejectedEvent",
            {
                "index": serializers.IntegerField(),
                "id": serializers.CharField(allow_null=True),
                "code": serializers.CharField(),
                "message": serializers.CharField(),
            },
            many=True,
        ),
    },
)


class EventViewSet(ViewSet):
    """CloudEvents 1.0, one or an array of up to 1,000, from an integrator's own key."""

    scope = "events"
    permission_model = "customers.synclog"
    parser_classes = (EventParser, EventBatchParser, EventJsonParser)

    @extend_schema(
        summary="Send events",
        request={parser.media_type: OpenApiTypes.OBJECT for parser in parser_classes},
        responses={202: EventReceiptSerializer},
    )
    def create(self, request: Request) -> Response:
        """Answers once every accepted event is stored; they are processed within a second."""
        sent = request.data
        if not isinstance(sent, EventBody):  # REST framework asks no parser about an empty body.
            raise _BodyFailure(BodyError(400, "unreadable", "The body is empty."))
        receipt = receive(sent.events)
        nudge_on_commit(receipt)
        body, status = answer(receipt, is_array=sent.is_array)
        return Response(body, status=status, content_type=CONTENT_TYPE if status >= 400 else None)
