"""Which lines of a console log come from processes that print beside each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

OF_OTHERS = (
    "{n} line{|s} of other processes that print the same {was|were} left out ({names}): the run is "
    "that of the first."
)
# As torchrun, mpirun, Ray and srun put it before each line, and as scripts and loggers do.
_LABEL = re.compile(
    r"\[(?:[Rr]ank|default)?:?\s?\d+\]|\[\d+,[^\]\s]{1,80}\]|\bpid=\d+|^\s*\d{1,6}:(?!\d)"
    r"|\b(?i:rank|gpu|cuda|device|node|host|worker|process|task|job|trial|fold|seed|run|exp)"
    r"[\s:=_-]?\d{1,9}\b"
    r"|(?<=\s-\s)\d{1,9}(?=\s-\s)|(?<=\d)\s+\d{1,9}(?=\s[^\]\s]{1,80}:\d+\])"
)
# More are no processes but numbers of lines.
MAX_RANKS = 4_096


class Ranks:
    """Tells processes that print beside each other from those that follow each other.

    Parameters
    ----------
    left_out : iterable of str
        Labels of which no line is to be taken.
    """

    def __init__(self, left_out: Iterable[str] = ()) -> None:
        self._left_out = {*left_out}
        self._names: dict[str, set[str]] = {}
        self._steps: dict[str, int] = {}
        self._strides: dict[str, tuple[int, int]] = {}  # the last two
        self._at, self._last, self._returned = 0, "", 0

    def take(
        self, before: str, step: int | None, names: Iterable[str], tally: Tally, line: int
    ) -> bool:
        """Say whether a line is to be taken; if not, that is told.

        Parameters
        ----------
        before : str
            What stands before the line's own text.
        step : int, optional
        names : iterable of str
            Its metrics.
        tally : Tally
        line : int
        """
        label = " ".join(_LABEL.findall(before)).strip()
        if label in self._left_out:
            tally.add(OF_OTHERS, line=line, name=label)
            return False
        if label and step is not None and len(self._steps) < MAX_RANKS:
            if (stride := step - self._steps.get(label, step)) > 0:
                last, before_last = self._strides.get(label, (stride, 0))
                if label != self._last and step <= self._at:
                    # One that goes on from another one's checkpoint has ended that one, and lacks
                    # the steps which that one took.
                    self._returned += 1 if stride <= max(last, before_last) else -1
                self._strides[label] = stride, last
            self._names.setdefault(label, set()).update(names)
            self._steps[label], self._at, self._last = step, step, label
        return True

    def beside(self) -> list[str]:
        """Return the processes that log what one before them logs at the same time."""
        if self._returned < 2:
            return []
        taken: set[str] = set()
        found = []
        for label in sorted(self._names, key=_numbers):
            if taken & self._names[label]:
                found.append(label)
            else:
                taken |= self._names[label]
        return found


def _numbers(label: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", label)]
