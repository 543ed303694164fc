"""What each role may do. A role is a Django group of the same name, kept in step after migrate."""

from django.db import models


class Role(models.TextChoices):
    VIEWER = "VIEWER", "Viewer"
    STAFF = "STAFF", "Staff"
    MARKETER = "MARKETER", "Marketer"
    MANAGER = "MANAGER", "Manager"
    INTEGRATOR = "INTEGRATOR", "Integrator"
    OWNER = "OWNER", "Owner"


# Models by the work they belong to; ``*`` in a permission stands for each of them.
PEOPLE = (
    "customers.customerprofile",
    "customers.identityalias",
    "customers.activity",
    "customers.customernote",
    "customers.duplicatecandidate",
    "customers.tagging",
    "customers.customerscore",
    "customers.scoremodel",
    "customers.scoretraining",
    "customers.duplicatescan",
)
SEGMENTS = (
    "segments.customersegment",
    "segments.customersegmentmembership",
    "segments.segmentrefresh",
    "segments.segmentmembershipchange",
)
MARKETING = (
    "campaigns.campaign",
    "campaigns.campaignrun",
    "campaigns.campaignvariant",
    "campaigns.frequencycap",
    "campaigns.delivery",
    "campaigns.campaigninteraction",
    "campaigns.eventpromotion",
    "campaigns.seedrecipient",
)
JOURNEYS = (
    "journeys.journey",
    "journeys.journeystep",
    "journeys.journeyenrollment",
    "journeys.journeyenrollmentstep",
)
SOCIAL = ("social.socialconnection", "social.socialpost")
OPERATIONS = ("customers.synclog", "audit.crmauditlog")
CONNECTIONS = ("access.apikey", "access.webhookendpoint")
STAFF = ("access.tenantmembership", "tenancy.tenant", "tenancy.club")


def _all(models_: tuple[str, ...], *verbs: str) -> frozenset[str]:
    return frozenset(
        f"{app}.{verb}_{model}"
        for app, model in (name.split(".") for name in models_)
        for verb in verbs
    )


_SEE = _all((*PEOPLE, *SEGMENTS, *MARKETING, *JOURNEYS, *SOCIAL, "tenancy.club"), "view")
_SERVE = _SEE | _all(("customers.customerprofile", "customers.customernote"), "add", "change")
_MARKET = (
    _SERVE
    | _all(("customers.customerimport",), "view", "add")
    | _all(("segments.customersegment", "campaigns.campaign"), "add", "change", "delete")
    | _all(("campaigns.eventpromotion", "journeys.journey"), "add", "change", "delete")
    | _all(("campaigns.seedrecipient",), "add", "change", "delete")
    | _all(("social.socialpost",), "add", "change", "delete")
    | _all(("segments.customersegmentmembership",), "add", "delete")
    | {"campaigns.launch_campaign", "segments.refresh_customersegment"}
)
_MANAGE = (
    _MARKET
    | _all(OPERATIONS, "view")
    | _all(STAFF, "view")
    | _all(("social.socialconnection",), "add", "change", "delete")
    | _all(("tenancy.club",), "add", "change")
    | {
        "campaigns.approve_campaign",
        "customers.delete_customerprofile",
        "customers.merge_customerprofile",
        "customers.train_scoremodel",
        "customers.view_bulkmerge",
        "customers.erase_customerprofile",
        "customers.export_customerprofile",
        "customers.view_customerexport",
        "customers.view_erasure",
        "customers.replay_synclog",
        "customers.delete_customernote",
    }
)
_INTEGRATE = (
    _SEE
    | _all(OPERATIONS, "view")
    | _all(CONNECTIONS, "view", "add", "change", "delete")
    | {"customers.replay_synclog"}
)
_OWN = (
    _MANAGE
    | _INTEGRATE
    | _all(("access.tenantmembership", "tenancy.club"), "add", "change", "delete")
    | _all(("tenancy.tenant",), "change")
    | _all(("campaigns.frequencycap",), "add", "change", "delete")
)

PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.VIEWER: _SEE,
    Role.STAFF: _SERVE,
    Role.MARKETER: _MARKET,
    Role.MANAGER: _MANAGE,
    Role.INTEGRATOR: _INTEGRATE,
    Role.OWNER: _OWN,
}
