"""A server that plays Google Cloud Storage for its stock client, and fails as it is told to.

It serves the JSON API as far as reading and uploading need it, and the login service on the same
port. Everything that is asked is recorded; faults strike requests by their kind, object and page.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Lock, Thread
from time import monotonic
from typing import Any

from tests.storage.faults import (
    ANSWER,
    INSTEAD,
    REQUEST,
    WIRE,
    Answer,
    Fault,
    Request,
    answer_instead,
    distort,
    transcode,
)
from tests.storage.login import service_account_key, user_credentials_file
from tests.storage.objects import StoredObject
from tests.storage.service import Service, read_request, upload_name

__all__ = [
    "Fault",
    "Request",
    "StorageServer",
    "StoredObject",
    "service_account_key",
    "user_credentials_file",
]


class StorageServer(Service):
    """A storage service on a free port of this computer.

    Attributes
    ----------
    url : str
        Of the service, as ``api_endpoint``; ``url + "/token"`` is the login service.
    open : bool
        Whether everybody may do everything; true at first. Else a request needs a token.
    tokens : dict of str to set of str
        Token -> the buckets that it reads and writes.
    public : set of str
        Buckets that everybody may read.
    issues : str
        The token that ``/token`` hands out; `lifetime` is what it says of its seconds.
    clock_offset : float
        Seconds by which the service's clock is ahead: in ``Date``, in new objects, and where the
        times in a signed login are looked at.
    faults : list of Fault
    requests : list of Request
        What came in, in its order.

    Examples
    --------
    >>> with StorageServer() as server:
    ...     stored = server.put("bucket", "runs/a/metrics.jsonl", b"{}")
    ...     server.faults.append(Fault("status", on="list", status=429, times=3))
    """

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.stopping = Event()
        self._counting = Lock()
        self._port = 0
        self._http: _Http | None = None

    def __enter__(self) -> StorageServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        failures = self.stop()
        if failures and kind is None:
            raise failures[0]

    def start(self) -> None:
        """Listen; after `stop`, on the same port again."""
        self.stopping.clear()
        self._http = _Http(self, self._port)
        self._port = self._http.server_port
        self.url = f"http://127.0.0.1:{self._port}"
        # A short interval: it is what stopping takes.
        Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> list[BaseException]:
        """Stop listening, break every connection, and return what went wrong in the server."""
        http, self._http = self._http, None
        if http is None:
            return []
        self.stopping.set()
        http.shutdown()
        http.server_close()
        http.break_all()
        return http.failures

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections for a while, then listen on the same port again."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def clear(self) -> None:
        """Forget the faults and the requests so far; what hangs goes on hanging."""
        self.faults.clear()
        self.requests.clear()

    def fault_for(self, request: Request) -> Fault | None:
        """Return the fault that strikes a request, and count it."""
        with self._counting:
            return next((fault for fault in list(self.faults) if fault.strikes(request)), None)

    def answer_with(
        self, fault: Fault | None, request: Request, headers: dict[str, str], body: bytes
    ) -> Answer | None:
        """Return the answer with the part of a fault that is not the wire's; None for never."""
        kind = fault.kind if fault else ""
        if fault and kind in INSTEAD | REQUEST:
            fault.run_then()
        if kind == "hang":
            return None
        if fault and kind in INSTEAD:
            answer = answer_instead(fault, request, self.url)
        elif fault and kind in REQUEST:
            answer = self._misread(fault, request, headers, body)
        else:
            answer = self.answer(request, headers, body)
        if fault and kind in ANSWER:
            fault.run_then()
            answer = distort(fault, request, answer)
        return replace(answer, headers=answer.headers | dict(fault.headers)) if fault else answer

    def _misread(
        self, fault: Fault, request: Request, headers: dict[str, str], body: bytes
    ) -> Answer:
        """Answer another request than the one that was made."""
        query = request.query
        if fault.kind == "wrong_generation":
            pins = ("generation", "ifGenerationMatch")
            query = {name: value for name, value in query.items() if name not in pins}
            return self.answer(replace(request, query=query), headers, body)
        if fault.kind == "wrong_range":
            ranged = f"bytes={fault.at}-" if fault.status == 206 else ""
            return self.answer(replace(request, range=ranged), headers, body)
        headers = headers | {"Accept-Encoding": "gzip"}
        answer = self.answer(replace(request, range=""), headers, body)
        return transcode(answer, answer.body) if answer.status == 200 else answer


class _Http(ThreadingHTTPServer):
    """The listening socket, and every connection that came through it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, storage: StorageServer, port: int) -> None:
        self.storage = storage
        self.failures: list[BaseException] = []
        self._open: set[socket.socket] = set()
        self._closed = Condition()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._closed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._closed:
            self._open.discard(request)
            self._closed.notify_all()

    def break_all(self, patience: float = 5.0) -> None:
        """Break every connection and wait until its thread is done with it."""
        with self._closed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._closed.wait_for(lambda: not self._open, patience)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error and not isinstance(error, ConnectionError):  # a client may leave when it likes
            self.failures.append(error)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Say nothing: `requests` is the record."""

    def version_string(self) -> str:
        return "UploadServer"

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(
            self.server.storage.now() if timestamp is None else timestamp
        )

    def _serve(self) -> None:
        storage = self.server.storage
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the client died, and nothing was asked
            self.close_connection = True
            return
        headers = {name.title(): value for name, value in self.headers.items()}
        request = read_request(self.command, self.path, headers)
        request.name = upload_name(request, headers, body)
        storage.requests.append(request)
        fault = storage.fault_for(request)
        answer = storage.answer_with(fault, request, headers, body)
        if answer is None:
            self._wait_for_client()
            return
        if fault and fault.kind in WIRE:
            self._send_badly(fault, request, answer)
        else:
            self._send_head(request, answer)
            self.wfile.write(answer.body)

    def _send_head(self, request: Request, answer: Answer) -> None:
        request.status = answer.status
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()

    def _send_badly(self, fault: Fault, request: Request, answer: Answer) -> None:
        if fault.kind == "drop":
            fault.run_then()
            self._reset()
            return
        at = fault.cut(answer.body)
        self._send_head(request, answer)
        self.wfile.write(answer.body[:at])
        fault.run_then()
        if fault.kind == "pass":
            self.wfile.write(answer.body[at:])
        elif fault.kind == "drip":
            self._drip(answer.body[at:], fault.rate)
        elif fault.kind == "stall":
            self._wait_for_client()
        elif fault.kind == "reset":
            self._reset()
        else:
            self.close_connection = True

    def _drip(self, rest: bytes, rate: float, tick: float = 0.02) -> None:
        piece = max(int(rate * tick), 1)
        for at in range(0, len(rest), piece):
            self.wfile.write(rest[at : at + piece])
            if self.server.storage.stopping.wait(tick):
                return

    def _wait_for_client(self) -> None:
        """Stay silent until the client leaves or the server stops."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.recv(1)

    def _reset(self) -> None:
        """Break the connection with RST, once the client has what was sent."""
        self._wait_until_sent()
        # Lingering for no time at all is how a socket says RST instead of FIN. Its file has to be
        # closed as well, or the socket stays open.
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.rfile.close()
        self.connection.close()
        self.close_connection = True

    def _wait_until_sent(self, patience: float = 5.0) -> None:
        """Wait until the system has sent all: RST throws away what it has not."""
        with suppress(ImportError, OSError):
            from fcntl import ioctl
            from termios import TIOCOUTQ

            end = monotonic() + patience
            while any(ioctl(self.connection, TIOCOUTQ, bytes(4))) and monotonic() < end:
                self.server.storage.stopping.wait(0.001)
