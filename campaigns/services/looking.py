"""What a reader would see: a template filled in for somebody of the campaign's audience."""

from dataclasses import dataclass
from uuid import UUID

from campaigns.models import Campaign
from campaigns.services.crowd import Crowd
from campaigns.services.templates import list_templates
from campaigns.services.variables import unknown_variables, variables_for
from crm_site.messaging.gateway import MessagingError, Rendered, UnknownTemplate, get_gateway
from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile

READERS_OFFERED = 20


@dataclass(frozen=True)
class Look:
    """``problem`` says why there is nothing to see; ``unknown`` names variables nobody fills."""

    rendered: Rendered | None = None
    problem: str = ""
    unknown: tuple[str, ...] = ()


def look_at_template(
    campaign: Campaign, *, channel: str, template_id: str, customer_id: UUID | None
) -> Look:
    """A template as a customer would see it, or with examples; never raises."""
    held = [each for each in list_templates().of(channel) if each.id == template_id]
    unknown = tuple(unknown_variables(held[0].variables)) if held else ()
    variables = variables_for(campaign, customer_id)
    try:
        rendered = get_gateway().render_template(require_tenant_id(), template_id, variables)
    except UnknownTemplate:
        return Look(problem="Messaging holds no such template any more.")
    except MessagingError:
        return Look(problem="Messaging cannot be reached just now.", unknown=unknown)
    return Look(rendered=rendered, unknown=unknown)


def some_readers(campaign: Campaign) -> list[CustomerProfile]:
    """A few live people it is for, to look at it with their eyes."""
    crowd = Crowd.of(campaign)
    if not crowd.included:
        return []
    found = CustomerProfile.objects.raw(
        "SELECT p.id, p.first_name, p.last_name, p.display_name, p.email, "  # noqa: S608 - our own names
        "p.phone_number "
        f"FROM ({crowd.members()}) m JOIN customers_customerprofile p ON p.id = m.customer_id "
        "WHERE p.tenant_id = %(tenant)s AND p.deleted_at IS NULL AND p.merged_at IS NULL "
        f"LIMIT {READERS_OFFERED}",
        crowd.values(),
    )
    return sorted(found, key=lambda each: each.name)
