"""How long something takes, in words: for the command line and for what the recorder tells."""

from __future__ import annotations


def duration_text(seconds: float) -> str:
    """Return a duration in its two largest units, as in ``9 s``, ``3 min 20 s``, ``2 h 1 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
