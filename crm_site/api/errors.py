"""Every error of the API as problem details (RFC 9457)."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from crm_site.db.names import camel_case
from crm_site.errors import NOT_FOUND, DomainError

CONTENT_TYPE = "application/problem+json"

Problem = dict[str, Any]


def problem(
    status: int, code: str, detail: str, errors: Iterable[Mapping[str, str]] = ()
) -> Problem:
    """The body of an error. ``errors`` are ``{"path", "code", "message"}`` per field at fault."""
    body: Problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return {**body, "errors": list(errors)} if errors else body


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. Whatever the request wrote is taken back.

    Errors nobody foresaw stay exceptions: a lost server becomes 503, the rest 500, further out.
    """
    body, headers = _describe(error)
    if body is None:
        return None
    context["request"]._request.must_roll_back = True
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def _describe(error: Exception) -> tuple[Problem | None, dict[str, str]]:
    match error:
        case DomainError():
            return _from_domain(error), {}
        case exceptions.ValidationError():
            return _invalid(flatten(error.get_full_details())), {}
        case DjangoValidationError():
            return _invalid(_from_django(error)), {}
        case Http404():
            return problem(404, "not_found", "There is nothing here."), {}
        case DjangoPermissionDenied():
            return problem(403, "permission_denied", "You may not do this."), {}
        case RequestDataTooBig():
            return problem(413, "too_large", "The body is too large."), {}
        case IntegrityError():
            return _from_integrity(error), {}
        case DataError():
            return problem(400, "invalid", "A value here cannot be stored."), {}
        case exceptions.APIException():
            code, detail = error.get_codes(), str(error.detail)
            body = problem(error.status_code, str(code), detail)
            return body, _headers(error)
    return None, {}


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None) is not None:
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    return headers


def _invalid(errors: list[dict[str, str]]) -> Problem:
    first = errors[0] if errors else {"path": "", "code": "invalid", "message": ""}
    where = f"{first['path']}: " if first["path"] else ""
    return problem(400, "invalid", f"{where}{first['message']}", errors)


def _from_domain(error: DomainError) -> Problem:
    said = error.reasons or ((error,) if error.path else ())
    faults = [
        {"path": camel_case(each.path), "code": each.code, "message": each.message} for each in said
    ]
    return problem(_status_of(error), error.code, error.message, faults)


def _status_of(error: DomainError) -> int:
    """What is not there is no conflict: 404 by the address, 400 where a field named it."""
    if error.code != NOT_FOUND:
        return 409
    return 400 if error.path else 404


def _from_integrity(error: IntegrityError) -> Problem | None:
    """A unique key that another request was faster to take; other faults are ours."""
    if getattr(error.__cause__, "sqlstate", None) != "23505":
        return None
    return problem(409, "already_exists", "Another object already has a value sent here.")


def _from_django(error: DjangoValidationError) -> list[dict[str, str]]:
    fields = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    return [
        {
            "path": "" if name == "__all__" else camel_case(name),
            "code": fault.code or "invalid",
            "message": text,
        }
        for name, faults in fields.items()
        for fault in faults
        for text in fault.messages
    ]


def flatten(details: Any, path: str = "") -> list[dict[str, str]]:
    """REST framework's nested details as a list of ``{"path", "code", "message"}``.

    Paths read as in JavaScript: ``tags[0]``, ``[3].email``.
    """
    if isinstance(details, list):
        return [
            fault
            for index, item in enumerate(details)
            for fault in flatten(item, path if _is_fault(item) else f"{path}[{index}]")
        ]
    if _is_fault(details):
        return [{"path": path, "code": details["code"], "message": str(details["message"])}]
    return [fault for name, item in details.items() for fault in flatten(item, _join(path, name))]


def _is_fault(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("code"), str)


def _join(path: str, name: object) -> str:
    if name == "non_field_errors":
        return path
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else str(name)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _outside(request, 413, "too_large", "The body is too large.") or (
            defaults.bad_request(request, exception)
        )
    return _outside(request, 400, "bad_request", "This request cannot be read.") or (
        defaults.bad_request(request, exception)
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _outside(request, 403, "permission_denied", "You may not do this.") or (
        defaults.permission_denied(request, exception)
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _outside(request, 404, "not_found", "There is nothing here.") or (
        defaults.page_not_found(request, exception)
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return _outside(request, 500, "server_error", "Something went wrong here. Try again.") or (
        defaults.server_error(request)
    )


def _outside(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse | None:
    """The answer where an error was noticed outside any view of the API; None elsewhere."""
    if not request.path_info.startswith("/api/"):
        return None
    return JsonResponse(problem(status, code, detail), status=status, content_type=CONTENT_TYPE)
