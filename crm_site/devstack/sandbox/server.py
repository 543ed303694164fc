"""Serving the sandbox over HTTP/1.1, a thread per connection."""

import json
import logging
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from crm_site.devstack.sandbox.app import App
from crm_site.devstack.sandbox.wire import Request, Response

BODY_LIMIT = 16 * 1024 * 1024
logger = logging.getLogger(__name__)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # One packet per answer: two would wait for each other's acknowledgement.
    timeout = 300  # Seconds that an idle connection is kept.
    server: "Server"

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_LIMIT:
            self.close_connection = True
            return self._write(Response(413, {"status": 413, "detail": "The body is too large."}))
        request = Request(self.command, self.path, self.headers, self.rfile.read(length))
        try:
            response = self.server.app.answer(request)
        except Exception:  # One request must not end the server.
            logger.exception("%s %s failed", self.command, self.path)
            response = Response(500, {"status": 500, "detail": "Something broke."})
        if response.drop:
            return self._drop(response.drop)
        return self._write(response)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _write(self, response: Response) -> None:
        is_page = isinstance(response.body, str)
        body = response.body if is_page else json.dumps(response.body)
        content = b"" if response.status == 204 else body.encode()
        self.send_response(response.status)
        self.send_header(
            "Content-Type", "text/html; charset=utf-8" if is_page else "application/json"
        )
        self.send_header("Content-Length", str(len(content)))
        if is_page:
            self.send_header(
                "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; "
                "form-action 'self'; frame-ancestors 'none'",
            )
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _drop(self, way: str) -> None:
        """End the connection without an answer, after a silence or with a reset."""
        self.close_connection = True
        if way == "silence":
            time.sleep(self.server.app.api.faults.silence_seconds)
        # Lingering for no time makes the kernel send a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are kept as attempts; the terminal stays quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], app: App) -> None:
        super().__init__(address, Handler)
        self.app = app

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            super().finish_request(request, client_address)
        finally:
            self.app.store.close()

    def shutdown_request(self, request: Any) -> None:
        # Without shutdown(): that would end the connection in good order, before any reset.
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("A connection broke", exc_info=True)
