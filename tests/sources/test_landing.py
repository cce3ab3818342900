"""A file gets its name when it is whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from viz3d.sources import landing
from viz3d.sources.landing import land, temporary


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the calls that must come in this order, as they come."""
    made: list[str] = []
    sync, replace = os.fsync, os.replace

    def fsync(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        made.append(f"sync {kind}")
        sync(handle)

    def rename(old: Path, new: Path) -> None:
        made.append("rename")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", rename)
    return made


@pytest.mark.parametrize("sync_folder", [True, False])
def test_a_file_replaces_another(tmp_path: Path, calls: list[str], sync_folder: bool):
    temp, final = temporary(tmp_path, "a"), tmp_path / "final"
    temp.write_bytes(b"new")
    final.write_bytes(b"old")
    land(temp, final, sync_folder=sync_folder)
    assert final.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["final"]
    expected = ["sync file", "rename", "sync folder"]
    assert calls == (expected if sync_folder and os.name == "posix" else expected[:2])


def test_names_for_what_is_being_written_differ_and_are_recognised(tmp_path: Path):
    names = {temporary(tmp_path, "stem").name for _ in range(1000)}
    assert len(names) == 1000
    assert all(name.startswith("stem.") and name.endswith(landing.SUFFIX) for name in names)


@pytest.mark.skipif(os.name == "nt", reason="rights are another matter there")
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_owner_alone_can_read_it(tmp_path: Path, umask: int):
    before = os.umask(umask)
    try:
        temp = temporary(tmp_path, "a")
        temp.write_bytes(b"")
        land(temp, tmp_path / "final")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "final").stat().st_mode) == 0o600


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_what_was_there_stays_where_the_new_cannot_be_landed(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    temp, final = temporary(tmp_path, "a"), tmp_path / "final"
    temp.write_bytes(b"new")
    final.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(OSError, match="No space"):
        land(temp, final)
    assert final.read_bytes() == b"old"


def test_a_folder_that_cannot_be_synced_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sync = os.fsync

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    temp = temporary(tmp_path, "a")
    temp.write_bytes(b"new")
    land(temp, tmp_path / "final")
    assert (tmp_path / "final").read_bytes() == b"new"
