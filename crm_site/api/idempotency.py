"""``Idempotency-Key``: the same request twice is carried out once."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from crm_site.api.models import KeptAnswer
from crm_site.audit.actor import Actor
from crm_site.errors import DomainError

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)


class KeyReusedError(DomainError):
    """The key came before, with another body."""

    code = "idempotency_key_reused"


class AlreadyAnsweredError(Exception):
    """This request was carried out before; ``answer`` is what it got."""

    def __init__(self, answer: KeptAnswer) -> None:
        super().__init__(str(answer))
        self.answer = answer

    def response(self) -> HttpResponse:
        body, status = self.answer.body, self.answer.status
        response = HttpResponse(body, status=status, content_type="application/json")
        response["Idempotent-Replayed"] = "true"
        return response


def claim(request: Request) -> KeptAnswer | None:
    """A place for the answer to this request; None where it names no key.

    Waits while a request with the same key is under way. Raises AlreadyAnsweredError if it has
    been answered, KeyReusedError if that was for another body.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise ValidationError({HEADER: ["1 to 255 printable ASCII characters."]}, code="invalid")
    place = {"caller": Actor.from_request(request._request).id, "path": request.path, "key": key}
    body_hash = hashlib.sha256(request.body).hexdigest()
    KeptAnswer.objects.filter(**place, created_at__lt=timezone.now() - KEPT_FOR).delete()
    answer, is_new = KeptAnswer.objects.get_or_create(**place, defaults={"body_hash": body_hash})
    if is_new:
        return answer
    if answer.body_hash != body_hash:
        raise KeyReusedError("This Idempotency-Key came before with another body.", path=HEADER)
    raise AlreadyAnsweredError(answer)


def keep(answer: KeptAnswer, response: HttpResponse) -> None:
    """Fill the place with the rendered answer."""
    answer.status, answer.body = response.status_code, response.content.decode()
    answer.save(update_fields=["status", "body"])


def forget_old(*, tenant_rows: int = 5_000) -> int:
    """Remove answers past their day, of the tenant in scope, a batch at a time."""
    old = KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    return old.filter(pk__in=old.values("pk")[:tenant_rows]).delete()[0]


def forget_answers_with(words: Iterable[str]) -> int:
    """Remove answers whose body holds one of these words, of the tenant in scope. Returns how many.

    A request that is still under way has no answer yet, and keeps its place.
    """
    condition = Q()
    for word in words:
        condition |= Q(body__icontains=word)
    if not condition:
        return 0
    return KeptAnswer.objects.filter(condition, status__isnull=False).delete()[0]
