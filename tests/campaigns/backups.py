"""A database put back to an earlier moment, for what campaigns keep of a tenant."""

from django.db import transaction

from campaigns.models import Campaign, CampaignInteraction, CampaignRun, Delivery

TABLES = (Campaign, CampaignRun, Delivery, CampaignInteraction)


@transaction.atomic
def take_backup() -> dict:
    """Every row of the tenant in scope."""
    return {model: list(model.objects.values()) for model in TABLES}


@transaction.atomic
def restore(backup: dict) -> None:
    for model in reversed(TABLES[1:]):
        model.objects.all().delete()
    for values in backup[Campaign]:
        Campaign.objects.filter(pk=values["id"]).update(**values)
    for model in TABLES[1:]:
        model.objects.bulk_create(model(**values) for values in backup[model])
