"""What the customer page says about journeys: which ones, where in them, and when they go on."""

from django.http import HttpRequest
from django.template.loader import render_to_string

from crm_site.access.services import limit_to_grants
from customers.admin.panels import Panel, customer_panel
from customers.models import CustomerProfile
from journeys.models import Journey, JourneyEnrollment

SHOWN = 8
TONES = {"ACTIVE": "blue", "COMPLETED": "green", "FAILED": "red", "EXITED": "plain"}


@customer_panel(permission="journeys.view_journeyenrollment")
def journeys_of(request: HttpRequest, customer: CustomerProfile) -> Panel:
    """The latest enrollments, in one query."""
    visible = limit_to_grants(Journey.objects.all(), request.user)
    rows = (
        JourneyEnrollment.objects.filter(customer=customer, journey__in=visible)
        .select_related("journey", "current_step")
        .order_by("-enrolled_at", "-pk")[:SHOWN]
    )
    lines = [(row, TONES.get(row.status, "plain")) for row in rows]
    body = render_to_string("journeys/customer_panel.html", {"lines": lines}, request=request)
    return Panel(title="Journeys", icon="route", body=body)
