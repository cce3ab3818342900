"""Text from data, made safe for the places where Streamlit reads Markdown."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, TypeAlias

from viz3d.characters import isolated, shown
from viz3d.figures.text import say

LONGEST = 400

# Text that Streamlit may read as Markdown: written in the code, or made safe here. A test looks at
# each place where such text is shown, and at each caller of what takes or returns it.
Markdown: TypeAlias = str

# Characters that mean something to Markdown, to KaTeX or to Streamlit's own directives.
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~$:&^=])")
# Links, mail addresses and :shortcodes: are found in the finished text, where an escape is no
# longer seen; a zero-width space after the telling character is not seen by people.
_TELLING = re.compile(r"(:(?=\S)|@|\bwww(?=\.))", re.IGNORECASE)
_BREAK = "\u200b"
# A command that one of our own sentences tells people to type. A name from data can stand in such
# a sentence too, so nothing that is not known to be harmless is offered for copying.
_COMMANDS = (
    r"(?:gcloud auth|gcloud storage ls|python -m viz3d|pip install -r)(?: [\w./:=@-]+)*"
    r"|iconv -f [\w-]+ -t UTF-8"
)
_COMMAND = re.compile(f"`({_COMMANDS})`")
# The same for what our sentences tell people to write into their training loop.
_RECORDING = (
    r"(?:recorder = )?viz3d\.Recorder\(path\)(?:\.log\(step(?:, \w+=\.\.\.)*\))?"
    r"|recorder\.watch\(model\)|viz3d\.landscape\(model, loss_fn, batches\)"
    r"|config=\{'learning_rate': \.\.\.\}"
)
_CODE = re.compile(f"`({_COMMANDS}|{_RECORDING})`")
# What else our sentences put into backticks, such as a line that a format looks for.
_QUOTED = re.compile(r"(?<![^\s(])`([^`]+)`(?![^\s.,;:)])")


def safe(text: object, longest: int | None = LONGEST) -> Markdown:
    """Return `text` so that Markdown shows it letter for letter.

    Names of runs, metrics and files come from outside: shown raw they could load a remote picture
    (and tell its host who looks), turn into a link, or break the layout.

    Parameters
    ----------
    text : object
        Turned into a string; line breaks become spaces, and what is not seen is spelled.
    longest : int or None
        What is longer loses its middle, with an ellipsis there; None never cuts.

    Returns
    -------
    str
        Markdown.
    """
    plain = shown(" ".join(str(text).split()))
    if longest is not None and len(plain) > longest:
        tail = (longest - 1) // 2
        plain = f"{plain[: longest - 1 - tail]}…{plain[-tail:]}"
    plain = isolated(plain)
    return _SPECIAL.sub(r"\\\1", _TELLING.sub(rf"\1{_BREAK}", plain))


def advice(text: str) -> Markdown:
    """Return a reason or a remedy as Markdown.

    Our commands and code are in their font, what else stands in backticks is in quotation marks,
    and the rest is letter for letter.
    """
    parts = _CODE.split(text)
    return "".join(f"`{part}`" if i % 2 else _keeping_ends(part) for i, part in enumerate(parts))


def commands(text: str) -> list[str]:
    """Return the commands that a remedy tells people to type."""
    return _COMMAND.findall(text)


def _keeping_ends(text: str) -> str:
    """Make text safe that a command stands beside: the spaces at its ends stay."""
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() and text.strip() else ""
    quoted = _QUOTED.sub(r"“\1”", text)
    return f"{before}{safe(quoted, longest=None)}{after}"


def number(value: Any) -> str:
    """Return a number for a table: with four decimals, a small one with four digits."""
    if 0 < abs(value) < 0.1:
        return say(value)
    return f"{value:,.4f}".rstrip("0").rstrip(".")


def size(number: float) -> str:
    """Return bytes in the unit that reads best."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def duration(seconds: float) -> str:
    """Return a time span in the unit that reads best, as in ``12 s`` and ``3 min``."""
    for unit, longest, next_unit in (("s", 60, 60), ("min", 60, 60), ("h", 48, 24)):
        if seconds < longest:
            return f"{int(seconds)} {unit}"
        seconds /= next_unit
    return f"{int(seconds)} days"


def ago(seconds: float) -> str:
    """Return how long ago something was; what has not been yet reads as now."""
    return "just now" if seconds < 1 else f"{duration(seconds)} ago"


def moment(seconds: float) -> str:
    """Return a time, given in seconds since 1970, as date, hour and minute in UTC."""
    when = date(seconds)
    return when.strftime("%Y-%m-%d %H:%M UTC") if when else "at no time of any calendar"


def date(seconds: float | None) -> datetime | None:
    """Return a time as a date in UTC; None where it is none, or one that no calendar has."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
