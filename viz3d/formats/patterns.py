"""Patterns of file names, for a format's `NAMES`: what a service can filter a listing by."""

from __future__ import annotations

import re


def any_case(text: str) -> str:
    """Return the pattern of a text in any case: ``.csv`` becomes ``.[cC][sS][vV]``."""
    return re.sub(r"[a-z]", lambda found: f"[{found[0]}{found[0].upper()}]", text.lower())


def not_beginning_with(start: str, pattern: str) -> tuple[str, ...]:
    """Return patterns of the names that match a pattern and do not begin with a text.

    Parameters
    ----------
    start : str
        Without characters that are special in a pattern.
    pattern : str
        ``*`` and an end whose first character is not in `start`, such as ``*.json``.

    Returns
    -------
    tuple of str
        For ``ab`` and ``*.x``: ``[!a]*.x``, ``a[!b]*.x``, ``.x``, ``a.x``. The last ones are too
        short for those before, because ``[!b]`` takes up a character.
    """
    end = pattern.removeprefix("*")
    parts = [start[:at] for at in range(len(start))]
    differ = [f"{part}[!{char}]*{end}" for part, char in zip(parts, start, strict=True)]
    return (*differ, *(part + end for part in parts))


_JSON = any_case(".json")
# Every .json but meta_000650.json: the metadata of checkpoints, which lie by the thousand in the
# buckets of nanochat. Any other name that begins with meta_ may be a history, and a name that is
# all suffix is hidden.
JSON = (
    *(name for name in not_beginning_with("meta_", f"*{_JSON}") if name != _JSON),
    f"meta_{_JSON}",
    f"meta_*[!0-9]*{_JSON}",
)
