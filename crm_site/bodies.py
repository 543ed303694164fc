"""A request's body, measured before Django sees it and read to its end before the answer goes."""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

CODING = "HTTP_TRANSFER_ENCODING"
PIECE = 64 * 1024
# Beyond this the connection is closed on the sender in the middle of what it says.
MOST_DISCARDED = 64 * 1024 * 1024


class WholeBodies:
    """WSGI middleware around Django.

    Django reads as many bytes as ``Content-Length`` says, and none of a chunked body; here such a
    body gets its length. And a sender who is answered before it was read to its end, as with 413,
    would lose the answer with the connection: many clients read it only after they have sent all.
    """

    def __init__(self, application: Application, *, most: int) -> None:
        """``most`` bytes are kept of a chunked body, and one more, which tells it is too long."""
        self.application, self.most = application, most

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        arriving = environ["wsgi.input"]
        is_chunked = "chunked" in str(environ.get(CODING, "")).lower()
        if is_chunked and environ.get("wsgi.input_terminated"):
            body = arriving.read(self.most + 1)
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        answer = self.application(environ, start_response)
        if environ.get("wsgi.input_terminated"):
            _discard(arriving)
        return answer


def _discard(arriving: Any) -> None:
    left = MOST_DISCARDED
    while left > 0 and (piece := arriving.read(PIECE)):
        left -= len(piece)
