"""The templates Messaging holds, asked for rarely and remembered shortly."""

from dataclasses import asdict, dataclass

from django.core.cache import cache

from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import MessagingError, Template, get_gateway
from crm_site.tenancy.context import require_tenant_id

FRESH_SECONDS = 60
AWAY_SECONDS = 10  # While Messaging is away, pages must not each wait for it.


@dataclass(frozen=True)
class TemplateList:
    """The tenant's templates; ``is_known`` False while Messaging cannot be asked."""

    templates: tuple[Template, ...] = ()
    is_known: bool = True

    def of(self, channel: str) -> list[Template]:
        return [each for each in self.templates if each.channel == channel]

    def variables_of(self, channel: str, template_id: str) -> tuple[str, ...]:
        """What a template asks for; nothing of one that is not known."""
        return next(
            (tuple(each.variables) for each in self.of(channel) if each.id == template_id), ()
        )

    def holds(self, channel: str, template_id: str) -> bool:
        return any(each.id == template_id for each in self.of(channel))


def list_templates() -> TemplateList:
    """The templates of the tenant in scope, at most a minute old; never raises."""
    key = f"templates:{require_tenant_id()}"
    kept = cache.get(key)
    if kept is None:
        try:
            found = get_gateway().list_templates(require_tenant_id())
            kept = {"is_known": True, "templates": [asdict(each) for each in found]}
        except MessagingError:
            kept = {"is_known": False, "templates": []}
        cache.set(key, kept, FRESH_SECONDS if kept["is_known"] else AWAY_SECONDS)
    return TemplateList(
        templates=tuple(
            Template(**{**each, "channel": Channel(each["channel"])}) for each in kept["templates"]
        ),
        is_known=kept["is_known"],
    )
