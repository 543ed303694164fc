"""What the search box (Ctrl-K) finds. Apps add to it; nothing is cached, nothing unbounded."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from django.http import HttpRequest

HITS_EACH = 8


@dataclass(frozen=True)
class Hit:
    """One line of the results. ``icon`` is a Material Symbols name."""

    title: str
    description: str
    link: str
    icon: str = "search"


Provider = Callable[[HttpRequest, str], Iterable[Hit]]


@dataclass
class _Providers:
    known: list[tuple[str, Provider]] = field(default_factory=list)


_providers = _Providers()


def provides_search(*, permission: str) -> Callable[[Provider], Provider]:
    """Register ``provider(request, term)``, asked only for users with ``permission``.

    It must use an index and slice its query: at most the first 8 hits are taken. Put it in the
    app's ``admin`` so that it registers with the screens it links to.
    """

    def register(provider: Provider) -> Provider:
        _providers.known.append((permission, provider))
        return provider

    return register


def find(request: HttpRequest, term: str) -> list[Hit]:
    """Hits of every provider the user may ask, in the tenant in scope."""
    hits: list[Hit] = []
    for permission, provider in _providers.known:
        if request.user.has_perm(permission):
            hits.extend(islice(provider(request, term), HITS_EACH))
    return hits
