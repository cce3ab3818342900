"""The run folder that a recorder writes: its description, its lock and its files."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from viz3d.record.about import About
from viz3d.record.append import AppendFile
from viz3d.record.failures import Failures
from viz3d.record.late import Late
from viz3d.record.layer_rows import LayerRows
from viz3d.record.lock import FolderLock
from viz3d.record.metrics import MetricRows
from viz3d.record.sync import Syncer
from viz3d.record.upload import Uploader, stop_all

EXIT_LIMIT = 5.0  # seconds that the end of the process waits for values, disks and buckets

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
    metrics : MetricRows
    layers : LayerRows
        Their files are made, with their folder, by the first row.
    """

    def __init__(self, path: Path, failures: Failures, upload: str | None = None) -> None:
        self._path = path = _absolute(path)
        self._failures = failures
        self._about = About(path)
        self._lock = FolderLock()
        self._syncer = Syncer(failures.add, self._begin_anew)
        self._late = Late(failures)
        self._is_let_go = False
        self._uploader = Uploader(path, upload, failures) if upload else None
        metrics, layers = (
            AppendFile(path / name, self._opened) for name in ("metrics.jsonl", "layers.jsonl")
        )
        self._syncer.files = (metrics, layers)
        self.metrics = MetricRows(metrics, self._late, failures)
        self.layers = LayerRows(layers, self._late, failures)
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
        """Wait for late values and bring the rows to the disk, note the end and send what is left.

        The first has half of `limit`, in seconds, and the others what is left of it.
        """
        last = time.monotonic() + limit
        if not self.stop(last):
            self._failures.add("the rows are not on the disk", f"it took over {limit:g} seconds")
        try:
            self._about.write(status)
        except Exception as error:
            self._failures.add("the end of the run was not noted", error)
        self._lock.release()
        if self._uploader:
            # A part of it is for counting what could not be sent.
            self._uploader.stop(last - time.monotonic() - limit / 10)

    def stop(self, end: float) -> bool:
        """Wait for late values and bring the rows to the disk, if it can be done by `end`."""
        self._late.finish(max(0.0, end - time.monotonic()) / 2)
        return self._syncer.stop(max(0.0, end - time.monotonic()))

    def let_go(self) -> None:
        """Let the rows be brought to the disk without waiting for it."""
        self._is_let_go = True
        self._syncer.end()
        self._lock.release()
        if self._uploader:
            self._uploader.end()

    def abandon(self) -> None:
        """Leave everything to the parent, in a forked child."""
        self._failures.reset()
        self._about.abandon()
        self._lock.release()
        self._late.abandon()
        self._syncer.abandon()
        if self._uploader:
            self._uploader.abandon()

    def _opened(self) -> None:
        self._syncer.start()
        if self._uploader:
            self._uploader.start()
        if self._is_let_go:  # for a late value of a recorder that is gone
            self._syncer.end()
            if self._uploader:
                self._uploader.end()

    def _begin_anew(self) -> None:
        """Go on after somebody removed the record."""
        if self._uploader:
            self._uploader.begin_anew()
        self._failures.add("the record was removed", "its rows until now are gone; it begins anew")
        with suppress(OSError):  # its rows fail as well then, and are counted
            self._about.write("running")
        self._lock.acquire(self._path)


def _absolute(path: Path) -> Path:
    """Return where `path` is now: a training script may change its working folder."""
    try:
        return path.absolute()
    except OSError:  # the working folder is gone
        return path


def _forked() -> None:
    for folder in list(_all):
        folder.abandon()


@atexit.register
def _at_exit() -> None:
    """Bring to the disk, and send, what a loop that never said `close` has recorded."""
    end = time.monotonic() + EXIT_LIMIT
    for folder in list(_all):
        folder.stop(end)
    stop_all(end)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
