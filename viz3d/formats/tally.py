"""Counts what is odd in a file, so that a million bad rows become one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from viz3d.formats.numbers import clean_name, printable
from viz3d.run import Problem

SHOWN_NAMES = 5
_PLURAL = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


@dataclass
class _Entry:
    count: int = 0
    line: int | None = None
    remedy: str = ""
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
        remedy: str = "",
    ) -> None:  # fmt: skip
        """Count one oddity.

        Parameters
        ----------
        what : str
            One sentence, the same for every oddity of a kind. ``{n}`` becomes the count,
            ``{names}`` the names concerned, and of ``{one|many}`` the one that fits the count.
        line : int, optional
            Where; the first one is told.
        count : int
        name : str
            A metric or key concerned.
        remedy : str
        """
        entry = self._entries.setdefault(what, _Entry(line=line, remedy=remedy))
        entry.count += count
        if name:
            entry.names[name] = None

    def take(self, other: Tally) -> None:
        """Add what was counted of another file."""
        self._taken.extend(other.problems())

    def problems(self) -> tuple[Problem, ...]:
        """Return one `Problem` per kind, in the order in which they were first met."""
        own = tuple(
            Problem(_sentence(what, entry), entry.remedy, self.file, entry.line)
            for what, entry in self._entries.items()
        )
        return (*self._taken, *own)


def _sentence(what: str, entry: _Entry) -> str:
    names = list(entry.names)
    shown = ", ".join(map(clean_name, names[:SHOWN_NAMES]))
    if len(names) > SHOWN_NAMES:
        shown += f" and {len(names) - SHOWN_NAMES:,} more"
    one = entry.count == 1
    sentence = _PLURAL.sub(lambda match: match[1 if one else 2], what)
    return printable(sentence.replace("{n}", f"{entry.count:,}").replace("{names}", shown))
