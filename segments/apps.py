from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "segments"
    verbose_name = "People"

    def ready(self) -> None:
        from segments import receivers  # noqa: F401 - they register themselves
