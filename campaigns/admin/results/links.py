"""Addresses of the pages behind a campaign's numbers."""

from urllib.parse import urlencode

from django.urls import reverse

from campaigns.models import Campaign


def page(campaign: Campaign, name: str) -> str:
    return reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk])


def people(campaign: Campaign, step: str, **by: str) -> str:
    """The people behind a number; ``by`` as ``tier="Full"``."""
    return f"{page(campaign, 'behind')}?{urlencode({'step': step, **by})}"
