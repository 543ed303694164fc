from django.apps import AppConfig


class JourneysConfig(AppConfig):
    name = "journeys"
    verbose_name = "Marketing"

    def ready(self) -> None:
        from journeys import timeline  # noqa: F401 - it registers itself
