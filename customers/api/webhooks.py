"""The door for signed events: POST /webhooks/{endpointId}/, by Standard Webhooks."""

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from crm_site.access.services import has_valid_signature, resolve_webhook_endpoint
from crm_site.api.errors import CONTENT_TYPE, problem
from crm_site.audit.actor import Actor, acting_as
from crm_site.tenancy.context import tenant_scope
from customers.api.events import answer, has_too_large_body, nudge_on_commit
from customers.sync.envelope import BodyError, read_body, too_large
from customers.sync.ingest import receive


@csrf_exempt
def webhook(request: HttpRequest, endpoint_id: str) -> HttpResponse:
    """202 with what was taken in. Whoever cannot sign hears the same 401, whatever was wrong."""
    if request.method != "POST":
        refusal = _refuse(BodyError(405, "method_not_allowed", "Events come by POST."))
        refusal["Allow"] = "POST"
        return refusal
    if has_too_large_body(request):
        return _refuse(too_large())
    try:
        endpoint = resolve_webhook_endpoint(UUID(endpoint_id))
    except ValueError:
        endpoint = None
    if endpoint is None or not has_valid_signature(endpoint, request.body, dict(request.headers)):
        return _refuse(BodyError(401, "unauthorized", "The signature is not valid."))
    try:
        events, is_array = read_body(request.body)
    except BodyError as error:
        return _refuse(error)
    actor = Actor.system(f"webhook.{endpoint.source}")
    with tenant_scope(str(endpoint.tenant_id)), acting_as(actor), transaction.atomic():
        receipt = receive(events, source=endpoint.source)
        nudge_on_commit(receipt)
    body, status = answer(receipt, is_array=is_array)
    kind = CONTENT_TYPE if status >= 400 else "application/json"
    return JsonResponse(body, status=status, content_type=kind)


def _refuse(error: BodyError) -> HttpResponse:
    body = problem(error.status, error.code, error.message)
    return JsonResponse(body, status=error.status, content_type=CONTENT_TYPE)
