"""A thread that sends a run to a bucket while it is recorded."""

from __future__ import annotations

import shlex
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.record.failures import Failures
from viz3d.record.limit import start

if TYPE_CHECKING:
    from viz3d.sources.sending import Sending

# Seconds from one round to the next: at first, and of a run that has lasted for hours. A run is
# to be seen while it is young, and not to end as ten thousand objects.
SOON, LATER = 10.0, 60.0
# How many rounds a run has had, at least, when it gets its next one.
ROUNDS = 60
# Seconds until the next try, at most: where it may pass, and where somebody has to do something.
PASSING, STAYING = 60.0, 300.0

_all: weakref.WeakSet[Uploader] = weakref.WeakSet()


class Uploader:
    """Sends what stands in a run folder, and remembers no row.

    Whatever goes wrong is told once and tried again. An outage counts as one failure.

    Parameters
    ----------
    folder : Path
    address : str
        ``gs://BUCKET/FOLDER``; the run's name is added.
    failures : Failures
    """

    def __init__(self, folder: Path, address: str, failures: Failures) -> None:
        self._folder, self._failures = folder, failures
        self._address = address.rstrip("/") if isinstance(address, str) else str(address)
        self._sending: Sending | None = None
        self._thread: threading.Thread | None = None
        self._end = threading.Event()
        self._loaded = threading.Event()
        self._turn = threading.Lock()  # a thread that hangs at the end may meet its successor
        self._failing = self._forked = self._is_refused = False
        self._told: set[str] = set()
        _all.add(self)

    def start(self) -> None:
        """Begin to send; nothing happens if it has begun."""
        if self._forked or (self._thread is not None and not self._end.is_set()):
            return
        self._end = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._end,), name="viz3d-upload", daemon=True
        )
        try:
            start(self._thread)
        except RuntimeError as error:  # the interpreter ends, or there are no threads left
            self._thread = None
            self._fail("threads", f"nothing is sent to {self._address} ({error})")

    def wait_loaded(self, limit: float) -> None:
        """Wait until Google's client is loaded: meanwhile rows take long on a busy computer."""
        if self._thread is not None:
            self._loaded.wait(limit)

    def end(self) -> None:
        """Let the thread send what there is and end, without waiting for it."""
        self._end.set()

    def stop(self, limit: float) -> None:
        """Send what there is within `limit` seconds, and tell what is left."""
        self.end()
        # Forgotten, so that the end of the process does not wait for it once more.
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.join(max(limit, 0.0))
        unsent = self._sending.unsent() if self._sending else 0
        if unsent or self._failing or thread.is_alive():
            what = "the end of the run is" if self._sending else "the run is"
            if unsent:
                what = f"{unsent} rows are" if unsent > 1 else "1 row is"
            # An address that is none may hold a password.
            where, to = self._address, self._address
            if self._is_refused:
                where, to = "a bucket", "gs://BUCKET/FOLDER"
            command = shlex.join(["python", "-m", "viz3d", "upload", str(self._folder), to])
            self._failures.tell(
                f"{what} not known to be in {where}; all is in the run folder, and "
                f"`{command}` sends it"
            )

    def begin_anew(self) -> None:
        """Look what the bucket has of the record, which somebody removed."""
        self._sending = None

    def abandon(self) -> None:
        """Send no more, in a forked child: it is its parent's."""
        self._forked, self._thread = True, None

    def _run(self, end: threading.Event) -> None:
        with suppress(Exception):  # the first round tells of it
            from viz3d.sources.gcs import load

            load()
        self._loaded.set()
        began, pause = time.monotonic(), 0.0
        while not end.wait(pause):
            with self._turn:
                longest = self._round()
            usual = min(max(SOON, (time.monotonic() - began) / ROUNDS), LATER)
            pause = min(max(2 * pause, usual), longest) if longest else usual
        with self._turn:
            self._round()

    def _round(self) -> float:
        """Send what is new; where that fails, return the longest pause before another try."""
        from viz3d.errors import BucketError, Viz3dError
        from viz3d.sources.faults import PASSING as MAY_PASS

        try:
            sending = self._sending = self._sending or self._open()
            sending.send()
        except BucketError as error:
            if error.kind in MAY_PASS:
                self._fail(error.kind, f"{error.what} The rows are kept and sent once it answers.")
                return PASSING
            self._is_refused = error.kind == "bad_name"
            self._fail(error.kind, f"{error} The rows are kept and sent once that is done.")
        except Viz3dError as error:
            self._fail("settings", str(error))
        except ImportError as error:
            self._fail("import", f"{error.name} is missing: pip install google-cloud-storage")
        except Exception as error:  # whatever it is, training goes on
            self._fail(type(error).__name__, f"{type(error).__name__}: {error!s:.200}")
        else:
            self._failing = False
            if sending.foreign and "foreign" not in self._told:
                self._told.add("foreign")
                self._failures.tell(
                    f"{self._address} already held parts of another record of this name; "
                    "the rows of this one are added behind them"
                )
            return 0.0
        return STAYING

    def _open(self) -> Sending:
        from viz3d.settings import load_settings
        from viz3d.sources.sending import open_sending

        return open_sending(self._folder, self._address, load_settings())

    def _fail(self, kind: str, what: str) -> None:
        """Count an outage once, and tell each kind of it once."""
        if not self._failing:
            self._failures.count_one()
        self._failing = True
        if kind not in self._told:
            self._told.add(kind)
            self._failures.tell(f"not sent to the bucket: {what}")


def stop_all(end: float) -> None:
    """Stop what nobody has stopped, until `end`, of ``time.monotonic()``."""
    for uploader in list(_all):
        uploader.stop(end - time.monotonic())
