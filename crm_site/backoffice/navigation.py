"""The sidebar, in the order staff work. A page shows once it exists and its role may see it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True)
class Page:
    """A line of the sidebar, with its address as this request must write it."""

    title: str
    icon: str
    link: str
    group: str


# group: (title, icon, the admin's list or, after a colon, another page of its, permission)
MENU: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "": (("Home", "home", "index", ""),),
    "People": (
        ("Customers", "person", "customers_customerprofile", "customers.view_customerprofile"),
        (
            "Possible duplicates",
            "person_search",
            "customers_duplicatecandidate",
            "customers.view_duplicatecandidate",
        ),
        ("Imports", "upload_file", "customers_customerimport", "customers.view_customerimport"),
        ("Activity", "timeline", "customers_activity", "customers.view_activity"),
        (
            "Exports",
            "download",
            "customers_customerexport",
            "customers.view_customerexport",
        ),
        ("Segments", "groups", "segments_customersegment", "segments.view_customersegment"),
    ),
    "Marketing": (
        ("Campaigns", "campaign", "campaigns_campaign", "campaigns.view_campaign"),
        ("Calendar", "calendar_month", "campaigns_campaign:calendar", "campaigns.view_campaign"),
        ("Sendings", "outbox", "campaigns_campaignrun", "campaigns.view_campaignrun"),
        ("Messages", "mail", "campaigns_delivery", "campaigns.view_delivery"),
        (
            "Responses",
            "ads_click",
            "campaigns_campaigninteraction",
            "campaigns.view_campaigninteraction",
        ),
        ("Test recipients", "science", "campaigns_seedrecipient", "campaigns.view_seedrecipient"),
        ("Promotions", "emoji_events", "campaigns_eventpromotion", "campaigns.view_eventpromotion"),
        ("Journeys", "route", "journeys_journey", "journeys.view_journey"),
        (
            "People on journeys",
            "hiking",
            "journeys_journeyenrollment",
            "journeys.view_journeyenrollment",
        ),
    ),
    "Social": (
        ("Posts", "chat", "social_socialpost", "social.view_socialpost"),
        ("Connections", "link", "social_socialconnection", "social.view_socialconnection"),
    ),
    "Operations": (
        ("How scores are made", "insights", "customers_scoremodel", "customers.view_scoremodel"),
        ("Event inbox", "inbox", "customers_synclog", "customers.view_synclog"),
        ("Erasures", "person_remove", "customers_erasure", "customers.view_erasure"),
        ("Audit log", "history", "audit_crmauditlog", "audit.view_crmauditlog"),
        ("Staff", "badge", "access_tenantmembership", "access.view_tenantmembership"),
        (
            "Frequency caps",
            "speed",
            "campaigns_frequencycap",
            "campaigns.change_frequencycap",
        ),
        ("Clubs", "golf_course", "tenancy_club", "tenancy.view_club"),
        ("Club settings", "tune", "tenancy_tenant", "tenancy.change_tenant"),
        ("API keys", "key", "access_apikey", "access.view_apikey"),
        ("Webhooks", "webhook", "access_webhookendpoint", "access.view_webhookendpoint"),
    ),
    "Installation": (
        ("Users", "manage_accounts", "access_user", "access.view_user"),
        (
            "Sending switch",
            "power_settings_new",
            "tenancy_installation",
            "tenancy.change_installation",
        ),
        (
            "Schedules",
            "schedule",
            "django_celery_beat_periodictask",
            "django_celery_beat.view_periodictask",
        ),
    ),
}


def pages(request: HttpRequest) -> list[Page]:
    """Every page this user has in the tenant in scope, in order."""
    if getattr(request, "tenant_id", None) is None or not request.user.is_authenticated:
        return []
    found = []
    for group, items in MENU.items():
        for title, icon, name, permission in items:
            if permission and not request.user.has_perm(permission):
                continue
            link = _link(name)
            if link:
                found.append(Page(title=title, icon=icon, link=link, group=group))
    return found


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The same in the theme's form."""
    groups: dict[str, dict[str, Any]] = {}
    for page in pages(request):
        group = groups.setdefault(page.group, {"title": page.group or None, "items": []})
        item: dict[str, Any] = {"title": page.title, "icon": page.icon, "link": page.link}
        group["items"].append(item)
    return list(groups.values())


def place_of(opts: Any) -> Page | None:
    """Where the list of a model stands in the sidebar; None for one that is not there."""
    wanted = f"{opts.app_label}_{opts.model_name}"
    for group, items in MENU.items():
        for title, icon, name, _ in items:
            link = _link(name) if name == wanted else None
            if link:
                return Page(title=title, icon=icon, link=link, group=group)
    return None


def _link(name: str) -> str | None:
    model, _, page = name.partition(":")
    target = "admin:index" if name == "index" else f"admin:{model}_{page or 'changelist'}"
    try:
        return reverse(target)
    except NoReverseMatch:
        return None  # That app has no such screen yet.
