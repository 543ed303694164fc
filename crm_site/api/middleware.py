"""Answering while PostgreSQL or Redis is away, and where an address lacks its last slash."""

import logging
from collections.abc import Callable

import redis
from django.db import InterfaceError, OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    JsonResponse,
)
from django.middleware.common import CommonMiddleware

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
UNAVAILABLE = (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503 for "come back shortly", as problem details."""
    response = JsonResponse(
        {
            "type": "about:blank",
            "title": "Service unavailable",
            "status": 503,
            "code": "unavailable",
            "detail": "The database or the broker is away for a moment. Nothing was changed.",
        },
        status=503,
        content_type="application/problem+json",
    )
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


class UnavailableMiddleware:
    """Outermost: a lost server is 503 with Retry-After, whichever part noticed it first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except UNAVAILABLE:
            logger.warning("A server is away", exc_info=True)
            return unavailable(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, UNAVAILABLE):
            logger.warning("A server is away", exc_info=exception)
            return unavailable(request)
        return None


class _SameMethodRedirect(HttpResponsePermanentRedirect):
    status_code = 308


class SlashMiddleware(CommonMiddleware):
    """Django's, but a POST without the last slash is sent on as a POST: 301 would make it a GET."""

    response_redirect_class = _SameMethodRedirect
