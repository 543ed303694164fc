"""Who is acting, as the data model has it: ``user:<id>``, ``key:<prefix>``, ``system:<task>``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.http import HttpRequest

from crm_site.tenancy.context import ACTOR, current_settings, local_settings


@dataclass(frozen=True)
class Actor:
    """Somebody, or something, that changes rows. ``id`` is at most 100 characters."""

    id: str

    def __str__(self) -> str:
        return self.id

    @classmethod
    def user(cls, user_id: object) -> "Actor":
        return cls(f"user:{user_id}")

    @classmethod
    def key(cls, prefix: str) -> "Actor":
        return cls(f"key:{prefix}")

    @classmethod
    def system(cls, task: str) -> "Actor":
        return cls(f"system:{task}")

    @classmethod
    def from_request(cls, request: HttpRequest) -> "Actor":
        """The signed-in user, or the API key that opened the scope of this request."""
        key = getattr(request, "api_key", None)
        return cls.key(key.prefix) if key is not None else cls.user(request.user.pk)

    @classmethod
    def current(cls) -> "Actor":
        """Whoever the running code acts for; ``system:unknown`` where nobody said."""
        return cls(current_settings().get(ACTOR) or "system:unknown")


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Everything changed inside is audited as done by ``actor``."""
    with local_settings(actor=actor.id):
        yield
