"""How many numbers a run may still hold, whichever of its files they stand in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from viz3d.errors import NotMine
from viz3d.formats import limits

OVER = "it holds more than {limit:NUMBERS} numbers"
OVER_TOGETHER = "with what was read before it, the run holds more than {limit:NUMBERS} numbers"
NO_ROOM = "The last {n} row{|s} {was|were} left out: the run has more than {limit:NUMBERS} numbers."

_held: ContextVar[int] = ContextVar("held", default=0)


@contextmanager
def beside(numbers: int) -> Iterator[None]:
    """Let what is read inside have the room that so many numbers leave."""
    before = _held.set(numbers)
    try:
        yield
    finally:
        _held.reset(before)


class Room:
    """The room for what is read together. It is taken from the front: once it lacks, it is gone."""

    def __init__(self) -> None:
        self._left, self._used, self.gone = limits.NUMBERS - _held.get(), False, False

    def take(self, numbers: int) -> bool:
        """Take room, and say whether there was enough.

        Raises
        ------
        NotMine
            If there was not enough for the first who asked.
        """
        self.gone |= numbers > self._left
        if self.gone:
            if not self._used:
                raise NotMine(over())
            return False
        self._left -= numbers
        self._used = True
        return True


def over() -> str:
    """Return the reason to decline a file for which there is no room."""
    return limits.reason(OVER_TOGETHER if _held.get() else OVER)
