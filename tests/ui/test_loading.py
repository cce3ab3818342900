"""What loading notes of files that could not be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d.errors import BucketError
from viz3d.run import FileInfo, Problem
from viz3d.ui.loading import _Noting


class Away:
    """A source that hands out nothing."""

    def fetch(self, file: FileInfo) -> Path:
        """Say why, and what to do."""
        raise BucketError("expired_login", "The login has expired.", "Run `gcloud auth login`.")


def test_a_file_that_is_away_is_noted_with_its_remedy() -> None:
    """The page shows the command in it as one that can be copied."""
    noting = _Noting(Away())  # type: ignore[arg-type]
    with pytest.raises(BucketError):
        noting.fetch(FileInfo("a.csv", 1))
    said = Problem("The login has expired.", "Run `gcloud auth login`.", "a.csv")
    assert noting.lacking == [said]
