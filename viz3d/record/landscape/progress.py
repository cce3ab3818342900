"""A progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time

from viz3d.durations import duration_text

BAR = 20


class Progress:
    """Tells how many points are measured and how long the rest will take.

    Parameters
    ----------
    name : str
    total : int
        Points to measure.
    shown : bool or None
        None shows it where standard error is a terminal.
    """

    def __init__(self, name: str, total: int, shown: bool | None = None) -> None:
        self._name, self._total = name, total
        self._shown = sys.stderr.isatty() if shown is None else shown
        self._done = self._measured = 0
        self._begun = time.monotonic()

    def add(self, points: int, *, measured: bool = True) -> None:
        """Count `points` more; those that were on the disk already took no time."""
        self._done += points
        self._measured += points if measured else 0
        if self._shown:
            end = "\n" if self._done >= self._total else ""
            print("\r" + self._line(), end=end, file=sys.stderr, flush=True)

    def _line(self) -> str:
        share = self._done / self._total
        bar = "#" * round(BAR * share)
        left = ""
        if self._measured and self._done < self._total:
            each = (time.monotonic() - self._begun) / self._measured
            left = f"  {duration_text(each * (self._total - self._done))} left"
        line = f"{self._name}  [{bar:-<{BAR}}] {self._done:,} of {self._total:,} points{left}"
        return f"{line:<79}"
