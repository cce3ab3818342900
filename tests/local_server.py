"""Small HTTP servers on free ports of this computer, for the time of a ``with``."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class LocalServer(ThreadingHTTPServer):
    """Listens from the beginning, answers within ``with``.

    Parameters
    ----------
    handler : type of LocalHandler

    Attributes
    ----------
    url : str
    ended : threading.Event
        Set at the end, so that an answer which never comes holds up nobody.
    """

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.ended = threading.Event()
        # A short interval: it is what stopping takes.
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that goes away is nothing to print."""


class LocalHandler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def body(self) -> bytes:
        """Return what came with the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(
        self, status: int, text: str, headers: Mapping[str, str] | None = None, more: int = 0
    ) -> None:
        """Answer with JSON; `more` bytes are promised beyond those that come."""
        data = text.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data) + more))
        self.end_headers()
        self.wfile.write(data)


class Elsewhere(LocalServer):
    """Another host, to which `url` leads; answers everything with nothing.

    Attributes
    ----------
    came : list of dict
        Headers of the requests. What came to another path is none: a helper of another test may
        ask what was at this port before.
    """

    PATH = "/elsewhere"

    def __init__(self) -> None:
        super().__init__(_Elsewhere)
        self.url += self.PATH
        self.came: list[dict[str, str]] = []


class _Elsewhere(LocalHandler):
    server: Elsewhere

    def do_POST(self) -> None:
        """Take what comes."""
        self.body()
        if self.path.startswith(self.server.PATH):
            self.server.came.append(dict(self.headers))
        self.send(200, '{"data": {"viewer": {"username": "somebody"}, "project": null}}')

    do_GET = do_PUT = do_POST  # noqa: N815
