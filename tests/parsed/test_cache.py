"""Logs that were parsed once come back the same, whatever happens to the cache."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from viz3d import load_entries
from viz3d.cli import main
from viz3d.formats import limits
from viz3d.load import load_runs
from viz3d.parsed import digests, files, key
from viz3d.parsed.cache import ParsedCache
from viz3d.run import Run
from viz3d.sources.digest import of_grown

from .opening import ROWS, assert_same, kept


def test_a_log_that_changes_is_parsed_again(folder: Path) -> None:
    """Also where its size and its time stay the same: one that young is hashed each time."""
    assert load_runs(folder)[0].history["loss"][0] == 3.0
    (folder / "a.jsonl").write_text(ROWS.replace("3.0", "4.0", 1))
    assert load_runs(folder)[0].history["loss"][0] == 4.0


def test_other_caps_parse_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a cap left out is no part of what another one lets in."""
    assert load_runs(folder)[0].metrics == ("loss", "lr")
    monkeypatch.setattr("viz3d.formats.limits.METRICS", 1)
    assert len(load_runs(folder)[0].metrics) < 2


def test_a_key_holds_all_that_makes_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of any of these texts is another parser."""
    read: list[Path] = []
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or real(path))
    key._parser.__wrapped__()
    folders = (Path(module.__file__).parent for module in (files, limits))
    assert {path for folder in folders for path in folder.rglob("*.py")} <= {*read}
    assert {"files.py", "growth.py", "roles.py", "jsonl.py", "rows.py"} <= {
        path.name for path in read
    }


def test_many_at_once_do_each_other_no_harm(folder: Path) -> None:
    """Whoever comes last throws its own away; nobody sees half of anything."""
    wanted = load_runs(folder)
    found: list[list[Run]] = []
    for _ in range(5):
        ParsedCache.open(folder.parent / "cache").clear()
        threads = [threading.Thread(target=lambda: found.append(load_runs(folder))) for _ in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [path.suffix for path in kept(folder)] == [""]
    assert len(found) == 20
    for runs in found:
        assert_same(runs, wanted)


def test_without_a_cache_runs_open_and_the_reason_is_told_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands where the folder should be."""
    (folder.parent / "full").write_text("")
    monkeypatch.setenv("VIZ3D_CACHE_DIR", str(folder.parent / "full"))
    (run,) = load_runs(folder)
    (problem,) = run.problems
    assert "parsed at each opening" in problem.what
    assert load_runs(folder)[0].problems == ()


def test_the_least_used_goes_when_it_is_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest stays even if it is larger than all that may be kept."""
    load_runs(folder)
    (folder / "a.jsonl").write_text(ROWS[: len(ROWS) // 2])
    load_runs(folder)
    first, second = kept(folder)
    (folder / "a.jsonl").write_text(ROWS)
    load_runs(folder)  # used again
    assert kept(folder) == [second, first]
    monkeypatch.setenv("VIZ3D_CACHE_SIZE", "5 KB")
    (folder / "a.jsonl").write_text(ROWS[: len(ROWS) // 3])
    load_runs(folder)
    left = kept(folder)
    assert second not in left
    assert left[-1] not in (first, second)


def test_the_command_looks_after_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`info` counts, `verify` finds a flipped byte, `clear` empties."""

    def said(*words: str) -> str:
        assert main(["cache", *words]) == 0
        return capsys.readouterr().out

    load_runs(folder)
    info = json.loads(said("info", "--json"))
    (entry,) = kept(folder)
    assert info["parsed"] == 1
    assert info["parsed_bytes"] == sum(path.stat().st_size for path in entry.iterdir())
    assert "of 1 run, of 10.0 GB at most" in said("info")
    assert said("verify") == "1 file checked, all good.\n"
    history = entry / "0-history.parquet"
    data = bytearray(history.read_bytes())
    data[len(data) // 3] ^= 1
    history.write_bytes(data)
    assert json.loads(said("verify", "--json")) == {"checked": 1, "bad": [entry.name]}
    assert kept(folder) == []
    load_runs(folder)
    assert "freed" in said("clear")
    assert kept(folder) == []


def test_what_is_refused_for_its_size_is_not_read_for_a_checksum(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log beside it is kept, and comes back with what was told."""
    run = folder / "run"
    run.mkdir()
    (run / "run.json").write_text('{"config": {}}')
    (run / "metrics.jsonl").write_text('{"step": 0, "loss": 1}\n' * 5)
    (run / "log.csv").write_text("step,lr\n" + "0,1\n" * 200)
    monkeypatch.setattr("viz3d.formats.limits.FILE_BYTES", 500)
    hashed: list[str] = []

    def noted(path: Path, before: int) -> tuple[bytes, bytes]:
        hashed.append(path.name)
        return of_grown(path, before)

    monkeypatch.setattr(digests, "of_grown", noted)
    first = load_runs(run)
    monkeypatch.setattr(load_entries, "read_run", None)  # what is kept is not read again
    assert_same(load_runs(run), first)
    assert {*hashed} == {"metrics.jsonl", "run.json"}
    assert first[0].metrics == ("loss",)
    assert any("larger than 500 bytes" in str(problem) for problem in first[0].problems)
