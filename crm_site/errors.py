"""Errors that cross layers."""

NOT_FOUND = "not_found"


class DomainError(Exception):
    """A rule of the business was broken; the message is safe to show to a person.

    The API answers 409 with ``code``, or 404 (400 with a ``path``) for ``NOT_FOUND``; the admin
    shows the message. ``path`` names the field at fault, where there is one.
    """

    code = "conflict"

    def __init__(self, message: str, *, path: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.code = code or self.code
        # Where several things stand in the way: each of them, this one first.
        self.reasons: tuple[DomainError, ...] = ()
