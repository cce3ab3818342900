"""The Nth call to a socket fails, for N = 1, 2, … until none is left to fail.

Whichever it is, once or from then on: what is read is right or it is told why not, the copy that
was here before is still good, nothing stray is left, and the next try without faults succeeds.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.storage.server import StorageServer
from viz3d.errors import BucketError
from viz3d.load import open_source
from viz3d.settings import Settings

OLD, NEW = b'{"step": 1, "loss": 2.0}\n' * 300, b'{"step": 2, "loss": 1.0}\n' * 3000
NAME = "runs/a/metrics.jsonl"
CALLS = ("connect", "sendall", "recv_into")
ERRORS = (
    ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    TimeoutError("timed out"),
    OSError(errno.EHOSTUNREACH, "No route to host"),
    InterruptedError(errno.EINTR, "Interrupted system call"),
)


OURS = ("viz3d-bucket", "viz3d-download", "viz3d-listing")
"""Threads of a source; a recorder that another test left has threads too."""


class Sockets:
    """Counts the client's calls and fails the one that it is told to; the server's pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls, self.fail_at, self.for_ever = 0, 0, False
        self.error: OSError = ERRORS[0]
        self._lock = threading.Lock()
        for name in CALLS:
            monkeypatch.setattr(socket.socket, name, self._wrap(getattr(socket.socket, name)))

    def _wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if not self._ours():
                return call(*args, **kwargs)
            with self._lock:
                self.calls += 1
                due = self.fail_at and (
                    self.calls >= self.fail_at if self.for_ever else self.calls == self.fail_at
                )
            if due:
                raise self.error
            return call(*args, **kwargs)

        return counted

    def _ours(self) -> bool:
        thread = threading.current_thread()
        return thread is threading.main_thread() or thread.name.startswith(OURS)

    def arm(self, at: int, error: OSError, *, for_ever: bool) -> None:
        """Fail the call `at`, counted from now."""
        self.calls, self.fail_at, self.error, self.for_ever = 0, at, error, for_ever


@pytest.fixture
def server() -> Iterator[StorageServer]:
    with StorageServer() as running:
        yield running


def read(server: StorageServer, cache: Path, patience: float = 1.0) -> list[bytes | str]:
    """List, bring and read; what is told stands in place of what is not there."""
    settings = Settings(storage_emulator=server.url, cache_dir=str(cache), patience=patience)
    source = open_source("gs://team-runs", settings)
    try:
        files = source.files()
    except BucketError as error:
        return [error.kind]
    source.prepare(files)
    found: list[bytes | str] = []
    for file in files:
        try:
            found.append(source.fetch(file).read_bytes())
        except BucketError as error:
            found.append(error.kind)
    return found


@pytest.mark.parametrize(
    ("error", "for_ever"),
    [*((error, False) for error in ERRORS), (ERRORS[0], True)],
    ids=lambda value: value if isinstance(value, bool) else type(value).__name__,
)
def test_whichever_call_fails_nothing_wrong_is_read_and_nothing_lost(
    error: OSError, for_ever: bool, server: StorageServer, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sockets = Sockets(monkeypatch)
    at, late = 1, 0
    while at < 200 and late < 20:
        cache = tmp_path / f"{at}-{late}"
        server.put("team-runs", NAME, OLD)
        assert read(server, cache) == [OLD]
        server.put("team-runs", NAME, NEW)
        sockets.arm(at, error, for_ever=for_ever)
        found = read(server, cache, patience=0.02)
        struck = sockets.calls >= at
        sockets.arm(0, error, for_ever=False)
        assert found in ([OLD], [NEW]), f"call {at}: {found}"
        assert read(server, cache) == [NEW], f"after call {at}"
        for thread in threading.enumerate():
            if thread.name.startswith(OURS):
                thread.join(10)
        assert not list(cache.rglob("*.tmp")), f"call {at}"
        if struck:
            at += 1
        elif found == [NEW]:
            break
        else:  # a busy computer took the time before call `at` came: once more
            late += 1
    assert late < 20
    assert 5 < at < 200
