"""Who works at the demo clubs. The one place that knows their sign-in."""

from dataclasses import dataclass

from crm_site.access.roles import Role

# Not a secret: these people exist only where `seed_demo` was run, and it says so on the screen.
DEMO_PASSWORD = "kingfisher-demo"  # noqa: S105


@dataclass(frozen=True)
class StaffMember:
    email: str
    first_name: str
    last_name: str
    role: Role


OWNER = StaffMember("demo@example.com", "Nomusa", "Mkhize", Role.OWNER)
MANAGER = StaffMember("manager@example.com", "Grant", "Pearson", Role.MANAGER)
MARKETER = StaffMember("marketer@example.com", "Priya", "Naidoo", Role.MARKETER)
FRONT_DESK = StaffMember("frontdesk@example.com", "Hennie", "Botha", Role.STAFF)
DEMO_EMAIL = OWNER.email
