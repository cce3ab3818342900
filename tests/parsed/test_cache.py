"""Logs that were parsed once come back the same, whatever happens to the cache."""

from __future__ import annotations

import json
import math
import tempfile
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d import load_entries
from viz3d.cli import main
from viz3d.errors import SourceError, Viz3dError
from viz3d.formats import limits
from viz3d.formats.tally import Tally
from viz3d.load import load_runs
from viz3d.parsed import cache, columns, digests, files, growth, key, open_files
from viz3d.parsed.cache import ParsedCache
from viz3d.run import Run
from viz3d.sources.digest import of_grown

ROWS = "".join(f'{{"step": {i}, "loss": {3 / (1 + i)}, "lr": {i / 7}}}\n' for i in range(50))

# Examples; few where each opens a run three times.
OFTEN = [25, pytest.param(2_000, marks=pytest.mark.slow)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log, and an empty cache that is worth it for any log."""
    monkeypatch.setenv("VIZ3D_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(load_entries, "WORTH", 0)
    monkeypatch.setattr(columns, "AT_ONCE", 0)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.jsonl").write_text(ROWS)
    return tmp_path / "runs"


def kept(folder: Path) -> list[Path]:
    """Return the folders of what is kept, the oldest first."""
    place = folder.parent / "cache" / "v1" / "parsed"
    found = [path for path in place.iterdir() if path.is_dir()]
    return sorted(found, key=lambda path: (path / "about.json").stat().st_mtime_ns)


def assert_same(found: list[Run], wanted: list[Run]) -> None:
    """Compare everything that a run says, frames to the last bit and type."""
    assert len(found) == len(wanted)
    for mine, other in zip(found, wanted, strict=True):
        for name in ("name", "source", "config", "roles", "problems", "digest", "metrics"):
            assert repr(getattr(mine, name)) == repr(getattr(other, name))
        for metric in mine.metrics:
            assert mine.logged(metric) == other.logged(metric)
            pd.testing.assert_series_equal(mine.column(metric), other.history[metric])
        assert list(mine.index) == list(other.index)
        for name in ("history", "attempts", "nonfinite", "layers"):
            a, b = getattr(mine, name), getattr(other, name)
            assert (a is None) == (b is None)
            if a is not None:
                pd.testing.assert_frame_equal(a, b, check_exact=True, check_freq=True)


NAMES = st.sampled_from(
    ["step", "loss", "lr", "a.b", "ä/ß \u202e", "0", "name", "layer", "grad_norm", "time",
     "grad_norm/h.0", "grad_norm/h.1"]
)  # fmt: skip
VALUES = st.one_of(
    st.integers(-(2**63), 2**64), st.integers(0, 9), st.floats(), st.booleans(), st.none(),
    st.sampled_from(["nan", "x", "h.3", "1.5"]),
)  # fmt: skip
LINES = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=5).map(json.dumps),
    st.builds(
        lambda step, loss: json.dumps({"step": step, "loss": loss}),
        st.integers(0, 9), st.floats(),
    ),
    st.sampled_from(["", "{", "null", '{"step": 1, "step": 2}', '{"deep": {"er": 1}}']),
)  # fmt: skip


def load(path: Path) -> list[Run] | str:
    try:
        return load_runs(path)
    except Viz3dError as error:
        return str(error)


@pytest.mark.parametrize("count", OFTEN)
def test_what_was_parsed_comes_back_the_same(count: int) -> None:
    """The first opening, the second, and one without a cache agree in everything."""
    given_any = given(st.lists(LINES, max_size=12), st.booleans(), st.booleans())
    settings(max_examples=count, deadline=None)(given_any(comes_back_the_same))()


def comes_back_the_same(lines: list[str], lazy: bool, table: bool) -> None:
    """Open some lines three times."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = Path(name) / "lr-0.1.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        if table:
            path = path.with_suffix(".csv")
            rows = [",".join(map(str, json.loads(line).values())) for line in lines if '{"' in line]
            path.write_text("\n".join(["step,loss,lr", *rows]), encoding="utf-8", newline="")
        wanted = load(path)
        patch.setenv("VIZ3D_CACHE_DIR", str(Path(name) / "cache"))
        patch.setattr(load_entries, "WORTH", 0)
        patch.setattr(columns, "AT_ONCE", 0 if lazy else 10**6)
        for _ in range(2):
            found = load(path)
            if isinstance(wanted, str) or isinstance(found, str):
                assert found == wanted
            else:
                assert_same(found, wanted)


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


@pytest.mark.parametrize("name", ["about.json", "0-history.parquet", "0-nonfinite.parquet"])
def test_what_is_damaged_is_made_anew(folder: Path, name: str) -> None:
    """A flipped byte in any file is noticed, at the opening or when the column is read."""
    (folder / "a.jsonl").write_text(ROWS + '{"step": 50, "loss": NaN}\n')
    wanted = load_runs(folder)
    (entry,) = kept(folder)
    data = bytearray((entry / name).read_bytes())
    for at in range(0, len(data), max(1, len(data) // 6)):
        damaged = data.copy()
        damaged[at] ^= 0x10
        entry.mkdir(exist_ok=True)
        (entry / name).write_bytes(damaged)
        assert_same(load_runs(folder), wanted)
        assert_same(load_runs(folder), wanted)


def test_a_damaged_column_of_a_log_that_changed_is_told(folder: Path) -> None:
    """It cannot be read again then; nothing else is handed out in its place."""
    load_runs(folder)
    (run,) = load_runs(folder)
    (entry,) = kept(folder)
    history = entry / "0-history.parquet"
    with history.open("r+b") as file:
        file.seek(history.stat().st_size // 4)
        file.write(b"\xff" * 300)
    (folder / "a.jsonl").write_text(ROWS + '{"step": 50, "loss": 0}\n')
    with pytest.raises(SourceError, match="open the run again"):
        _ = run.history


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


def test_no_flipped_bit_goes_unseen(folder: Path) -> None:
    """Not in what says how a page or a column is to be read either, of which Parquet has no sum."""
    (folder / "a.jsonl").write_text(ROWS + '{"step": 60, "loss": NaN}\n{"step": 50, "loss": 1}\n')
    (wanted,) = load_runs(folder)
    (entry,) = kept(folder)
    unseen = []  # but for the first four bytes of a file of Parquet, which nobody reads
    for path in sorted(entry.iterdir()):
        whole = path.read_bytes()
        for at in range(4, len(whole), 7):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
            if files.check(entry, entry.name):
                unseen.append((path.name, at))
        path.write_bytes(whole)
    assert unseen == []
    history = entry / "0-history.parquet"
    data = bytearray(history.read_bytes())
    data[data.rindex(b"step", 0, data.index(b"parquet-cpp"))] ^= 1  # the name of a column
    history.write_bytes(data)
    assert_same(load_runs(folder), [wanted])


FLOATS = st.one_of(st.floats(), st.integers(-9, 9))
CLEAN = st.tuples(
    st.sampled_from([1, 1, 2]),
    st.fixed_dictionaries({"loss": FLOATS}, optional={"lr": FLOATS, "val": FLOATS}),
)
ODD = st.one_of(
    st.tuples(st.sampled_from([0, -1, -3]), st.fixed_dictionaries({"loss": FLOATS})),
    st.tuples(st.sampled_from([0, 1]), st.fixed_dictionaries({"val": FLOATS})),
    st.tuples(st.just(1), st.sampled_from([{"new": 1}, {"loss": "x"}, {"layer": 1}, {"_step": 3}])),
    st.just((0, None)),
)
GROWING = st.builds(
    lambda first, more, last: first + more + last,
    st.lists(CLEAN, min_size=1, max_size=4),
    st.lists(ODD, max_size=2),
    st.lists(CLEAN, max_size=4),
)


def lines_of(rows: list[tuple[int, dict[str, Any] | None]]) -> bytes:
    """Return a log whose steps go on, stand still or go back; None is an odd line."""
    step, lines = 0, []
    for gap, row in rows:
        step += gap
        lines.append("{odd" if row is None else json.dumps({"step": step, **row}))
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.mark.parametrize("count", OFTEN)
def test_a_grown_log_is_what_the_whole_is(count: int) -> None:
    """Whatever was added, and wherever the log ended when it was read before."""
    given_any = given(GROWING, st.floats(0, 1), st.integers(0, 7), st.booleans())
    settings(max_examples=count, deadline=None)(given_any(grows_to_the_whole))()


def grows_to_the_whole(
    rows: list[tuple[int, dict[str, Any] | None]], where: float, torn: int, beside: bool
) -> None:
    """Open a log that ends somewhere, and again when it is whole."""
    whole = lines_of(rows)
    begun = whole[: len(lines_of(rows[: 1 + int(where * len(rows))])) - max(0, torn - 4)]
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = Path(name) / "runs" / "metrics.jsonl"
        path.parent.mkdir()
        if beside:
            path.with_name("run.json").write_text('{"config": {"lr": 1}}')
        path.write_bytes(whole)
        wanted = load(path.parent)
        patch.setenv("VIZ3D_CACHE_DIR", str(Path(name) / "cache"))
        patch.setattr(load_entries, "WORTH", 0)
        for content in (begun, whole, whole):
            path.write_bytes(content)
            found = load(path.parent)
        if isinstance(wanted, str) or isinstance(found, str):
            assert found == wanted
        else:
            assert_same(found, wanted)


# Rows of a CSV behind the step: how far that goes on, and cells; a text is a line of its own.
CELLS = st.sampled_from(["0", "1", "2.5", "nan", "1e400"])
ODD_CELLS = st.sampled_from(["", "x", "true", "-", '"1', '"4"', "2,5", "0x1F", "\u00e4", "1\r2"])
CLEAN_ROWS = st.tuples(st.sampled_from([1, 1, 2]), st.lists(CELLS, min_size=3, max_size=3))
ODD_ROWS = st.one_of(
    st.tuples(st.sampled_from([1, 0, -2]), st.lists(CELLS | ODD_CELLS, min_size=3, max_size=3)),
    st.sampled_from(["", " ", "1", "1,2,3,4,5", "#", "\ufeff5,1,1,1", "step,loss,lr,name"]),
)
HEADS = st.sampled_from([
    "step,loss,lr,val", "step,loss,lr,name", "step,loss,layer,val", "epoch,step,loss,lr",
    "loss,global_step,step,lr", "# one\nstep,a,A,b", "a,b,c,d", "0,1,2,3",
    "step,r - a,r - a__MIN,r - a__MAX", "step,a,a,",
])  # fmt: skip
CSV_ROWS = st.builds(
    lambda first, odd, last: first + odd + last,
    st.lists(CLEAN_ROWS, min_size=1, max_size=4),
    st.lists(ODD_ROWS, max_size=1),
    st.lists(CLEAN_ROWS, max_size=4),
)


@pytest.mark.parametrize("count", [60, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_grown_table_is_what_the_whole_is(count: int) -> None:
    """Whatever was added, and wherever the file ended when it was read before."""
    ends, marks = st.sampled_from(["\n", "\r\n"]), st.sampled_from([",", ",", ";"])
    given_any = given(HEADS, CSV_ROWS, st.floats(0, 1), st.integers(0, 5), ends, marks)
    settings(max_examples=count, deadline=None)(given_any(table_grows_to_the_whole))()


def table_grows_to_the_whole(
    head: str, rows: list[Any], where: float, torn: int, end: str, mark: str
) -> None:
    """Open a CSV that ends somewhere, and again when it is whole."""
    step, lines = 0, [head]
    for row in rows:
        step += 0 if isinstance(row, str) else row[0]
        lines.append(row if isinstance(row, str) else ",".join([str(step), *row[1]]))
    lines = [line.replace(",", mark) + end for line in lines]
    whole = "".join(lines).encode()
    begun = "".join(lines[: 2 + int(where * len(rows))]).encode()
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = Path(name) / "runs" / "metrics.csv"
        path.parent.mkdir()
        path.write_bytes(whole)
        wanted = load(path.parent)
        patch.setenv("VIZ3D_CACHE_DIR", str(Path(name) / "cache"))
        patch.setattr(load_entries, "WORTH", 0)
        for content in (begun[: len(begun) - max(0, torn - 3)], whole, whole):
            path.write_bytes(content)
            found = load(path.parent)
        if isinstance(wanted, str) or isinstance(found, str):
            assert found == wanted
        else:
            assert_same(found, wanted)


@pytest.mark.parametrize(
    "more",
    [
        [{"step": 50, "loss": 1}, {"step": 50, "loss": 2}],  # logged again
        [{"step": 49, "loss": 1}],
        [{"step": 52, "loss": 1}, {"step": 51, "loss": 1}],
        [{"step": 3, "loss": 1}],  # a restart
        [{"step": 50, "new": 1}],
        [{"step": 50, "loss": True}],
        [{"step": 50.5, "loss": 1}],
        [{"loss": 1}],
        [{"global_step": 50, "loss": 1}],
        [{"step": 50, "name": "h.0", "loss": 1}],
    ],
)
def test_what_only_the_whole_log_can_tell_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, more: list[dict[str, Any]]
) -> None:
    """Repeats, restarts, new metrics and odd rows count as if the log had been read at once."""
    load_runs(folder)
    with (folder / "a.jsonl").open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in more)
    found = load_runs(folder)
    monkeypatch.setattr(load_entries, "WORTH", 10**9)
    assert_same(found, load_runs(folder))


def test_a_log_in_no_order_may_turn_out_to_have_restarts(folder: Path) -> None:
    """That is seen from how many rows go back, so from all of them."""
    lines = [f'{{"step": {step}, "loss": {step}}}\n' for step in (3, 2, 1, *range(4, 20))]
    (folder / "a.jsonl").write_text("".join(lines[:3]))
    assert "in no order" in str(load_runs(folder)[0].problems)
    (folder / "a.jsonl").write_text("".join(lines))
    assert "a restart" in str(load_runs(folder)[0].problems)


def test_a_last_line_without_an_end_may_go_on(folder: Path) -> None:
    """It was a row then, and is none with what was added."""
    (folder / "a.jsonl").write_text(ROWS.rstrip())
    assert load_runs(folder)[0].index[-1] == 49
    (folder / "a.jsonl").write_text(ROWS.rstrip() + '{"step": 50, "loss": 1}\n')
    (run,) = load_runs(folder)
    assert run.index[-1] == 48
    assert run.problems[0].line == 50


def test_of_a_grown_log_the_end_alone_is_parsed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept of its beginning makes room for what is kept of it all."""
    load_runs(folder)
    more = '{"step": 50, "lr": 0.5, "loss": NaN}\n{"step": 51, "loss": 0.25}\n'
    with (folder / "a.jsonl").open("a") as file:
        file.write(more)
    monkeypatch.setattr(load_entries, "read_run", None)
    (run,) = load_runs(folder)
    assert run.history["loss"].loc[51] == 0.25
    assert run.nonfinite["step"].tolist() == [50]
    assert len(kept(folder)) == 1
    last = '{"step": 52, "loss": 1}\n'
    (folder / "a.jsonl").write_text((ROWS + more).replace("3.0", "4.0", 1) + last)
    with pytest.raises(TypeError):  # another beginning: it would be parsed as a whole
        load_runs(folder)


def test_of_a_grown_table_the_end_alone_is_parsed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of which the end alone has fractions is one of numbers all along."""
    (folder / "a.jsonl").unlink()
    (folder / "a.csv").write_text("step,loss,lr\n0,3,1\n1,2,5\n")
    load_runs(folder)
    with (folder / "a.csv").open("a") as file:
        file.write("2,1.5,nan\n3,1,7\n")
    with monkeypatch.context() as patch:
        patch.setattr(load_entries, "read_run", None)
        (run,) = load_runs(folder)
    assert run.history["loss"].to_dict() == {0: 3, 1: 2, 2: 1.5, 3: 1}
    assert run.nonfinite["step"].tolist() == [2]
    monkeypatch.setattr("viz3d.formats.limits.NUMBERS", 4 * (1 + 2 + 4))
    load_runs(folder)
    with (folder / "a.csv").open("a") as file:
        file.write("4,1,1\n")
    with pytest.raises(Viz3dError, match="VIZ3D_MAX_NUMBERS"):  # the cap is on all of it
        load_runs(folder)


def test_of_a_table_that_looks_different_now_no_row_is_taken(folder: Path) -> None:
    """Which delimiter it has, its first rows say together."""
    begun = "step,a|b\n0,1\n"
    (folder / "a.csv").write_text(begun + "1,2\n")
    assert growth._csv(folder / "a.csv", Tally(""), len(begun), b"")[1].n == 1
    (folder / "a.csv").write_text(begun + "1|2\n2|3\n")
    assert growth._csv(folder / "a.csv", Tally(""), len(begun), b"")[1].n == 0


def test_what_is_not_a_number_is_kept_as_that(folder: Path) -> None:
    """NaN, infinities and gaps are three things, from the cache too."""
    (folder / "a.jsonl").write_text('{"step": 0, "a": NaN, "b": Infinity}\n{"step": 1, "a": 1}\n')
    load_runs(folder)
    (run,) = load_runs(folder)
    assert run.nonfinite["metric"].tolist() == ["a", "b"]
    assert math.isinf(run.history["b"][0])
    assert cache.users_cache()[0] is not None


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


def test_a_log_that_grows_beyond_a_cap_is_cut_as_a_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Piece by piece it would grow without end."""
    load_runs(folder)
    monkeypatch.setattr("viz3d.formats.limits.HISTORY_CELLS", 110)
    load_runs(folder)  # under another key, as caps are part of it
    with (folder / "a.jsonl").open("a") as file:
        file.writelines(f'{{"step": {step}, "loss": 1, "lr": 2}}\n' for step in range(50, 60))
    (run,) = load_runs(folder)
    assert len(run.index) == 55
    assert any("The last 5 steps were left out" in str(problem) for problem in run.problems)
