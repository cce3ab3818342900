"""What the command line writes: text and JSON, with nothing in it that could steer a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from viz3d.durations import duration_text
from viz3d.figures.text import count

if TYPE_CHECKING:
    from viz3d.run import Origin, Problem, RunInfo
    from viz3d.sources.progress import Progress

# Width of a progress bar between its brackets, where the terminal is wide enough for all.
BAR = 20
# Problems that are told one by one; what is more is counted.
MOST_TOLD = 20


def tell(text: str) -> None:
    """Print one line on standard error."""
    print(one_line(text), file=sys.stderr)


def tell_problems(problems: Sequence[Problem]) -> None:
    """Print problems on standard error; of very many the first."""
    for problem in problems[:MOST_TOLD]:
        tell(str(problem))
    if len(problems) > MOST_TOLD:
        tell(f"… and {len(problems) - MOST_TOLD:,} more like these.")


def one_line(text: str) -> str:
    """Escape what would break a line or steer a terminal: names come from strangers' files."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def fitted(text: str, width: int) -> str:
    """Return a text in at most `width` columns; what is too long loses its middle."""
    if len(text) <= width:
        return text
    tail = max(width - 1, 0) // 2
    return f"{text[: max(width - 1 - tail, 0)]}…{text[len(text) - tail :]}"[:width]


def print_json(document: Any) -> None:
    """Print one strict JSON document on standard output."""
    print(json.dumps(_plain(document), indent=2, allow_nan=False))


def origin_text(origin: Origin) -> str:
    """Say what was read from which files of a run."""
    more = len(origin.files) - 1
    where = f"from {origin.source}: {origin.files[0]}" + (f" and {more:,} more" if more else "")
    if not origin.format:
        return f"{where}: not read"
    rows = [count(origin.rows, "row"), count(len(origin.metrics), "metric")] if origin.rows else []
    if origin.counted_by not in ("", "step"):
        rows.append(f"steps by {origin.counted_by}")
    return f"{where} ({origin.format}): {', '.join([*rows, *origin.gave]) or 'nothing'}"


def time_text(seconds: float | None) -> str | None:
    """Return a time as ISO 8601 in UTC; None also for one that no calendar has."""
    try:
        when = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        when = None
    return when.isoformat(timespec="seconds") if when else None


def size_text(size: float) -> str:
    """Return a number of bytes with its unit."""
    for unit, digits in (("B", 0), ("kB", 0), ("MB", 1)):
        if size < 1000:
            return f"{size:.{digits}f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def info_text(info: RunInfo) -> str:
    """Return the line of a run in a list."""
    changed = time_text(info.changed) or "unknown"
    size = size_text(info.size) if info.rows is None else count(info.rows, "row")
    facts = (info.name, ", ".join(info.formats), changed, size, info.state)
    return one_line("  ".join(filter(None, facts)))


def info_json(info: RunInfo) -> dict[str, Any]:
    """Return the entry of a run in ``list --json``."""
    told = {"rows": info.rows, "state": info.state, "created": time_text(info.created)}
    return {
        "name": info.name,
        "source": info.source,
        "changed": time_text(info.changed),
        "size": info.size,
        "formats": list(info.formats),
        **{name: value for name, value in told.items() if value not in (None, "")},
    }


def progress_text(progress: Progress, width: int) -> str:
    """Return a transfer's progress as one line.

    Parameters
    ----------
    progress : Progress
    width : int
        Columns of the terminal; the last one stays free, since some terminals wrap there.

    Returns
    -------
    str
    """
    filled = round(BAR * progress.share)
    bar = f"[{'#' * filled}{'-' * (BAR - filled)}]"
    amount = _rows if progress.unit == "rows" else size_text
    came = f"{amount(progress.bytes_done)} of {amount(progress.bytes_total)}"
    rate = f"{amount(progress.rate)}/s" if progress.rate else "waiting"
    left = f"{duration_text(progress.left)} left" if progress.left is not None else ""
    files = f"{progress.files_done:,} of {count(progress.files, 'file')}"
    facts = [f"{progress.share:4.0%}", came, rate, left, files]
    # In a narrow terminal the numbers are worth more than the bar.
    for shown in ([bar, *facts], facts, facts[:2], facts[:1]):
        line = "  ".join(fact for fact in shown if fact)
        if len(line) < width:
            return line
    return ""


def _rows(number: float) -> str:
    return count(round(number), "row")


def _plain(value: Any) -> Any:
    """Make `value` fit for strict JSON; what JSON cannot say becomes null or text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)
