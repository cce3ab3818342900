"""viz3d.whole_file: what was there before stays where a file cannot be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from viz3d.whole_file import write_whole


def test_a_file_comes_into_a_folder_that_was_not_there(tmp_path: Path) -> None:
    """And is replaced by the next one."""
    file = tmp_path / "a" / "b" / "file"
    for data in (b"first", b"second"):
        write_whole(file, data)
        assert file.read_bytes() == data
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_one_that_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """And nothing beside it."""
    file = tmp_path / "file"
    write_whole(file, b"first")

    def fail(_: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        write_whole(file, b"second")
    assert file.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [file]
