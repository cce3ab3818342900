"""Make text and numbers ready for Plotly."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Container, Iterator
from itertools import count as count_from
from typing import TypeAlias

from viz3d.characters import isolated, shown

# Text that Plotly may read as tags, formulas or templates: written in the code, or made safe here.
# A test looks at each place where it is drawn, and at each caller of what takes or returns it.
Drawn: TypeAlias = str

LONGEST = 48
"""Characters of a name that fit a legend or a hover label."""

SEPARATOR = re.compile(r"([-_/ ]|\.(?!\d))")
"""Between the words of a name; the point of a number is none."""

ROLES = {
    "grad_norm": "gradient norm",
    "learning_rate": "learning rate",
    "lr_multiplier": "learning rate multiplier",
    "val_loss": "validation loss",
}

ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "%": "&#37;"}
"""Tags, formulas (``$…$``) and templates (``%{…}``) must not be read out of somebody's run name."""


def safe(text: object, limit: int = LONGEST) -> Drawn:
    """Return any text from data so that Plotly shows it as it is, shortened in the middle.

    Line breaks become spaces, and what is not seen is spelled. Use it for every name that comes
    from a file; for text inside a scene use `scene_text`.
    """
    return isolated("".join(ESCAPES.get(c, c) for c in _cut(text, limit)))


def scene_text(text: object, limit: int = LONGEST) -> Drawn:
    """Return the same for ticks, titles and labels that WebGL draws.

    Those know a few tags, but no entities, so angle brackets become similar characters.
    """
    return _cut(text, limit).replace("<", "‹").replace(">", "›")


def _cut(text: object, limit: int) -> str:
    plain = shown(" ".join(str(text).split()))
    if len(plain) > limit:
        head = (limit - 1) // 2
        plain = plain[: limit - 1 - head] + "…" + plain[-head:]
    return plain


def say(value: float | None) -> Drawn:
    """Return a number as people write it, with four significant digits: ``3.142``, ``2e-5``."""
    if value is None or math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "infinity" if value > 0 else "minus infinity"
    size = abs(value)
    if float(value).is_integer() and size < 1e15:
        return f"{int(value):,}"
    if 1e-3 <= size < 1e6:
        digits = max(0, 3 - math.floor(math.log10(size)))
        text = f"{value:,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, exponent = f"{value:.3e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def count(n: int, noun: Drawn, plural: Drawn = "") -> Drawn:
    """Return ``"1 run"``, ``"1,200 runs"``."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listed(items: list[str], most: int = 4) -> str:
    """Join words for a sentence: ``"a, b and c"``, ``"a, b, c, d and 7 more"``."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most:,} more"
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def with_names(sentence: str, x: str, y: str, z: str) -> str:
    """Put the names of a chart's axes where a surface's sentence says x, y or z."""
    names = {"x": x, "y": y, "z": z}
    return re.sub(r"\b[xyz]\b", lambda found: names[found[0]], sentence)


def in_words(role: str) -> str:
    """Return a role in words, ``"gradient norm"``; anything else as it is."""
    return ROLES.get(role, role)


def wrapped(text: Drawn, width: int = 58) -> Drawn:
    """Break a sentence into lines for a subtitle."""
    import textwrap

    return "<br>".join(textwrap.wrap(text, width, break_long_words=False))


def short_names(names: list[str]) -> list[str]:
    """Drop the parts that all names share at both ends, so that what tells them apart fits.

    Short names stay as they are; the full ones stand in the tables.
    """
    if len(set(names)) < 2 or max(map(len, names)) <= LONGEST // 4:
        return list(names)
    parts = [SEPARATOR.split(name) for name in names]
    head, tail = _shared(parts), _shared([part[::-1] for part in parts])
    # Even places hold words, odd ones separators; both ends are cut at a word.
    head, tail = head - head % 2, tail - tail % 2
    fewest = min(map(len, parts))
    if head + tail >= fewest:
        tail = 0
    short = ["".join(part[head : len(part) - tail]) for part in parts]
    return short if all(short) else list(names)


def unique_names(names: list[str]) -> list[str]:
    """Return the names, those that occur more than once with a number: ``run #1``, ``run #2``."""
    times = Counter(names)
    free = {name: _numbered(name, times) for name in times}
    return [next(free[name]) if times[name] > 1 else name for name in names]


def _numbered(name: str, taken: Container[str]) -> Iterator[str]:
    """Yield the name with numbers, without those that are somebody's own name."""
    return (new for n in count_from(1) if (new := f"{name} #{n}") not in taken)


def short_layers(names: list[str]) -> list[str]:
    """Drop the module that holds most layers: ``transformer.h.3`` reads ``h.3``.

    Names stay unique, and no layer is left with a bare number.
    """
    heads = [name.partition(".")[0] for name in names if "." in name]
    common = max(set(heads), key=lambda head: (heads.count(head), head), default="")
    if heads.count(common) * 2 <= len(names):
        return names
    short = [name.removeprefix(f"{common}.") for name in names]
    bare = any(name.partition(".")[0].isdigit() for name in short)
    return names if bare or len(set(short)) < len(set(names)) else short_layers(short)


def _shared(parts: list[list[str]]) -> int:
    """Leading items that all lists have in common."""
    columns = zip(*parts, strict=False)
    return next((i for i, column in enumerate(columns) if len(set(column)) > 1), 0)
