"""What readers of console logs have in common: the names of the files, and a line for a step."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats import text
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.console_lines import BEHIND, begin, step_of, tell_unread
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
    files: Mapping[str, Path], read: Callable[[str, Path, Numbers], list[Parsed]]
) -> list[Parsed]:
    """Read a file, once more without thousands where a comma of it parts none.

    Beside ``4,2134`` a number ``4,213`` is most likely not 4213.

    Parameters
    ----------
    files : mapping of {path in the source: local path}
        One.
    read : callable
        Is given both, and what reads its numbers.

    Raises
    ------
    NotMine
    """
    ((name, path),) = files.items()
    text.check(path)
    parsed = read(name, path, numbers := Numbers())
    if numbers.parted and numbers.odd:
        parsed.clear()  # for the room of what comes instead
        return read(name, path, Numbers(thousands=False))
    return parsed


def read_log(
    files: Mapping[str, Path],
    begins: re.Pattern[str],
    parse: Callable[[str, Numbers], tuple[Pairs, list[str]]],
    declined: str,
    *,
    marks: Sequence[bytes],
    longest: int = MAX_LINE,
    mfu_may_lack: bool = False,
) -> list[Parsed]:
    """Read one log of which each line says all it has to say.

    Parameters
    ----------
    files : mapping of {path in the source: local path}
        One.
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

    Raises
    ------
    NotMine
    """

    def read(name: str, path: Path, number: Numbers) -> list[Parsed]:
        runs, tally = PrintedRuns(name, mfu_may_lack=mfu_may_lack), Tally(name)
        for at, raw in text.lines(path, tally):
            low = raw.lower()
            if len(raw) > longest or not any(mark in low for mark in marks):
                continue
            line = text.printed(raw)
            match, own = begin(begins, line)
            if not match:
                continue
            pairs, unread = parse(solid(line[match.end() :]), number)
            if pairs and not own:
                tally.add(BEHIND, line=at, found=raw)
                continue
            tell_unread(unread, tally, at)
            if pairs and (step := step_of(match[1], number, tally, at)) is not None:
                runs.came_from(at, raw)
                runs.add(step, pairs, at)
        if not runs.kinds:
            raise NotMine(declined)
        return runs.parsed(path, tally)

    return read_alike(files, read)
