"""Which file names the formats claim, in the words of a service that filters listings."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache

from viz3d.formats import FORMATS

_SPECIAL = re.compile(r"[*?\[]")


@cache
def claimed_names() -> tuple[str, ...]:
    """Return patterns of the last parts of paths: every name that a format claims matches one.

    Returns
    -------
    tuple of str
        In the order of the formats; without plain names that another pattern takes in.
    """
    names = dict.fromkeys(name for form in FORMATS for name in form.NAMES)
    wide = [name for name in names if _SPECIAL.search(name)]
    return tuple(
        name for name in names if name in wide or not any(fnmatchcase(name, each) for each in wide)
    )


def claimed(path: str) -> bool:
    """Say whether a format claims the file at `path`, by its name alone."""
    return any(form.claim(path) is not None for form in FORMATS)
