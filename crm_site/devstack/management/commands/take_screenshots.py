"""Pictures of the main screens, for the README and for looking at a change."""

import importlib
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm_site.devstack.demo.staff import DEMO_EMAIL, DEMO_PASSWORD

# File name: the page below /<tenant>/admin/. A second part is the link to follow from there.
SCREENS = {
    "home": ("", None),
    "customers": ("customers/customerprofile/", None),
    "customer": ("customers/customerprofile/?tag=vip&consent=EMAIL", "#result_list tbody th a"),
    "duplicates": ("customers/duplicatecandidate/", None),
    "review": ("customers/duplicatecandidate/review/", None),
    "merge-many": ("customers/duplicatecandidate/merge-many/?score=50", None),
    "import": ("customers/customerimport/new/", None),
    "scores": ("customers/scoremodel/", None),
    "segments": ("segments/customersegment/", None),
    "segment": ("segments/customersegment/", "#result_list tbody th a"),
    "campaigns": ("campaigns/campaign/", None),
    "campaign": ("campaigns/campaign/?status__exact=COMPLETED", "#result_list tbody th a"),
    "event-inbox": ("customers/synclog/", None),
    "audit-log": ("audit/crmauditlog/", None),
    "staff": ("access/tenantmembership/", None),
    "api-keys": ("access/apikey/", None),
}
# Suffix: width in pixels and whether the system is dark.
LOOKS = {"": (1440, False), "-dark": (1440, True), "-phone": (390, False)}
ALSO_IN_OTHER_LOOKS = {"home", "customers", "customer", "review", "campaign"}


class Command(BaseCommand):
    help = "Photograph the main screens of a running stack (`make run`) into docs/screenshots/."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--url", default=f"http://127.0.0.1:{settings.PORT}")
        parser.add_argument("--email", default=DEMO_EMAIL)
        parser.add_argument("--password", default=DEMO_PASSWORD)
        parser.add_argument("--to", default=str(settings.BASE_DIR / "docs" / "screenshots"))

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(options["to"])
        folder.mkdir(parents=True, exist_ok=True)
        with _playwright().sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu"]
            )
            for suffix, (width, is_dark) in LOOKS.items():
                self._photograph(browser, options, folder, suffix, width, is_dark)
            browser.close()

    def _photograph(
        self,
        browser: Any,
        options: dict[str, Any],
        folder: Path,
        suffix: str,
        width: int,
        is_dark: bool,
    ) -> None:
        context = browser.new_context(
            base_url=options["url"],
            viewport={"width": width, "height": 900},
            color_scheme="dark" if is_dark else "light",
            timezone_id="Africa/Johannesburg",
        )
        page = context.new_page()
        home = _sign_in(page, options)
        for name, (path, link) in SCREENS.items():
            if suffix and name not in ALSO_IN_OTHER_LOOKS:
                continue
            answer = page.goto(f"{home}{path}")
            if answer.status != 200:
                raise CommandError(f"{page.url} answered {answer.status}.")
            if link and page.locator(link).count():
                page.locator(link).first.click()
                page.wait_for_load_state()
            page.wait_for_timeout(500)  # What slides in or is fetched late has arrived by then.
            page.screenshot(path=folder / f"{name}{suffix}.png")
            self.stdout.write(f"{name}{suffix}.png")
        context.close()


def _sign_in(page: Any, options: dict[str, Any]) -> str:
    """The address of the club's home page, signed in."""
    page.goto("/admin/login/")
    page.fill("[name=username]", options["email"])
    page.fill("[name=password]", options["password"])
    page.click("#login-form button[type=submit]")
    page.wait_for_load_state()
    if page.locator(".crm-clubs a").count():
        page.locator(".crm-clubs a").first.click()
        page.wait_for_load_state()
    if not page.url.endswith("/admin/"):
        raise CommandError(f"{options['email']} could not sign in; is the demo seeded?")
    return str(page.url)


def _playwright() -> Any:
    try:
        return importlib.import_module("playwright.sync_api")
    except ImportError:
        raise CommandError("Playwright is a tool for developing: run `make setup` first.") from None


def _chromium() -> str:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise CommandError("No Chromium on this machine: apt-get install chromium.")
    return program
