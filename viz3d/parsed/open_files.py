"""Files that stay open as long as others are not used more."""

from __future__ import annotations

from threading import Lock
from typing import Protocol
from weakref import ReferenceType, ref

# Of those that stay open: a process may have a thousand.
MOST = 100


class HoldsFile(Protocol):
    """What holds a file that it can open again."""

    @property
    def is_open(self) -> bool:
        """Whether it does now."""

    def close(self) -> None:
        """Let go of it."""


_open: list[ReferenceType[HoldsFile]] = []
_lock = Lock()


def note_use(latest: HoldsFile) -> None:
    """Note what was used last, and close the files of what was not for longest."""
    with _lock:
        others = [known for known in _open if known() not in (None, latest)]
        _open[:] = [*others, ref(latest)] if latest.is_open else others
        closing = [known() for known in _open[:-MOST]]
        del _open[:-MOST]
    for known in closing:
        if known is not None:
            known.close()
