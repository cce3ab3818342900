"""Durations in words."""

from __future__ import annotations

import pytest

from viz3d.durations import duration_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"), (59, "59 s"), (59.6, "1 min 0 s"), (61, "1 min 1 s"),
        (119.7, "2 min 0 s"), (3599.7, "1 h 0 min"), (7_300, "2 h 1 min"), (360_000, "100 h 0 min"),
    ],
)  # fmt: skip
def test_duration_text(seconds: float, text: str) -> None:
    """Two units at most, and none that is full: sixty seconds are a minute."""
    assert duration_text(seconds) == text
