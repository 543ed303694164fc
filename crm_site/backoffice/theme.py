"""The theme's settings. Read by ``settings.py``, so nothing here imports Django's models."""

from typing import Any

from django.templatetags.static import static


def environment(request: Any) -> list[str] | None:
    """The badge beside the page title where messages go to the sandbox and reach nobody."""
    from django.conf import settings

    return ["Demo", "warning"] if settings.MESSAGING_IS_SANDBOX else None


GREEN = {
    "50": "oklch(97.6% .018 155)",
    "100": "oklch(94.6% .040 155)",
    "200": "oklch(89.6% .072 154)",
    "300": "oklch(82.0% .110 153)",
    "400": "oklch(72.5% .140 152)",
    "500": "oklch(61.5% .138 151)",
    "600": "oklch(50.5% .118 151)",
    "700": "oklch(43.0% .098 152)",
    "800": "oklch(36.5% .080 153)",
    "900": "oklch(31.0% .064 154)",
    "950": "oklch(21.5% .046 155)",
}
# Greys with a breath of green, so that both belong together.
STONE = {
    "50": "oklch(98.4% .003 150)",
    "100": "oklch(96.4% .004 150)",
    "200": "oklch(92.4% .006 150)",
    "300": "oklch(86.6% .008 150)",
    "400": "oklch(70.4% .012 152)",
    "500": "oklch(53.0% .014 153)",
    "600": "oklch(43.6% .014 154)",
    "700": "oklch(36.0% .014 155)",
    "800": "oklch(26.8% .013 156)",
    "900": "oklch(20.4% .012 157)",
    "950": "oklch(14.0% .010 158)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Fairway",
    "SITE_HEADER": "crm_site.backoffice.shell.header",
    "SITE_SUBHEADER": "crm_site.backoffice.shell.subheader",
    "SITE_DROPDOWN": "crm_site.backoffice.shell.club_switcher",
    "SITE_URL": None,
    "SITE_ICON": lambda request: static("backoffice/fairway.svg"),
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("backoffice/fairway.svg"),
        }
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "ENVIRONMENT": "crm_site.backoffice.theme.environment",
    "DASHBOARD_CALLBACK": "crm_site.dashboard.home.add_figures",
    "STYLES": [lambda request: static("backoffice/crm.css")],
    "SCRIPTS": [
        lambda request: static("backoffice/alpine-shim.js"),
        lambda request: static("backoffice/a11y.js"),
    ],
    "COLORS": {"base": STONE, "primary": GREEN},
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "crm_site.backoffice.navigation.sidebar",
    },
}
