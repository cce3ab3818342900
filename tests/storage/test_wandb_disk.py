"""A cache folder that is full, closed, damaged or gone: rows are shown, and never wrong ones."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.storage.test_wandb_source import questions
from tests.storage.wandb_service import StoredRun, rows
from viz3d.errors import WandbError
from viz3d.load import load_run
from viz3d.run import Run
from viz3d.sources import kept
from viz3d.sources.base import Source
from viz3d.sources.cache import Cache

Open = Callable[..., Source]
RUN = "wandb://team/nano/x"


@contextmanager
def full_from(write: int, folder: Path, number: int = errno.ENOSPC) -> Iterator[list[str]]:
    """Let whatever is written below a folder fail from the given call on; yield those that were.

    Half of the bytes of the first write that fails are on the disk.
    """
    seen: list[str] = []
    real = {name: getattr(os, name) for name in ("mkdir", "replace", "fsync")}
    real_open = io.open

    def fails(name: str) -> bool:
        seen.append(name)
        return len(seen) >= write

    class Written(io.FileIO):
        def write(self, data: Any) -> int:
            if fails("write"):
                super().write(bytes(data)[: len(data) // 2])
                raise OSError(number, os.strerror(number))
            return super().write(data) or 0

    def opened(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if "b" in mode and set(mode) & set("wa+") and Path(str(file)).is_relative_to(folder):
            raw = Written(file, mode.replace("b", ""))
            return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return real_open(file, mode, *rest, **more)

    def through(name: str) -> Callable[..., Any]:
        def call(what: Any, *rest: Any, **more: Any) -> Any:
            where = Path(f"/proc/self/fd/{what}").resolve() if isinstance(what, int) else what
            if Path(where).is_relative_to(folder) and fails(name):
                raise OSError(number, os.strerror(number))
            return real[name](what, *rest, **more)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in real:
            patch.setattr(os, name, through(name))
        patch.setattr(io, "open", opened)
        yield seen


@pytest.fixture(autouse=True)
def spare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for what the cache cannot take; each test begins without one."""
    kept.open_spare_cache.cache_clear()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spare"))
    (tmp_path / "spare").mkdir()
    yield tmp_path / "spare"
    kept.open_spare_cache.cache_clear()


def read(source: Source) -> Run:
    """Return the run as it is read now; its rows are those of the service."""
    run = load_run(source)
    assert run.history["loss"].tolist() == [9 / (step + 1) for step in run.history.index]
    assert run.history.index.tolist() == list(range(len(run.history)))
    return run


@pytest.mark.parametrize(
    ("number", "step"),  # of the calls that a reading makes some fail, or each of them
    [
        (errno.ENOSPC, 9),
        pytest.param(errno.ENOSPC, 1, marks=pytest.mark.slow),
        pytest.param(errno.EROFS, 1, marks=pytest.mark.slow),
    ],
)
def test_a_disk_that_fills_up_at_any_write(service, open_wandb, tmp_path, number, step):
    """Rows are shown with one sentence, new ones too; afterwards nothing wrong is believed."""
    run = service.add(StoredRun("x", "x", rows(2_300), state="running"))
    for write in range(1, 1_000, step):
        kept.open_cache.cache_clear()
        kept.open_spare_cache.cache_clear()
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        run.rows = rows(2_300)
        source = open_wandb(RUN)
        with full_from(write, tmp_path / "cache", number) as seen:
            found = read(source)
            assert len(found.history) == 2_300
            run.rows = rows(2_350)
            found = read(source)
            assert len(found.history) == 2_350
        told = [problem.what for problem in found.problems]
        failed = len(seen) >= write
        assert len(told) == failed
        assert all("kept until the program ends" in what for what in told), told
        run.rows = rows(2_400)
        kept.open_cache.cache_clear()
        found = read(open_wandb(RUN))
        assert (len(found.history), found.problems) == (2_400, ())
        assert Cache.open(tmp_path / "cache").verify().bad == []
        if not failed:
            break
    else:
        pytest.fail("it never came to an end")


def test_a_disk_that_is_full_everywhere_is_said(service, open_wandb, tmp_path):
    """Where there is no other place either."""
    service.add(StoredRun("x", "x", rows(30)))
    source = open_wandb(RUN)
    with full_from(1, tmp_path), pytest.raises(WandbError, match="disk is full") as caught:
        load_run(source)
    assert caught.value.kind == "disk_full"


def test_a_full_disk_has_room_where_older_things_go(service, open_wandb, tmp_path, monkeypatch):
    """The cache gives up what was not used lately, as for a download."""
    service.add(StoredRun("x", "x", rows(30)))
    old = load_run(open_wandb(), "sweep")
    for path in (tmp_path / "cache").rglob("objects/*/*"):
        os.utime(path, (1, 1))
    real = Cache.keep

    def once(self: Cache, *args: Any) -> Path:
        monkeypatch.setattr(Cache, "keep", real)
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Cache, "keep", once)
    assert read(open_wandb(RUN)).problems == ()
    questions(service)
    assert load_run(open_wandb(), "sweep").digest == old.digest
    assert questions(service)["HistoryPage"] == 1


def test_a_folder_that_is_removed_meanwhile_is_made_again(service, open_wandb, tmp_path):
    """Between two readings, and between two pages."""
    run = service.add(StoredRun("x", "x", rows(5_000)))
    source = open_wandb(RUN)
    read(source)
    shutil.rmtree(tmp_path / "cache")
    assert len(read(source).history) == 5_000
    run.rows = rows(8_000)
    run.internal = "another"

    def remove(question: str) -> None:
        if question == "HistoryPage" and service.counts[question] % 4 == 3:
            shutil.rmtree(tmp_path / "cache", ignore_errors=True)

    service.before = remove
    assert len(read(source).history) == 8_000
    service.before = lambda _: None
    assert read(source).problems == ()


def test_a_bit_that_flips_in_any_kept_file_is_noticed(service, open_wandb, tmp_path):
    """The history is read again, the listing is none."""
    service.add(StoredRun("x", "x", rows(3_000)))
    digest = read(open_wandb(RUN)).digest
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert {path.parent.parent.name for path in files} >= {"objects", "v1"}
    for path in files:
        for at in (0.1, 0.5, 0.99):
            if not path.exists():
                continue
            data = bytearray(path.read_bytes())
            data[int(at * len(data))] ^= 4
            path.write_bytes(data)
            kept.open_cache.cache_clear()
            assert read(open_wandb(RUN)).digest == digest
    service.readers = set()
    [listing] = (tmp_path / "cache").rglob("listings/*.json")
    data = bytearray(listing.read_bytes())
    data[len(data) // 2] ^= 1
    listing.write_bytes(data)
    with pytest.raises(WandbError, match="no project"):
        load_run(open_wandb(RUN))
