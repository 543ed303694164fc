"""What the customer list can show, and what it does to many at once."""

from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from crm_site.audit.actor import Actor
from crm_site.backoffice.actions import go_to
from crm_site.backoffice.bulk import WITH_TICKED, tick
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import dialog_action, display
from crm_site.jobs.tasks import nudge_on_commit
from customers.admin import cells
from customers.admin.forms import BulkTagForm, MergeTwoForm
from customers.models import CustomerProfile
from customers.services.mass_tagging import request_tagging
from customers.services.tagging import MOST_AT_ONCE, tag_customers


class ListColumns:
    """Cells and bulk actions of the list."""

    @display(description="")
    def box(self, customer: CustomerProfile) -> str:
        return tick(customer.pk, customer.name)

    @display(description="Customer")
    def person(self, customer: CustomerProfile) -> str:
        return cells.person(customer)

    @display(description="Stage")
    def stage(self, customer: CustomerProfile) -> str:
        return cells.stage(customer)

    @display(description="Last seen", ordering=F("last_activity_at").desc(nulls_last=True))
    def seen(self, customer: CustomerProfile) -> str:
        return ago(customer.last_activity_at)

    @display(description="Last booked")
    def booked(self, customer: CustomerProfile) -> str:
        return ago(customer.last_booking_at)

    @display(description="Consent")
    def consents(self, customer: CustomerProfile) -> str:
        return cells.lights(customer)

    @display(description="Tags")
    def labels(self, customer: CustomerProfile) -> str:
        return cells.tags(customer)

    @display(description="E-mail")
    def mailbox(self, customer: CustomerProfile) -> str:
        return customer.email or "–"

    @display(description="Phone")
    def phone(self, customer: CustomerProfile) -> str:
        return customer.phone_number or "–"

    @display(description="Bookings in 90 days")
    def bookings(self, customer: CustomerProfile) -> int:
        return customer.booking_count_90d

    @display(description="Engagement")
    def engaged(self, customer: CustomerProfile) -> str:
        return cells.score(customer.engagement_score, "green")

    @display(description="Churn risk")
    def at_risk(self, customer: CustomerProfile) -> str:
        return cells.score(customer.churn_risk_score, "amber")

    @display(description="Spent")
    def spent(self, customer: CustomerProfile) -> str:
        return cells.money(customer.lifetime_value, getattr(customer, "currency", ""))

    @display(description="Known since", ordering="-created_at")
    def known(self, customer: CustomerProfile) -> str:
        return ago(customer.created_at)

    @dialog_action(
        title="Tag customers",
        label="Tag",
        submit="Tag them",
        form=BulkTagForm,
        icon="sell",
        attrs=WITH_TICKED,
        permissions=["customers.change_customerprofile"],
    )
    def tag_many(self, request: HttpRequest, form: BulkTagForm, obj: Any) -> HttpResponse | str:
        tag, actor = form.cleaned_data["tag"].strip(), Actor.from_request(request)
        if form.chosen.count > MOST_AT_ONCE:
            job = request_tagging(customers=form.chosen.rows, tag=tag, actor=actor)
            nudge_on_commit(job)
            return go_to(reverse("admin:customers_tagging_change", args=[job.pk]))
        tagged = tag_customers(customers=form.chosen.rows, tag=tag, actor=actor)
        had = form.chosen.count - tagged
        already = f" {had:,} had it already." if had else ""
        return f"{tagged:,} tagged “{tag}”.{already} Filter by the tag to see them."

    @dialog_action(
        title="Merge two customers",
        label="Merge …",
        text="You see the two side by side before anything happens.",
        submit="Look at both",
        form=MergeTwoForm,
        icon="merge",
        attrs=WITH_TICKED,
        permissions=["customers.merge_customerprofile"],
    )
    def merge_two(self, request: HttpRequest, form: MergeTwoForm, obj: Any) -> HttpResponse:
        pair = form.chosen.rows.order_by("created_at", "pk").values_list("pk", flat=True)
        return go_to(reverse("admin:customers_duplicatecandidate_compare", args=list(pair)))
