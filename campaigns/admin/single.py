"""Sending one customer a message, from the menu of their page."""

from typing import Any
from uuid import uuid4

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join

from campaigns.models.campaign import TEMPLATE_FIELDS
from campaigns.services.quiet_hours import quiet_until
from campaigns.services.single import send_single_message, why_not_now
from campaigns.services.templates import list_templates
from campaigns.tasks import ring_on_commit
from crm_site.audit.actor import Actor
from crm_site.backoffice.actions import DialogForm, dialog_action
from crm_site.backoffice.widgets import Select
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Tenant
from customers.admin.profile import CustomerProfileAdmin
from customers.models import CustomerProfile


class SingleMessageForm(DialogForm):
    """Templates of the channels they may be written over; why not the others."""

    message = forms.ChoiceField(widget=Select, help_text="Written and kept in Messaging.")
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["token"].initial = uuid4()
        self.closed: list[tuple[str, str]] = []
        known, now = list_templates(), timezone.now()
        groups: list[tuple[str, list[tuple[str, str]]]] = []
        for channel in TEMPLATE_FIELDS:
            why = why_not_now(customer_id=self.object_id, channel=channel, now=now)
            if why is not None:
                self.closed.append((channel.label, why.label.lower()))
                continue
            offered = [(f"{channel}|{each.id}", each.name) for each in known.of(channel)]
            if offered:
                groups.append((channel.label, offered))
        field: Any = self.fields["message"]
        nothing = "Nothing can be sent" if known.is_known else "Messaging cannot be asked just now"
        field.choices = [("", "Choose a template" if groups else nothing), *groups]

    def render_after_template(self) -> str:
        lines = format_html_join("", "<li>Not by {}: {}.</li>", self.closed)
        return format_html('<ul class="crm-bulk">{}</ul>', lines) if self.closed else ""


@dialog_action(
    title="Send one message",
    label="Send a message",
    text="A template of Messaging's, to this customer alone. Consent, caps and quiet hours hold.",
    submit="Send it",
    form=SingleMessageForm,
    icon="send",
    permissions=["campaigns.launch_campaign"],
)
def send_message(
    self: Any, request: HttpRequest, form: SingleMessageForm, customer: CustomerProfile
) -> str:
    channel, _, template_id = form.cleaned_data["message"].partition("|")
    now = timezone.now()
    send_single_message(
        customer_id=customer.pk,
        channel=channel,
        template_id=template_id,
        token=form.cleaned_data["token"],
        actor=Actor.from_request(request),
        now=now,
    )
    tenant = Tenant.objects.get(pk=require_tenant_id())
    ring_on_commit(tenant.pk)
    until = quiet_until(tenant, customer.time_zone or tenant.time_zone, now)
    when = (
        f"at {date_format(timezone.localtime(until), 'H:i')}, after quiet hours" if until else "now"
    )
    return f"It goes to {customer.name} by {Channel(channel).label} {when}. The timeline tells."


CustomerProfileAdmin.contribute("actions_detail", send_message)
