"""Text from data, made safe for the places where Streamlit reads Markdown."""

from __future__ import annotations

import re

LONGEST = 400

# Characters that mean something to Markdown, to KaTeX or to Streamlit's own directives.
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~$:&^=])")
# Links, mail addresses and :shortcodes: are found in the finished text, where an escape is no
# longer seen; a zero-width space after the telling character is not seen by people.
_TELLING = re.compile(r"(:(?=\S)|@|\bwww(?=\.))", re.IGNORECASE)
_BREAK = "\u200b"


def safe(text: object, longest: int | None = LONGEST) -> str:
    """Return `text` so that Markdown shows it letter for letter.

    Names of runs, metrics and files come from outside: shown raw they could load a remote picture
    (and tell its host who looks), turn into a link, or break the layout.

    Parameters
    ----------
    text : object
        Turned into a string; line breaks become spaces.
    longest : int or None
        What is longer is cut, with an ellipsis; None never cuts.

    Returns
    -------
    str
        Markdown.
    """
    plain = " ".join(str(text).split())
    if longest is not None and len(plain) > longest:
        plain = plain[: longest - 1] + "…"
    return _SPECIAL.sub(r"\\\1", _TELLING.sub(rf"\1{_BREAK}", plain))


def count(number: int, noun: str) -> str:
    """Return the number with its noun in the right form, as in ``1 run`` and ``1,200 runs``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number: float) -> str:
    """Return bytes in the unit that reads best."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
