"""The app behind the login: it tells what arrived, and knows nothing of passwords."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _tell(self) -> None:
        length = int(self.headers.get("content-length", 0))
        seen = {
            "verb": self.command,
            # Of the request line: the base class mends what begins with two slashes.
            "path": self.requestline.split(" ")[1],
            "headers": self.headers.items(),
            "body": self.rfile.read(length).decode("latin-1"),
        }
        raw = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.send_header("x-seen", json.dumps([self.command, self.headers.get("x-account-id")]))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _tell  # noqa: N815 - the base class names them

    def log_message(self, *_: object) -> None:
        """Silent: the suite reads what it answered."""


@contextmanager
def telling() -> Iterator[int]:
    """The port of an app that answers while the block runs."""
    app = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=app.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield app.server_port
    finally:
        app.shutdown()
        app.server_close()
        thread.join(60)
