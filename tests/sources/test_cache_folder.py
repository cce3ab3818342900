"""The folder of the cache: who may enter it, and what is done where it will not do."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.cache_store import BUCKET, NAMES, begin, content, put, stored
from viz3d.errors import BucketError
from viz3d.sources import parts
from viz3d.sources.cache import Cache

PLAIN, _ = NAMES
posix = pytest.mark.skipif(os.name == "nt", reason="rights and owners are another matter there")


@posix
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_owner_alone_can_enter_and_read(tmp_path: Path, umask: int):
    before = os.umask(umask)
    try:
        cache = Cache.open(tmp_path / "new" / "cache")
        for name in NAMES:
            put(cache, name, 1)
        begin(cache, PLAIN, 2, 1000)
        cache.save_listing("key", [], 1.0)
        with cache.part(BUCKET, stored(PLAIN, 3)[0]) as temp:
            temp.write_bytes(b"x")
            everything = [path.lstat().st_mode for path in (tmp_path / "new").rglob("*")]
            assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    finally:
        os.umask(before)
    assert {stat.S_IMODE(mode) for mode in everything if stat.S_ISDIR(mode)} == {0o700}
    assert {stat.S_IMODE(mode) for mode in everything if stat.S_ISREG(mode)} == {0o600}
    assert len(everything) == 12


@posix
def test_a_folder_of_ours_that_was_open_is_closed(tmp_path: Path):
    inside = Cache.open(tmp_path / "cache").folder
    for folder in (inside, inside.parent):
        folder.chmod(0o755)
    Cache.open(tmp_path / "cache")
    for folder in (inside, inside.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@posix
def test_a_folder_that_holds_other_things_keeps_its_rights(tmp_path: Path):
    tmp_path.chmod(0o755)
    (tmp_path / "a.csv").write_text("step,loss\n")
    cache = Cache.open(tmp_path)
    assert cache.problems == ()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700


def lent(cache: Cache, wanted: Path, reason: str) -> None:
    """Check that a private temporary folder is used, and told in words that name no folder."""
    [problem] = cache.problems
    assert problem.what == (
        f"Downloads cannot be written to the cache folder: {reason}. "
        "Downloads are kept until the program ends."
    )
    assert "VIZ3D_CACHE_DIR" in problem.remedy
    assert str(wanted) not in str(problem)
    assert not cache.folder.is_relative_to(wanted)
    if os.name == "posix":
        assert stat.S_IMODE(cache.folder.parent.stat().st_mode) == 0o700
    assert put(cache, PLAIN, 1).read_bytes() == content(PLAIN, 1)


@posix
@pytest.mark.parametrize("where", ["cache", "cache/v1"])
def test_a_link_is_refused(tmp_path: Path, where: str):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / where).parent.mkdir(exist_ok=True)
    (tmp_path / where).symlink_to(tmp_path / "elsewhere")
    lent(Cache.open(tmp_path / "cache"), tmp_path, "it is a link to another folder")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@posix
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    us = os.getuid()
    (tmp_path / "cache").mkdir(mode=0o777)
    monkeypatch.setattr(os, "getuid", lambda: us + 1)
    lent(Cache.open(tmp_path / "cache"), tmp_path, "it belongs to another user")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("where", ["file", "file/cache"])
def test_a_file_in_its_place_is_told(tmp_path: Path, where: str):
    (tmp_path / "file").write_text("")
    lent(Cache.open(tmp_path / where), tmp_path, "a file stands in its place")


def test_a_name_that_is_none_is_told(tmp_path: Path):
    lent(Cache.open("a\0b"), tmp_path, "that is no name of a folder")


def test_a_user_without_home_gets_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def nowhere(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", nowhere)
    lent(Cache.open(), tmp_path, "there is no home folder")


def no_file(number: int) -> Callable[..., None]:
    def create(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return create


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_told(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as full:
        full.setattr(parts, "_create", no_file(number))
        cache = Cache.open(tmp_path / "cache")
    lent(cache, tmp_path, os.strerror(number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_hides_no_copies(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = put(Cache.open(tmp_path / "cache"), PLAIN, 1)
    monkeypatch.setattr(parts, "_create", no_file(number))
    cache = Cache.open(tmp_path / "cache")
    assert cache.problems == ()
    assert cache.find(BUCKET, stored(PLAIN, 1)[0]) == path


def test_where_nothing_can_be_written_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(**_: object) -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(parts, "_create", no_file(errno.EROFS))
    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(BucketError, match="No usable temporary directory") as caught:
        Cache.open(tmp_path / "cache")
    assert caught.value.kind == "cache_unwritable"


def test_the_users_own_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "own")
    assert Cache.open().folder == tmp_path / "own" / "v1"


def test_another_layout_is_left_alone(tmp_path: Path):
    later = tmp_path / "cache" / "v2" / "objects" / "x.tmp"
    later.parent.mkdir(parents=True)
    later.write_text("")
    cache = Cache.open(tmp_path / "cache")
    put(cache, PLAIN, 1)
    cache.clear()
    assert later.exists()
