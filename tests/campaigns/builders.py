"""Campaigns and their people, for tests of this folder."""

from campaigns.models import Campaign
from campaigns.services.dispatch import send_due
from campaigns.services.lifecycle import start_campaign
from crm_site.audit.actor import Actor
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import local_settings, require_tenant_id
from customers.models import CustomerProfile
from segments.models import CustomerSegment, CustomerSegmentMembership
from tests.factories import make_customer

TEMPLATES = {"email_template_id": "newsletter-email", "sms_template_id": "offer-sms"}
ACTOR = Actor("user:test")


def consent_writing():
    """Opt-in flags may be written inside, as Messaging's events would."""
    return local_settings(consent_writer="messaging")


def make_recipient(**values) -> CustomerProfile:
    """A customer who may be written to by e-mail, unless told otherwise."""
    with consent_writing():
        return make_customer(**{"email_opt_in": True, **values})


def consent(customer: CustomerProfile, **flags: bool) -> None:
    """What Messaging says about consent from now on."""
    with consent_writing():
        CustomerProfile.objects.filter(pk=customer.pk).update(**flags)


def make_segment(*customers: CustomerProfile, **values) -> CustomerSegment:
    defaults = {"name": f"Segment {CustomerSegment.objects.count()}", "type": "STATIC"}
    segment = CustomerSegment.objects.create(**(defaults | values))
    CustomerSegmentMembership.objects.bulk_create(
        CustomerSegmentMembership(segment=segment, customer=customer) for customer in customers
    )
    return segment


def make_campaign(*customers: CustomerProfile, **values) -> Campaign:
    """A draft for those customers, over e-mail unless told otherwise."""
    if "segment" not in values:
        values["segment"] = make_segment(*customers)
    defaults = {"name": "November news", "channels": [Channel.EMAIL], "created_by": ACTOR.id}
    return Campaign.objects.create(**(defaults | TEMPLATES | values))


def make_started(*customers: CustomerProfile, **values) -> Campaign:
    campaign = make_campaign(*customers, **values)
    return start_campaign(campaign_id=campaign.pk, actor=ACTOR)


def send_all(*, seconds: float = 20) -> bool:
    return send_due(require_tenant_id(), seconds=seconds)


def states_of(campaign: Campaign) -> list[tuple[str, str | None]]:
    """(state, reason) of every delivery, in no order that matters."""
    return sorted(campaign.deliveries.values_list("state", "reason"), key=str)
