"""Files of a service that are brought several at once, each by one thread, failing by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from weakref import WeakValueDictionary

from viz3d.errors import ServiceError
from viz3d.run import FileInfo
from viz3d.sources.crew import all_at_once
from viz3d.sources.progress import Meter, Watch

# Faults that the next file will meet as well, and how many in a row are believed.
OF_ALL = frozenset(
    {
        "unreachable",
        "service_down",
        "too_many_requests",
        "stalled",
        "dropped",
        "token_service",
        "expired_login",
        "refused_login",
        "clock",
        "certificate",
        "portal",
        "disk_full",
        "cache_unwritable",
    }
)
MOST_IN_A_ROW = 3


class Batches:
    """Brings batches of files, and keeps what went wrong for whoever asks for the file next.

    Parameters
    ----------
    bring : callable
        Brings one file, or raises a `ServiceError`.
    """

    def __init__(self, bring: Callable[[FileInfo, Meter], object]) -> None:
        self._bring = bring
        self._failed: dict[tuple[str, str], ServiceError] = {}

    def forget(self, files: Iterable[FileInfo]) -> None:
        """Forget what went wrong with files that are asked for anew."""
        for file in files:
            self._failed.pop((file.path, file.generation), None)

    def bring(self, files: Sequence[FileInfo], meter: Meter, watch: Watch | None) -> None:
        """Bring files, several at once; never raises for one of them."""
        fuse = Fuse()
        all_at_once([partial(self._try, file, meter, fuse) for file in files], meter, watch)

    def raise_for(self, file: FileInfo) -> None:
        """Raise what went wrong with a file in its batch, once, so that nobody is asked twice.

        Raises
        ------
        ServiceError
        """
        failed = self._failed.pop((file.path, file.generation), None)
        if failed is not None:
            raise failed

    def _try(self, file: FileInfo, meter: Meter, fuse: Fuse) -> None:
        try:
            if fuse.blown is not None:
                raise fuse.blown
            self._bring(file, meter)
            fuse.reset()
        except ServiceError as error:
            if error.kind != "cancelled":
                fuse.note(error)
                self._failed[file.path, file.generation] = error
        finally:
            meter.done()


class Fuse:
    """Ends a batch when the service and not a file is what fails: each would wait for it alone.

    Attributes
    ----------
    blown : ServiceError or None
        What the remaining files are told.
    """

    def __init__(self) -> None:
        self._in_a_row = 0
        self.blown: ServiceError | None = None

    def reset(self) -> None:
        """Note a file that came."""
        self._in_a_row = 0

    def note(self, error: ServiceError) -> None:
        """Note one that did not."""
        if error.kind in OF_ALL:
            self._in_a_row += 1
            if self._in_a_row >= MOST_IN_A_ROW:
                self.blown = error


_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
_locks_lock = threading.Lock()


@contextmanager
def alone(key: str) -> Iterator[None]:
    """Let one thread of the process at a time work on `key`."""
    with _locks_lock:
        lock = _locks.setdefault(key, threading.Lock())
    with lock:
        yield
