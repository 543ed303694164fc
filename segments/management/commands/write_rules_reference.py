from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from segments.rules.reference import reference


class Command(BaseCommand):
    help = "Write docs/rules.md anew, after a change of the rule language."

    def handle(self, *args: Any, **options: Any) -> None:
        page = Path(settings.BASE_DIR) / "docs" / "rules.md"
        page.write_text(reference())
        print(f"{page} written.")
