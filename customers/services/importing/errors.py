"""Why a file as a whole cannot be imported."""

from crm_site.errors import DomainError


class ImportFileError(DomainError):
    """The file as a whole cannot be imported."""

    code = "unreadable_file"
