"""What the customer page says about segments: which ones, since when, and one more by hand."""

from contextlib import suppress
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from crm_site.access.services import limit_to_grants
from customers.admin.panels import Panel, customer_panel
from customers.models import CustomerProfile
from segments.choices import SegmentType
from segments.models import CustomerSegment
from segments.rules.errors import RuleError
from segments.rules.grammar import parse
from segments.services.matching import describer, model_reasons

SHOWN, OFFERED = 12, 100


@customer_panel(permission="segments.view_customersegment")
def segments_of(request: HttpRequest, customer: CustomerProfile) -> Panel | None:
    memberships = (
        customer.segment_memberships.filter(segment__deleted_at__isnull=True)
        .select_related("segment")
        .order_by("-added_at", "-pk")
    )
    visible = limit_to_grants(CustomerSegment.objects.live(), request.user)
    shown = list(memberships.filter(segment__in=visible)[: SHOWN + 1])
    reasons = _reasons([each.segment for each in shown[:SHOWN]])
    context = {
        "customer": customer,
        "memberships": [
            (each, reasons.get(each.segment_id) or "; ".join(model_reasons(each)))
            for each in shown[:SHOWN]
        ],
        "has_more": len(shown) > SHOWN,
        "offered": _offered(request, customer, visible),
    }
    body = render_to_string("admin/segments/customer_panel.html", context, request=request)
    return Panel(title="Segments", icon="groups", body=body)


def _reasons(segments: list[CustomerSegment]) -> dict[UUID, str]:
    """The rules of each as a sentence: who fits them is in it. One query, if any has rules."""
    by_rules = [each for each in segments if each.is_by_rules and not each.broken_reason]
    if not by_rules:
        return {}
    words = describer(ZoneInfo(timezone.get_current_timezone_name()))
    found = {}
    for each in by_rules:
        with suppress(RuleError):
            found[each.pk] = words.sentence(parse(each.criteria, each.combinator))
    return found


def _offered(
    request: HttpRequest, customer: CustomerProfile, visible: QuerySet[CustomerSegment]
) -> list[CustomerSegment]:
    """Segments by hand that this customer could be put into by this user."""
    may_add = request.user.has_perm("segments.add_customersegmentmembership")
    if not (may_add and customer.is_live):
        return []
    by_hand = visible.filter(type__in=[SegmentType.STATIC, SegmentType.IMPORT])
    return list(by_hand.exclude(memberships__customer=customer).order_by("name")[:OFFERED])
