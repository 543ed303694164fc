"""What to do first in a club that knows nobody yet."""

from django.http import HttpRequest

from crm_site.dashboard.links import list_link


def first_steps(request: HttpRequest) -> list[dict[str, str | None]]:
    """Steps the user may take, in order: title, text, icon and link."""
    steps = (
        ("Let your other systems tell Fairway", "Memberships, bookings and deliveries arrive by "
         "themselves once each service has an address here.", "access_webhookendpoint", "webhook"),
        ("Add the people you work with", "Each signs in with a role of their own.",
         "access_tenantmembership", "badge"),
        ("Add a customer by hand", "Or wait for the first event: customers appear by themselves.",
         "customers_customerprofile", "person_add"),
        ("Make a segment", "Say who you want to speak to; Fairway keeps the list up to date.",
         "segments_customersegment", "groups"),
    )  # fmt: skip
    permitted = (
        {"title": title, "text": text, "icon": icon, "link": list_link(name, page="add")}
        for title, text, name, icon in steps
        if request.user.has_perm(_add_permission(name))
    )
    return [step for step in permitted if step["link"]]


def _add_permission(name: str) -> str:
    app_label, model = name.split("_", 1)
    return f"{app_label}.add_{model}"
