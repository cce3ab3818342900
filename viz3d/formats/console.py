"""What readers of console logs have in common: the names of the files, and a line for a step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from viz3d.errors import NotMine
from viz3d.formats import text
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.console_lines import BEHIND, LEVEL, begin, step_of, tell_unread
from viz3d.formats.console_ranks import Ranks
from viz3d.formats.console_runs import Pairs, PrintedRuns
from viz3d.formats.names import is_document, suffix
from viz3d.formats.patterns import any_case
from viz3d.formats.printed_numbers import Numbers, solid
from viz3d.formats.tally import Tally

LOG_KIND = "console log"
LOG_NAMES = tuple(any_case(name) for name in ("*.log", "*.out", "*.txt"))
# A line that reports a step is short; anything longer is a dump that would only cost time.
MAX_LINE = 8_192


def claim_log(path: str) -> Claim | None:
    """Claim ``.log``, ``.out`` and ``.txt`` files."""
    wanted = suffix(path) in (".log", ".out", ".txt") and not is_document(path)
    return Claim(path) if wanted else None


def read_alike(
    files: Mapping[str, Path], read: Callable[[str, Path, Numbers, Ranks], list[Parsed]]
) -> list[Parsed]:
    """Read a file, once more without thousands where a comma of it parts none.

    Beside ``4,2134`` a number ``4,213`` is most likely not 4213. Where several processes print the
    same beside each other, it is read once more for the first of them.

    Parameters
    ----------
    files : mapping of {path in the source: local path}
        One.
    read : callable
        Is given both, what reads its numbers, and what knows its processes.

    Raises
    ------
    NotMine
    """
    ((name, path),) = files.items()
    text.check(path)
    parsed = read(name, path, numbers := Numbers(), ranks := Ranks())
    unclear, beside = numbers.parted and numbers.odd, ranks.beside()
    if unclear or beside:
        parsed.clear()  # for the room of what comes instead
        return read(name, path, Numbers(thousands=not unclear), Ranks(beside))
    return parsed


_EVALUATION = ("val", "eval", "test")
_EVALUATES = re.compile(rf"(?<![^\W_])(?:{'|'.join(_EVALUATION)})", re.IGNORECASE)
_LEVEL = re.compile(LEVEL)


def _of_evaluation(before: str, pairs: Pairs) -> bool:
    """Say whether the logger of an evaluation tells of metrics that are called so."""
    called = any(name.startswith(_EVALUATION) for name, _ in pairs)
    return bool(called and _EVALUATES.search(before) and _LEVEL.search(before))


class Line(NamedTuple):
    """One that tells of a step; without `pairs` it is another one."""

    at: int
    raw: bytes
    before: str
    own: bool  # as of `begin`
    step: str
    pairs: Pairs
    unread: list[str]


@dataclass(frozen=True)
class Lines:
    """What the lines of a log are like of which each says all it has to say.

    Attributes
    ----------
    begins : re.Pattern
        How a line begins that tells of a step, which is its first group.
    parse : callable
        Returns the metrics that stand behind that, none where it is another line, and what of it
        was not read.
    declined : str
        The reason where no line is of that kind.
    marks : sequence of bytes
        Of which each such line holds one, in lower case; the others are passed over quickly.
    longest : int
        Bytes of a line.
    mfu_may_lack : bool
        As for `PrintedRuns`.
    """

    begins: re.Pattern[str]
    parse: Callable[[str, Numbers], tuple[Pairs, list[str]]]
    declined: str
    marks: Sequence[bytes]
    longest: int = MAX_LINE
    mfu_may_lack: bool = False

    def of(self, path: Path, tally: Tally, number: Numbers) -> Iterator[Line]:
        """Yield the lines that begin so, at their beginning or later."""
        for at, raw in text.lines(path, tally):
            low = raw.lower()
            if len(raw) > self.longest or not any(mark in low for mark in self.marks):
                continue
            line = text.printed(raw)
            match, own = begin(self.begins, line)
            if match:
                pairs, unread = self.parse(solid(line[match.end() :]), number)
                yield Line(at, raw, line[: match.start()], own, match[1], pairs, unread)


def read_log(
    files: Mapping[str, Path], lines: Lines, words: Callable[[str], Pairs | None] = lambda _: None
) -> list[Parsed]:
    """Read one log of which each line says all it has to say.

    Parameters
    ----------
    files : mapping of {path in the source: local path}
        One.
    lines : Lines
    words : callable
        Returns the metrics in what stands before a line's own text; None where the line is to be
        left out for it.

    Raises
    ------
    NotMine
    """

    def read(name: str, path: Path, number: Numbers, ranks: Ranks) -> list[Parsed]:
        runs, tally = PrintedRuns(name, mfu_may_lack=lines.mfu_may_lack), Tally(name)
        behind = False
        for at, raw, before, own, printed, pairs, unread in lines.of(path, tally, number):
            is_own = own or not pairs or _of_evaluation(before, pairs)
            more = () if is_own else words(before)
            if more is None:
                behind = True
                tally.add(BEHIND, line=at, found=raw)
                continue
            tell_unread(unread, tally, at)
            step = step_of(printed, number, tally, at) if pairs else None
            names = [name for name, _ in pairs]
            if step is not None and ranks.take(before, step, names, tally, at):
                runs.came_from(at, raw)
                runs.add(step, [*more, *pairs], at)
        if not runs.kinds:
            raise NotMine(lines.declined + (" but behind other words" if behind else ""))
        return runs.parsed(path, tally)

    return read_alike(files, read)
