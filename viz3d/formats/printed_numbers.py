"""Numbers as consoles print them: with units, and with commas between thousands."""

from __future__ import annotations

import re

# Commas may part thousands; what a file means by them is decided once for all of it.
STEP = r"\d{1,15}|\d{1,3}(?:,\d{1,3}){1,4}"
NUMBER = r"[-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?nan|[-+]?inf(?:inity)?"
UNIT = r"%|ms|us|s|m|h|[KMGT]i?B"
VALUE = rf"({NUMBER})(?:\s?({UNIT}))?"
_PARTED = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?![\d,])")
_DURATION = re.compile(
    r"(?<![\w.])\d[\d.]*\s?(?:[dhm]|min)\s?\d[\d.]*\s?(?:[hms]|min)\b", re.IGNORECASE
)
_PLACE = re.compile(r"(?<!\s)\s{2,}+\S{1,200}\.py:\d+\s*$")
# A unit stays with the number: as a suffix of the metric's name.
_SUFFIXES = {"": "", "%": "", "m": "_min"}


def number(printed: str) -> float | None:
    """Return a printed number without the commas between thousands; None where others stand."""
    plain = printed.rstrip(",")
    return float(plain.replace(",", "")) if "," not in plain or _PARTED.match(plain) else None


class Numbers:
    """Reads the printed numbers of one file, in which all commas mean the same.

    Parameters
    ----------
    thousands : bool
        Whether a comma may part thousands; without, no number with one is taken.

    Attributes
    ----------
    parted, odd : bool
        Whether there were commas that may part thousands, and others.
    """

    def __init__(self, *, thousands: bool = True) -> None:
        self._thousands = thousands
        self.parted = self.odd = False

    def __call__(self, printed: str) -> float | None:
        """Return a number; None where it is not known what its comma means."""
        value = number(printed)
        if "," in printed.rstrip(","):
            self.parted |= value is not None
            self.odd |= value is None
            return value if self._thousands else None
        return value


def with_unit(name: str, unit: str) -> str:
    """Return a metric's name with its unit, as in ``dt_ms``."""
    return name + _SUFFIXES.get(unit, f"_{unit}")


def solid(text: str) -> str:
    """Return what a line says, without spaces in ``1h 23m``, of which neither part is the whole.

    The place in the code that Rich prints at the end of a line is no part of it.
    """
    return _DURATION.sub(lambda found: re.sub(r"\s", "", found[0]), _PLACE.sub("", text))
