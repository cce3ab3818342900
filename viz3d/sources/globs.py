"""Patterns of paths, read as Cloud Storage reads them, so that one finds the same in a folder."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise


def matches(pattern: str, path: str) -> bool:
    r"""Say whether a path matches a pattern as a whole.

    Parameters
    ----------
    pattern : str
        ``*`` stands for anything within one folder, ``**`` also across folders (``**/`` for no
        folder, too), ``?`` for one character, ``[ab]`` and ``[!ab]`` for one of some, ``{a,b}``
        for one of several texts; ``\`` takes the next character as it is. A bracket without its
        other half is an ordinary character.
    path : str
        With ``/`` between its parts.

    Notes
    -----
    As the ``matchGlob`` of
    https://cloud.google.com/storage/docs/json_api/v1/objects/list#list-object-glob.
    """
    return _compiled(pattern).fullmatch(path) is not None


def literal(text: str) -> str:
    """Return the pattern that matches a text and nothing else."""
    return re.sub(r"[*?\[\]{}\\]", r"\\\g<0>", text)


# What a pattern is made of; longer pieces stand before their beginnings.
_PIECE = re.compile(
    r"(?P<escaped>\\(?s:.))|(?P<folders>\*\*/)|(?P<any>\*\*)|(?P<some>\*)|(?P<one>\?)"
    r"|\[(?P<no>[!^]?)(?P<members>(?:\\.|[^\]\\])+)\]|(?P<brace>[{,}])|(?s:.)"
)
_WILD = {"folders": "(?:.*/)?", "any": ".*", "some": "[^/]*", "one": "[^/]"}


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    regexes = ("".join(map(_regex, _PIECE.finditer(one))) for one in _spelled_out(pattern))
    return re.compile("|".join(regexes), re.DOTALL)


def _spelled_out(pattern: str) -> list[str]:
    """Return the patterns without choices that one with choices stands for, as a shell does."""
    pieces = list(_PIECE.finditer(pattern))
    found = _choice(pieces)
    if not found:
        return [pattern]
    first, *_, last = found
    texts = [pattern[a.end() : b.start()] for a, b in pairwise(found)]
    around = pattern[: first.start()], pattern[last.end() :]
    return [one for text in texts for one in _spelled_out(text.join(around))]


def _regex(piece: re.Match[str]) -> str:
    """Translate one piece of a pattern that has no choices."""
    kind = piece.lastgroup or ""
    if kind in _WILD:
        return _WILD[kind]
    if kind == "members":
        return _class(piece["members"], negated=bool(piece["no"]))
    return re.escape(piece[0][1:] if kind == "escaped" else piece[0])


def _class(members: str, *, negated: bool) -> str:
    """Translate what stands between ``[`` and ``]``: characters, ``a-z``, escapes."""
    chars = re.findall(r"\\.|[^\\]", members, re.DOTALL)
    regex, at = "", 0
    while at < len(chars):
        low, high = chars[at][-1], chars[at][-1]
        if at + 2 < len(chars) and chars[at + 1] == "-":
            high = chars[at + 2][-1]
            at += 2
        regex += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
        at += 1
    # Neither kind of class reaches into another folder; an empty one matches nothing.
    inner = f"[^{regex}]" if negated else f"[{regex}]"
    return f"(?!/){inner}" if regex else ("[^/]" if negated else "(?!)")


def _choice(pieces: list[re.Match[str]]) -> list[re.Match[str]]:
    """Return the braces of the first choice that is closed, and the commas between them."""
    open_braces: list[list[re.Match[str]]] = []
    for piece in pieces:
        if piece["brace"] == "{":
            open_braces.append([piece])
        elif open_braces and piece["brace"]:
            open_braces[-1].append(piece)
            if piece["brace"] == "}":
                return open_braces[-1]
    return []
