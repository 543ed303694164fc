from django.apps import AppConfig


class JourneysConfig(AppConfig):
    name = "journeys"
    verbose_name = "Marketing"

    def ready(self) -> None:
        from journeys import holdings, receivers, timeline  # noqa: F401 - they register themselves
