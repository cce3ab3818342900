"""Texts of the command line."""

from __future__ import annotations

import pytest

from viz3d.cli_text import fitted, progress_text
from viz3d.sources.progress import Progress

ROWS = Progress(3, 12, 13_500, 27_000, 1_500.0, "rows")
HALF = Progress(3, 12, 13_500_000, 27_000_000, 1_500_000.0)


@pytest.mark.parametrize(
    ("progress", "width", "text"),
    [
        (
            HALF, 100,
            "[##########----------]   50%  13.5 MB of 27.0 MB  1.5 MB/s  9 s left  3 of 12 files",
        ),
        (ROWS, 60, " 50%  13,500 rows of 27,000 rows"),
        (HALF, 70, " 50%  13.5 MB of 27.0 MB  1.5 MB/s  9 s left  3 of 12 files"),
        (HALF, 30, " 50%  13.5 MB of 27.0 MB"),
        (HALF, 10, " 50%"),
        (HALF, 3, ""),
        (Progress(0, 1, 0, 900, 0.0), 62, "  0%  0 B of 900 B  waiting  0 of 1 file"),
        (Progress(1, 1, 0, 0, 0.0), 60, "100%  0 B of 0 B  waiting  1 of 1 file"),
    ],
)  # fmt: skip
def test_progress_text_fits_the_terminal(progress: Progress, width: int, text: str) -> None:
    """All facts where there is room, the most important ones where there is not."""
    assert progress_text(progress, width) == text


@pytest.mark.parametrize(
    ("width", "text"),
    [(20, "abcdefghij"), (10, "abcdefghij"), (9, "abcd…ghij"), (4, "ab…j"), (1, "…"), (0, "")],
)
def test_what_is_too_long_loses_its_middle(width: int, text: str) -> None:
    """The beginning says what, the end says how it goes."""
    assert fitted("abcdefghij", width) == text
