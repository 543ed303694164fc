"""Giving a stored file to whoever may have it; that is for the caller to know."""

import tempfile
from typing import IO

from django.http import FileResponse

from crm_site.files.models import StoredFile
from crm_site.files.services import read_file

IN_MEMORY = 5 * 1024 * 1024  # What is bigger goes through a temporary file.


def attachment(stored: StoredFile) -> FileResponse:
    """The file as an answer, to keep and not to show.

    It is read whole before it leaves: what is sent afterwards has no transaction and no tenant.
    """
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - given away
    for piece in read_file(stored):
        file.write(piece)
    file.seek(0)
    answer = FileResponse(
        file, as_attachment=True, filename=stored.name, content_type=stored.content_type
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer
