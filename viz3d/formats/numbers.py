"""Numbers and names as logs write them: as text, as true or false, not finite, not a number."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from viz3d.formats import limits
from viz3d.formats.steps import counts_steps

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

# One way to match each text: two would take minutes for a cell of 100,000 digits and a letter.
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_CHECKSUM = re.compile("#[0-9a-f]{8}$")
# C on Windows says which one, as in -nan(ind).
_NAN = re.compile(r"nan\([a-z0-9_]*\)")
INT64_CHARS = len("-9223372036854775808")
NOT_FINITE = {"nan": np.nan, "inf": np.inf, "infinity": np.inf}
TRUTHS = {"true": 1, "false": 0}
GAPS = {"", "none", "null", "na", "n/a", "-", "--"}

TEXT_NUMBERS = "{n} number{|s} written as text {was|were} taken as {a number|numbers} ({names})."
BOOLEANS = "{n} true/false value{|s} {was|were} taken as {1 or 0|1 and 0} ({names})."
NOT_NUMBERS = "{n} value{|s} that {was|were} no number {was|were} left out ({names})."
TOO_MANY = "{n} value{|s} of metrics beyond the first {limit:METRICS} {was|were} left out."
TOO_NESTED = (
    "{n} value{|s} of nested objects beyond the first {limit:NESTED_KEYS} {was|were} left out "
    "({names})."
)
ALIKE = (
    "{n} value{|s} of a name that differs from another one in spaces alone {was|were} taken for "
    "that one's ({names})."
)
SHORTENED = (
    "{n} metric{|s} {is|are} shown by the beginning{|s} of {its name|their names}, which "
    "{has|have} more than {limit:NAME_CHARS} characters, and a checksum ({names})."
)
OUT_OF_RANGE = "{n} whole number{|s} too large to be stored {was|were} left out ({names})."


@lru_cache(maxsize=4096, typed=True)
def clean_name(name: object) -> str:
    """Return a metric's name that can be shown: short, no control characters, no lone surrogates.

    Where it was cut or one was replaced, a checksum of the name follows, so that no two names
    become one by it.
    """
    text = str(name).strip()
    if len(text) <= limits.NAME_CHARS and text.isprintable():
        return text or "unnamed"
    checksum = f"#{crc32(text.encode('utf-8', 'surrogatepass')):08x}"
    return printable(text[: limits.NAME_CHARS - len(checksum)]) + checksum


def is_shortened(name: str) -> bool:
    """Say whether `clean_name` cut a name to what it is now."""
    return len(name) == limits.NAME_CHARS and bool(_CHECKSUM.search(name))


def printable(text: str) -> str:
    """Return a text with U+FFFD for every control character and lone surrogate."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def to_number(
    value: Any, name: str, tally: Tally, line: int | None = None, *, text_is_number: bool = False
) -> float | int | None:
    """Return `value` as a number, or None for a gap.

    Parameters
    ----------
    value : object
        As the file holds it. Numbers written as text and true/false are taken and told.
    name : str
        The metric's name, for messages.
    tally : Tally
    line : int, optional
    text_is_number : bool
        As in `TableBuilder`.

    Returns
    -------
    float or int or None
    """
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, str):
        return _from_text(value, name, tally, line, told=not text_is_number)
    if isinstance(value, bool) and not counts_steps(name):
        tally.add(BOOLEANS, line=line, name=name)
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        tally.add(NOT_NUMBERS, line=line, name=name)
        return None
    return _whole(value, name, tally, line)


def _whole(value: int, name: str, tally: Tally, line: int | None) -> float | int | None:
    if -(2**63) <= value < 2**63:
        return value
    # Floating-point operations may be counted in such numbers; as a step it would not be exact.
    if counts_steps(name) or abs(value) > sys.float_info.max:
        tally.add(OUT_OF_RANGE, line=line, name=name)
        return None
    return float(value)


def _from_text(
    value: str, name: str, tally: Tally, line: int | None, *, told: bool
) -> float | int | None:
    text = value.strip()
    if text.lower() in GAPS:
        return None
    if text.lower() in TRUTHS and not counts_steps(name):
        tally.add(BOOLEANS, line=line, name=name)
        return TRUTHS[text.lower()]
    unsigned = text.lstrip("+-").lower()
    if len(text) - len(unsigned) <= 1 and (name_of := _NAN.sub("nan", unsigned)) in NOT_FINITE:
        return -NOT_FINITE[name_of] if text.startswith("-") else NOT_FINITE[name_of]
    if NUMBER.fullmatch(text):
        if told:
            tally.add(TEXT_NUMBERS, line=line, name=name)
        whole = unsigned.isdecimal() and len(text) <= INT64_CHARS and int(text)
        return float(text) if whole is False or not -(2**63) <= whole < 2**63 else whole
    tally.add(NOT_NUMBERS, line=line, name=name)
    return None


def typed(values: Sequence[float]) -> np.ndarray:
    """Return an array, int64 where all of `values` are whole, so that large steps stay exact."""
    whole = all(type(value) is int for value in values)
    return np.array(values, dtype=np.int64 if whole else np.float64)
