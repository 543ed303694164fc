"""Actors, as stored in ``createdBy`` and the audit log, by name."""

from collections.abc import Iterable

from crm_site.access.models import ApiKey, User


def names_of(actors: Iterable[str | None]) -> dict[str, str]:
    """What to call each actor: two queries, however many there are."""
    wanted = {actor for actor in actors if actor}
    ids = {actor.removeprefix("user:") for actor in wanted if actor.startswith("user:")}
    prefixes = {actor.removeprefix("key:") for actor in wanted if actor.startswith("key:")}
    users = {
        f"user:{user.pk}": str(user)
        for user in User.objects.filter(pk__in=[pk for pk in ids if pk.isdigit()])
    }
    keys = {
        f"key:{key.prefix}": f"API key “{key.name}”"
        for key in ApiKey.objects.filter(prefix__in=prefixes)
    }
    return {actor: users.get(actor) or keys.get(actor) or _plain(actor) for actor in wanted}


def _plain(actor: str) -> str:
    kind, _, rest = actor.partition(":")
    if kind == "system":
        return f"Fairway ({rest.rpartition('.')[2].replace('_', ' ')})"
    return "Somebody who has left" if kind == "user" else actor
