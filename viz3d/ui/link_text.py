"""What a link says of the data behind it, as text: short, and harmless whatever stands in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from viz3d.figures.text import count

if TYPE_CHECKING:
    from viz3d.run import Run

# A name that takes more characters in an address than this goes by its digest.
LONGEST_NAME = 60
# More of a link is not looked at: nobody selects that many runs.
MOST_STATES = 1000
_DIGITS = 12
_STATE = re.compile(r"([0-9a-f]{12})\.([0-9a-f]{1,12})\.(-?[0-9a-f]{1,16})?", re.ASCII)


@dataclass(frozen=True)
class State:
    """The state of the data behind one entry of a listing.

    Attributes
    ----------
    digest : str
        The first 12 digits of the SHA-256 of what was read.
    rows : int
        Rows of history; those of all runs where a file holds several.
    last : int or None
        The step of the last of them.
    """

    digest: str
    rows: int
    last: int | None


def state_of(runs: Sequence[Run]) -> State | None:
    """Return the state of the runs of one entry; None where there are none."""
    digests = list(dict.fromkeys(run.digest for run in runs))
    if not digests:
        return None
    digest = digests[0] if len(digests) == 1 else _sha256("".join(digests))
    rows = sum(len(run.index) for run in runs)
    return State(digest[:_DIGITS], rows, _last_of(rows, runs))


def change(then: State, runs: Sequence[Run]) -> str:
    """Say what became of an entry since a link was made.

    It grew if it has more rows now and the last step of then ends as many of them as there were.

    Parameters
    ----------
    then : State
    runs : sequence of Run
        What the entry holds now.

    Returns
    -------
    str
        The rest of a sentence that begins with the name; empty where nothing changed.
    """
    now = state_of(runs)
    if now is None or now.digest == then.digest:
        return ""
    more = now.rows - then.rows
    if more > 0 and _last_of(then.rows, runs) == then.last:
        last = "none" if then.last is None else f"{then.last:,}"
        grew = f"grew: {count(more, 'more step')} since the link was made"
        return f"{grew} (now {now.rows:,}; last step then {last})."
    then_and_now = f"{count(then.rows, 'step')} then, {now.rows:,} now"
    return f"was rewritten since the link was made ({then_and_now})."


def _last_of(rows: int, runs: Sequence[Run]) -> int | None:
    """Return the step of the last of the first `rows` rows; None where there is none."""
    for run in runs:
        if 0 < rows <= len(run.index):
            return int(run.index[rows - 1])
        rows -= len(run.index)
    return None


def encode(states: Iterable[State | None]) -> str:
    """Write states into a link, in the order of its runs; None is a run that was not read."""
    return "_".join(_encode(state) for state in states)


def _encode(state: State | None) -> str:
    if state is None:
        return ""
    last = "" if state.last is None else f"{state.last:x}"
    return f"{state.digest}.{state.rows:x}.{last}"


def decode(text: str) -> tuple[State | None, ...]:
    """Read the states of a link; what is no state is None."""
    return tuple(_decode(part) for part in text.split("_", MOST_STATES)[:MOST_STATES])


def _decode(part: str) -> State | None:
    found = _STATE.fullmatch(part)
    if found is None:
        return None
    digest, rows, last = found.groups()
    return State(digest, int(rows, 16), int(last, 16) if last else None)


def brief(name: str) -> str:
    """Return what stands for a long name in a link: ``~`` and 12 digits of its SHA-256."""
    return f"~{_sha256(name)[:_DIGITS]}"


def is_long(name: str) -> bool:
    """Say whether a name takes too much room in an address."""
    return len(quote(name, safe="/: ", errors="replace")) > LONGEST_NAME


def spell_out(values: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the values of a link with the names that their digests stand for.

    Parameters
    ----------
    values : sequence of str
        As they stand in the address; what is no digest of a name stays as it is.
    names : sequence of str
        Those that there are.
    """
    if not any(value.startswith("~") for value in values):
        return list(values)
    known: Mapping[str, str] = {brief(name): name for name in names} | {n: n for n in names}
    return [known.get(value, value) for value in values]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
