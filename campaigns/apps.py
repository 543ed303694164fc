from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "Marketing"

    def ready(self) -> None:
        from campaigns import (  # noqa: F401 - they register
            holdings,
            receivers,
            rule_sources,
            segment_uses,
            sync_handlers,
            timeline,
        )
