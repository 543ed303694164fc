"""A bound on what may be uploaded, held while it comes in."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

# So much of a body that is too big is still read and thrown away, so that the sender hears why;
# above it the connection is cut.
DRAINED_TIMES = 20


class BoundedUploadHandler(FileUploadHandler):
    """Stops a body that is bigger than ``UPLOAD_MAX_BYTES`` before any of it is kept.

    The view then finds no file and ``request.is_upload_too_big``.
    """

    def handle_raw_input(
        self, input_data: Any, META: dict[str, Any], content_length: int, *args: Any, **kw: Any
    ) -> None:
        self._length, self._given = content_length, 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self._length > settings.UPLOAD_MAX_BYTES:
            self._stop()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._given += len(raw_data)
        if self._given > settings.UPLOAD_MAX_BYTES:
            self._stop()
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None

    def _stop(self) -> None:
        if self.request is not None:
            self.request.is_upload_too_big = True  # type: ignore[attr-defined]
        raise StopUpload(connection_reset=self._length > settings.UPLOAD_MAX_BYTES * DRAINED_TIMES)
