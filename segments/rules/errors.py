"""What is wrong with a rule, and where."""

from crm_site.errors import DomainError


class RuleError(DomainError):
    """A rule was refused. ``path`` names the fault: ``rules[2].rules[0].operator``."""

    code = "invalid"

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message, path=path)

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
