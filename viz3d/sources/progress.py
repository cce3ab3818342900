"""How far a transfer has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """A moment of a transfer of several files.

    Attributes
    ----------
    files_done, files : int
    bytes_done, bytes_total : int
        Of what has to be transferred; files that were here already count in neither.
    rate : float
        Bytes per second over the last seconds; 0 while nothing moves.
    unit : str
        ``"rows"`` where rows are counted instead of bytes, because nobody knows their size before.
    """

    files_done: int
    files: int
    bytes_done: int
    bytes_total: int
    rate: float
    unit: str = "bytes"

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(self.bytes_done / self.bytes_total, 1.0) if self.bytes_total else 1.0

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take at this rate; None while nothing moves."""
        return (self.bytes_total - self.bytes_done) / self.rate if self.rate > 0 else None


Watch = Callable[[Progress], None]
