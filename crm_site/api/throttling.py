"""Limits per caller, counted in Redis and told in headers.

``RateLimit`` and ``RateLimit-Policy`` are those of
https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/.
"""

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from crm_site.audit.actor import Actor

WINDOW_SECONDS = 60


class CallerThrottle(BaseThrottle):
    """``API_RATE_PER_MINUTE`` requests a minute for each key, and each member of staff."""

    def allow_request(self, request: Request, view: Any) -> bool:
        quota = settings.API_RATE_PER_MINUTE
        if not request.user.is_authenticated:
            return True
        window, elapsed = divmod(time.time(), WINDOW_SECONDS)
        self.left_seconds = int(WINDOW_SECONDS - elapsed) + 1
        name = f"rate:{Actor.from_request(request._request)}:{int(window)}"
        cache.add(name, 0, 2 * WINDOW_SECONDS)
        used = cache.incr(name)
        view.headers["RateLimit-Policy"] = f'"minute";q={quota};w={WINDOW_SECONDS}'
        view.headers["RateLimit"] = f'"minute";r={max(quota - used, 0)};t={self.left_seconds}'
        return used <= quota

    def wait(self) -> float:
        return self.left_seconds
