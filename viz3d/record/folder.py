"""The run folder that a recorder writes: its description, its lock and its files."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.record.about import About
from viz3d.record.append import AppendFile
from viz3d.record.failures import Failures
from viz3d.record.lock import FolderLock
from viz3d.record.sync import Syncer

if TYPE_CHECKING:
    from viz3d.record.upload import Uploader

_all: weakref.WeakSet[RunFolder] = weakref.WeakSet()


class RunFolder:
    """Whatever goes wrong here is counted in `failures`; `begin` and `end` may take a disk's time.

    Parameters
    ----------
    path : Path
    failures : Failures
    upload : str, optional
        Where in a bucket to send it, as it grows.

    Attributes
    ----------
    metrics, layers : AppendFile
        Opened, with their folder, by the first row.
    """

    def __init__(self, path: Path, failures: Failures, upload: str | None = None) -> None:
        self._path = path
        self._failures = failures
        self._about = About(path)
        self._lock = FolderLock()
        self._syncer = Syncer(failures.add, self._begin_anew)
        self._uploader = _uploader(path, upload, failures) if upload else None
        self.metrics = AppendFile(path / "metrics.jsonl", self._opened)
        self.layers = AppendFile(path / "layers.jsonl", self._opened)
        self._syncer.files = (self.metrics, self.layers)
        _all.add(self)

    def begin(self, config: Mapping[str, Any] | None, tags: Iterable[str]) -> None:
        """Write ``run.json`` and tell if another recorder is at work here."""
        try:
            self._about.begin(config, tags)
        except Exception as error:  # training goes on without a description
            self._failures.add(f"{self._path.name}/run.json could not be written", error)
        if not self._lock.acquire(self._path):
            self._failures.add(
                "another recorder writes into this folder", "the rows of both stand side by side"
            )
        if self._uploader:
            self._uploader.start()

    def wait_ready(self, limit: float) -> None:
        """Wait at most `limit` seconds for what would slow down the first rows."""
        if self._uploader:
            self._uploader.wait_loaded(limit)

    def end(self, status: str, limit: float) -> None:
        """Bring the rows to the disk and note the end; send them in what is left of `limit`."""
        last = time.monotonic() + limit
        self._syncer.stop(limit)
        try:
            self._about.write(status)
        except Exception as error:
            self._failures.add("the end of the run was not noted", error)
        self._lock.release()
        if self._uploader:
            # A part of it is for counting what could not be sent.
            self._uploader.stop(last - time.monotonic() - limit / 10)

    def let_go(self) -> None:
        """Let the rows be brought to the disk without waiting for it."""
        self._syncer.end()
        self._lock.release()
        if self._uploader:
            self._uploader.end()

    def abandon(self) -> None:
        """Leave everything to the parent, in a forked child."""
        self._failures.reset()
        self._about.abandon()
        self._lock.release()
        self._syncer.abandon()
        if self._uploader:
            self._uploader.abandon()

    def _opened(self) -> None:
        self._syncer.start()
        if self._uploader:
            self._uploader.start()

    def _begin_anew(self) -> None:
        """Go on after somebody removed the record."""
        if self._uploader:
            self._uploader.begin_anew()
        self._failures.add("the record was removed", "its rows until now are gone; it begins anew")
        with suppress(OSError):  # its rows fail as well then, and are counted
            self._about.write("running")
        self._lock.acquire(self._path)


def _uploader(path: Path, upload: str, failures: Failures) -> Uploader:
    from viz3d.record.upload import Uploader

    return Uploader(path, upload, failures)


def _forked() -> None:
    for folder in list(_all):
        folder.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
