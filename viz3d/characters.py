"""Characters of names that are not seen, turn the text around them, or look like others.

Names come from strangers' files: what they hold is shown, and never acted on.
"""

from __future__ import annotations

import re
import unicodedata

_FIRST_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
# Between letters of some scripts, and in emoji, these are as they should be.
_JOINERS = "\u200c\u200d"
# Scripts of which letters look like Latin ones.
_ALIKE = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")
_WORD = re.compile(r"[^\W\d_]+")


def shown(text: str) -> str:
    """Return a text in which every character is seen and none turns those around it.

    What has no picture is spelled by its code point, as ``⟨U+202E⟩``; control characters become
    U+FFFD. White space stays.
    """
    if text.isprintable():
        return text
    unseen = _unseen(text)
    return "".join(_spelled(char) if char in unseen else char for char in text)


def isolated(text: str) -> str:
    """Return a text that leaves the order of what stands beside it alone.

    Marks are put round it only where it holds letters that are read from right to left.
    """
    if text.isascii() or not any(unicodedata.bidirectional(char) in ("R", "AL") for char in text):
        return text
    return f"{_FIRST_ISOLATE}{text}{_END_ISOLATE}"


def deceptive(text: str) -> list[str]:
    """Name the characters that are not seen, or look like Latin letters in a Latin word.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        Such as ``"U+202E RIGHT-TO-LEFT OVERRIDE"``, each once, in the order of the text.
    """
    if text.isascii() and text.isprintable():
        return []
    unseen = _unseen(text)
    plain = "".join(char for char in text if char not in unseen)
    found = unseen | _alike(plain) | {char for char in text if _is_blank(char)}
    return [_named(char) for char in dict.fromkeys(text) if char in found]


def _unseen(text: str) -> set[str]:
    return {
        char
        for at, char in enumerate(text)
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co")
        and not char.isspace()
        and not (char in _JOINERS and _joins(text[at - 1 : at], text[at + 1 : at + 2]))
    }


def _joins(before: str, after: str) -> bool:
    return all(char and not char.isascii() and _script(char) != "LATIN" for char in (before, after))


def _alike(text: str) -> set[str]:
    """Return the letters of other scripts that stand in words with Latin ones."""
    words = ({char: _script(char) for char in word} for word in _WORD.findall(text))
    return {
        char
        for word in words
        if "LATIN" in word.values()
        for char, script in word.items()
        if script in _ALIKE
    }


def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]


def _is_blank(char: str) -> bool:
    return char.isspace() and char != " "


def _spelled(char: str) -> str:
    return "\ufffd" if unicodedata.category(char) in ("Cc", "Cs") else f"⟨U+{ord(char):04X}⟩"


def _named(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip()
