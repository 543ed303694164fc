"""The latest campaigns, each with how far its messages came."""

from typing import Any

from django.http import HttpRequest

from campaigns.models import Campaign
from crm_site.access.services import limit_to_grants
from crm_site.dashboard.links import page_link

RECENT_CAMPAIGNS = 5


def recent_campaigns(request: HttpRequest) -> list[dict[str, Any]]:
    """The latest campaigns that went out, each with how far its messages came."""
    rows = limit_to_grants(Campaign.objects.live(), request.user).filter(started_at__isnull=False)
    found = []
    for row in rows.order_by("-created_at", "-id")[:RECENT_CAMPAIGNS]:
        counts = (
            ("Sent", row.sent_count),
            ("Delivered", row.delivered_count),
            ("Opened", row.opened_count),
            ("Clicked", row.clicked_count),
        )
        whole = max(row.sent_count, 1)
        found.append(
            {
                "name": row.name,
                "status": row.get_status_display(),
                "tone": row.status.lower(),
                "started_at": row.started_at,
                "link": page_link("campaigns_campaign", row.pk),
                "funnel": [
                    {"name": name, "count": count, "width": round(100 * min(count / whole, 1))}
                    for name, count in counts
                ],
            }
        )
    return found
