from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "segments"
    verbose_name = "People"

    def ready(self) -> None:
        from segments import holdings, mentions, receivers  # noqa: F401 - they register themselves
