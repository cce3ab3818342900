"""Counts what is odd in a file, so that a million bad rows become one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from viz3d.formats import limits, remedies
from viz3d.formats.numbers import clean_name, printable
from viz3d.run import Problem

SHOWN_NAMES = 5
SHOWN_CHARS = 80  # of what was found
_PLURAL = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


@dataclass
class _Entry:
    count: int = 0
    line: int | None = None
    remedy: str = ""
    found: bytes = b""
    names: dict[str, None] = field(default_factory=dict)


class Tally:
    """Collects oddities of one file by kind.

    Parameters
    ----------
    file : str
        The file's path in the source.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._entries: dict[str, _Entry] = {}
        self._taken: list[Problem] = []

    def add(
        self, what: str, *, line: int | None = None, count: int = 1, name: str = "",
        remedy: str = "", found: bytes = b"",
    ) -> None:  # fmt: skip
        """Count one oddity.

        Parameters
        ----------
        what : str
            One sentence, the same for every oddity of a kind. ``{n}`` becomes the count,
            ``{names}`` the names concerned, ``{limit:NAME}`` a cap of `viz3d.formats.limits`,
            and of ``{one|many}`` the one that fits the count.
        line : int, optional
            Where; of several the first in the file is told.
        count : int
        name : str
            A metric or key concerned.
        remedy : str
        found : bytes
            What stands there; the beginning of the first is told.
        """
        entry = self._entries.setdefault(what, _Entry(line=line, remedy=remedy))
        entry.count += count
        if line is not None and entry.line is not None and line <= entry.line:
            entry.line, entry.found = line, found[: 4 * SHOWN_CHARS]
        if name:
            entry.names[name] = None

    def take(self, other: Tally) -> None:
        """Add what was counted of another file."""
        self._taken.extend(other.problems())

    def merge(self, other: Tally) -> None:
        """Count what was counted of another part of the same file."""
        for what, entry in other._entries.items():
            self.add(
                what, line=entry.line, count=entry.count, remedy=entry.remedy, found=entry.found
            )
            self._entries[what].names.update(entry.names)

    def counted(self) -> list[tuple[str, int, list[str]]]:
        """Return what was counted, in the order in which it was first met: for `recount`."""
        return [(what, entry.count, list(entry.names)) for what, entry in self._entries.items()]

    def recount(self, what: str, count: int, names: Sequence[str]) -> None:
        """Add what another tally `counted` earlier."""
        self.add(what, count=count)
        self._entries[what].names.update(dict.fromkeys(names))

    def problems(self) -> tuple[Problem, ...]:
        """Return one `Problem` per kind, in the order in which they were first met."""
        own = (self._problem(what, entry) for what, entry in self._entries.items())
        return (*self._taken, *own)

    def _problem(self, what: str, entry: _Entry) -> Problem:
        # Before names are filled in, which may read like anything.
        fact, known = remedies.parted(what)
        remedy = entry.remedy or limits.remedy(what) or known
        return Problem(_sentence(fact, entry), remedy, self.file, entry.line)


def _sentence(what: str, entry: _Entry) -> str:
    names = list(entry.names)
    shown = ", ".join(map(clean_name, names[:SHOWN_NAMES]))
    if len(names) > SHOWN_NAMES:
        shown += f" and {len(names) - SHOWN_NAMES:,} more"
    one = entry.count == 1
    sentence = _PLURAL.sub(lambda match: match[1 if one else 2], limits.filled(what))
    told = sentence.replace("{n}", f"{entry.count:,}").replace("{names}", shown)
    if entry.found:
        told = f"{told[:-1]}{': ' if one else '; the first is '}{_quoted(entry.found)}."
    return printable(told)


def _quoted(found: bytes) -> str:
    """Return the beginning of what was found, with escapes for what cannot be shown."""
    text = found.decode("utf-8", errors="backslashreplace").strip()
    return repr(text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…")
