from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "Marketing"

    def ready(self) -> None:
        from campaigns import receivers, rule_sources, sync_handlers  # noqa: F401 - they register
