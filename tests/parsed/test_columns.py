"""Of what was kept the columns alone are read that are asked for, and few files stay open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from viz3d import load_entries
from viz3d.load import load_runs
from viz3d.parsed import columns, open_files
from viz3d.parsed.cache import ParsedCache

from .opening import ROWS, assert_same


def test_the_second_opening_parses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes what was kept, and of that the columns alone which are asked for."""
    wanted = load_runs(folder)
    read: list[list[str]] = []
    real = pq.ParquetFile.read

    def note(self: Any, columns: list[str], **more: Any) -> Any:
        read.append(columns)
        return real(self, columns, **more)

    monkeypatch.setattr(load_entries, "read_run", None)
    (run,) = load_runs(folder)
    monkeypatch.setattr(pq.ParquetFile, "read", note)
    loss = run.with_roles({"reward": "lr"}).role("loss")
    assert loss is not None
    assert read == [["step", "0"]]
    assert loss.to_dict() == wanted[0].history["loss"].to_dict()
    assert [run.logged(metric) for metric in run.metrics] == [50, 50]
    assert read == [["step", "0"]]
    assert_same([run], wanted)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[pa.OSFile]:
    """Files that Arrow opens."""
    found: list[pa.OSFile] = []
    real = pa.OSFile

    def note(path: str) -> pa.OSFile:
        found.append(real(path))
        return found[-1]

    monkeypatch.setattr(pa, "OSFile", note)
    return found


def test_few_histories_are_kept_open(
    folder: Path, opened: list[pa.OSFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process may have a thousand files open; those in use last are, even without a name."""
    for at in range(5):
        (folder / f"{at}.jsonl").write_text(ROWS.replace("3", str(at)))
    wanted = [run.history["loss"].tolist() for run in load_runs(folder)]
    opened.clear()
    monkeypatch.setattr(open_files, "MOST", 2)
    first, *others, last = load_runs(folder)
    assert [file.closed for file in opened] == [True] * 4 + [False] * 2
    assert first.column("loss").tolist() == wanted[0]
    assert last.column("loss").tolist() == wanted[-1]
    assert [file.closed for file in opened] == [True] * 5 + [False] * 2
    (folder / last.name).write_text("")
    ParsedCache.open(folder.parent / "cache").clear()
    assert last.column("lr").tolist() == [at / 7 for at in range(50)]
    assert [run.column("loss").tolist() for run in others] == wanted[1:-1]
    for run in (first, last):
        assert len(run.history.columns) == 2
    assert all(file.closed for file in opened)


def test_a_short_history_is_read_at_once_and_its_file_closed(
    folder: Path, opened: list[pa.OSFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "AT_ONCE", 1_000_000)
    load_runs(folder)
    opened.clear()
    (run,) = load_runs(folder)
    assert [file.closed for file in opened] == [True]
    assert run.history["loss"][0] == 3.0
