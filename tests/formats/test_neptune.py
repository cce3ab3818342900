"""Parquet as neptune-exporter writes it."""

from __future__ import annotations

import decimal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from viz3d.errors import NotMine
from viz3d.formats import limits, neptune
from viz3d.formats.neptune_schema import KEYS
from viz3d.formats.reading import read_run
from viz3d.load import list_runs, load_run, open_source

from .conftest import joined, said

# As in the exporter's README.
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in KEYS),
        ("step", pa.decimal128(18, 6)),
        ("timestamp", pa.timestamp("ms", tz="UTC")),
        ("int_value", pa.int64()),
        ("float_value", pa.float64()),
        ("string_value", pa.string()),
        ("bool_value", pa.bool_()),
        ("datetime_value", pa.timestamp("ms", tz="UTC")),
        ("string_set_value", pa.list_(pa.string())),
        ("file_value", pa.struct([("path", pa.string())])),
        (
            "histogram_value",
            pa.struct(
                [
                    ("type", pa.string()),
                    ("edges", pa.list_(pa.float64())),
                    ("values", pa.list_(pa.float64())),
                ]
            ),
        ),
    ]
)  # fmt: skip
DIGEST = "0123456789abcdef"


def value(path: str, kind: str, given: Any, run: str = "RUN-1", step: float | None = None,
          project: str = "org/p") -> dict[str, Any]:  # fmt: skip
    """Return a row."""
    column = {"float_series": "float", "string_series": "string"}.get(kind, kind)
    exact = None if step is None else decimal.Decimal(str(step)).quantize(decimal.Decimal("1e-6"))
    return {
        "project_id": project, "run_id": run, "attribute_path": path, "attribute_type": kind,
        "step": exact, f"{column}_value": given,
    }  # fmt: skip


def series(path: str, values: dict[float, float], run: str = "RUN-1") -> list[dict[str, Any]]:
    """Return the rows of a series."""
    return [value(path, "float_series", given, run, step) for step, given in values.items()]


def write(path: Path, rows: list[dict[str, Any]], **options: Any) -> Path:
    """Write a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path, compression="snappy", **options)
    return path


def test_series_are_the_history_and_single_values_the_config(tmp_path: Path) -> None:
    """Whatever else there is is counted."""
    when = datetime(2025, 1, 2, tzinfo=UTC)
    rows = [
        value("lr", "float", 0.1), value("layers", "int", 3), value("name", "string", "x"),
        value("ok", "bool", True), value("begun", "datetime", when),
        value("tags", "string_set", ["b", "a"]), value("sys/id", "string", "RUN-1"),
        *series("train/loss", {0: 3.0, 10: 2.0, 20: float("nan")}), *series("acc", {10: 0.5}),
        *series("step", {0: 7.0}),
        value("log", "string_series", "hello", step=1), value("f", "file", {"path": "a"}),
    ]  # fmt: skip
    path = write(tmp_path / "a.parquet", rows, row_group_size=4)
    first, parsed = neptune.read({"a.parquet": path})
    found = joined(parsed)
    assert found.history.index.tolist() == [0, 10, 20]
    assert found.history["train/loss"].iloc[:2].tolist() == [3, 2]
    assert found.history["acc"].dropna().to_dict() == {10: 0.5}
    assert found.history["step (logged)"].dropna().to_dict() == {0: 7}
    assert len(found.nonfinite) == 1
    assert parsed.config == {
        "lr": 0.1, "layers": 3, "name": "x", "ok": True, "tags": ["a", "b"],
        "begun": "2025-01-02T00:00:00+00:00",
    }  # fmt: skip
    assert "2 values of series of text, of histograms and of files were not read (string_series, " \
        "file)." in said(first)  # fmt: skip
    assert "1 value that Neptune notes of itself was left out (sys/id)." in said(first)
    assert parsed.name == ""


def test_parts_of_one_run_are_one_run(tmp_path: Path) -> None:
    """In the order of their numbers; a missing one is told."""
    for part, at in ((0, 0), (2, 2), (10, 10)):
        rows = [*series("loss", {at: 1.0, at + 1: 2.0}), value("part", "int", part)]
        write(tmp_path / f"p-{DIGEST}" / f"RUN-1-{DIGEST}_part_{part}.parquet", rows)
    source = open_source(tmp_path)
    [info] = list_runs(source)
    assert info.name == f"p-{DIGEST}/RUN-1-{DIGEST}"
    loaded = load_run(source)
    assert loaded.history.index.tolist() == [0, 1, 2, 3, 10, 11]
    assert loaded.config["part"] == 10
    assert loaded.attempts is None
    assert "8 parts are missing" in " ".join(map(str, loaded.problems))


def test_several_runs_of_one_file_are_several_runs(tmp_path: Path) -> None:
    """As the first versions wrote a project; the same id in two projects is told apart."""
    rows = series("loss", {0: 1.0}, "A") + series("loss", {0: 2.0}, "B")
    rows += [value("loss", "float_series", 3.0, "B", 0, project="other/p")]
    files = {
        "p/part_0.parquet": write(tmp_path / "0.parquet", rows),
        "p/part_1.parquet": write(tmp_path / "1.parquet", series("loss", {1: 4.0}, "A")),
    }
    found = {contents.name: contents.joined.history for contents in read_run("p", files)}
    assert found["A"]["loss"].to_dict() == {0: 1, 1: 4}
    assert found["org/p/B"]["loss"].to_dict() == {0: 2}
    assert found["other/p/B"]["loss"].to_dict() == {0: 3}


def test_an_empty_cell_is_no_nan(tmp_path: Path) -> None:
    """Nobody knows what was logged there; it is counted by name, and a NaN stays a fact."""
    values: dict[float, Any] = {0: 1.0, 1: None, 2: float("nan"), 3: 0.5}
    rows = [*series("loss", values), *series("acc", {0: None})]
    first, parsed = neptune.read({"part_0.parquet": write(tmp_path / "0.parquet", rows)})
    found = joined(parsed)
    assert found.nonfinite["step"].tolist() == [2]
    assert found.history["loss"].dropna().to_dict() == {0: 1, 3: 0.5}
    assert 1 not in found.history.index
    assert "acc" not in found.history
    assert "2 values of series without a number were left out (loss, acc)." in said(first)


def test_attributes_that_become_one_name_are_told(tmp_path: Path) -> None:
    """Spaces are no part of a name."""
    rows = [*series("loss", {0: 1.0, 1: 2.0}), *series("loss ", {1: 9.0, 2: 8.0})]
    _, parsed = neptune.read({"part_0.parquet": write(tmp_path / "0.parquet", rows)})
    found = joined(parsed)
    assert found.history["loss"].to_dict() == {0: 1, 1: 9, 2: 8}
    assert found.replaced == 1
    assert "2 values of a name that differs from another one in spaces alone" in said(parsed)


def test_a_damaged_part_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    """And steps between whole numbers are counted."""
    good = write(tmp_path / "0.parquet", series("loss", {0: 1.0, 0.5: 2.0, 1: 3.0}))
    torn = tmp_path / "1.parquet"
    torn.write_bytes(good.read_bytes()[:-100])
    first, parsed = neptune.read({"part_0.parquet": good, "part_1.parquet": torn})
    assert joined(parsed).history["loss"].to_dict() == {0: 1, 1: 3}
    assert "part_1.parquet: The part was left out: it is no complete Parquet file" in said(first)
    assert "1 row without a whole number" in said(parsed)


def test_it_declines_with_a_reason(tmp_path: Path) -> None:
    """A part of a data set is none."""
    path = tmp_path / "part_0.parquet"
    pq.write_table(pa.table({"text": ["a"]}), path)
    with pytest.raises(NotMine, match="no columns project_id, run_id"):
        neptune.read({"part_0.parquet": path})
    assert not neptune.holds(path)


def test_what_goes_over_a_cap_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics, single values and cells."""
    rows = [row for at in range(3) for row in series(f"m{at}", {0: 1.0, 1: 2.0})]
    rows += [value(f"c{at}", "int", at) for at in range(3)]
    path = write(tmp_path / "a.parquet", rows, row_group_size=5)
    monkeypatch.setattr(limits, "METRICS", 2)
    monkeypatch.setattr(limits, "SINGLE_VALUES", 2)
    first, parsed = neptune.read({"a.parquet": path})
    assert list(joined(parsed).history) == ["m0", "m1"]
    assert parsed.config == {"c0": 0, "c1": 1}
    assert "1 single value beyond" in said(first)
    assert "2 values of metrics beyond" in said(parsed)
    monkeypatch.setattr(limits, "NUMBERS", 11)  # five for each of the first two values
    first, parsed = neptune.read({"a.parquet": write(path, rows, row_group_size=2)})
    assert list(joined(parsed).history) == ["m0"]
    assert "The last 4 rows were left out: the run has more than 11 numbers" in said(first)
    monkeypatch.setattr(limits, "CELLS", 10)
    with pytest.raises(NotMine, match="9 rows of"):
        neptune.read({"a.parquet": path})


def test_runs_have_a_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes its time; the first ones are kept whole, from whichever part."""
    monkeypatch.setattr(limits, "RUNS", 2)
    one = [*series("loss", {0: 1.0}, "A"), value("n", "int", 1, "B"), value("n", "int", 2, "C")]
    two = [*series("loss", {1: 2.0, 2: 3.0}, "D"), *series("loss", {1: 4.0}, "A")]
    first, *runs = neptune.read({
        "part_0.parquet": write(tmp_path / "0.parquet", one),
        "part_1.parquet": write(tmp_path / "1.parquet", two),
    })  # fmt: skip
    assert [run.name for run in runs] == ["A", "B"]
    assert joined(runs[0]).history["loss"].to_dict() == {0: 1, 1: 4}
    assert "1 value of runs beyond the first 2 was left out" in said(first)
    assert "2 values of runs beyond the first 2 were left out" in said(first)
    assert "Set VIZ3D_MAX_RUNS to more" in said(first)


def test_on_this_disk_a_file_of_another_name_is_known(tmp_path: Path) -> None:
    """By its columns."""
    write(tmp_path / "exported.parquet", series("loss", {0: 1.0, 1: 2.0}))
    loaded = load_run(tmp_path)
    assert loaded.history["loss"].tolist() == [1, 2]


def test_times_of_no_calendar_cost_only_themselves(tmp_path: Path) -> None:
    """A file may hold any 64 bits as a time, and name any time zone."""
    for kind in (
        pa.timestamp("ms", tz="UTC"),
        pa.timestamp("us"),
        pa.timestamp("ms", tz="No/Zone"),
    ):
        rows = [
            *series("loss", {1: 2.0}),
            value("lr", "float", 0.5),
            value("when", "datetime", None),
        ]
        table = pa.Table.from_pylist(rows, SCHEMA)
        at = table.schema.get_field_index("datetime_value")
        table = table.set_column(at, "datetime_value", pa.array([None, None, 2**62], kind))
        path = tmp_path / f"RUN-1-{DIGEST}_part_0.parquet"
        pq.write_table(table, path)
        (run,) = read_run("r", {path.name: path})
        assert run.joined.history["loss"].to_dict() == {1: 2.0}
        assert run.config == {"lr": 0.5, "when": None}
        assert "1 value that is no time of any calendar was left out." in str(run.problems[-1])


def test_a_column_that_stands_twice_is_no_export(tmp_path: Path) -> None:
    """Nobody can say which of the two it would be."""
    table = pa.Table.from_pylist(series("loss", {1: 2.0}), SCHEMA)
    path = tmp_path / f"RUN-1-{DIGEST}_part_0.parquet"
    pq.write_table(table.append_column("step", table["step"]), path)
    with pytest.raises(NotMine, match="no columns project_id"):
        neptune.read({path.name: path})


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [("string", "x" * 300, 16), ("string_set", ["x" * 150, "y" * 50], 16)],
)
def test_text_of_single_values_has_a_cap_and_what_is_beyond_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, given: Any, kept: int
) -> None:
    """A dictionary holds it once, and each value has it; numbers behind it have their place."""
    rows = [*series("loss", {0: 1.0}), *(value(f"c{at}", kind, given) for at in range(30))]
    path = write(tmp_path / "a.parquet", [*rows, value("n", "int", 3)])
    first, parsed = neptune.read({"a.parquet": path})
    assert (len(parsed.config), said(first)) == (31, "")
    monkeypatch.setattr(limits, "SINGLE_BYTES", 5000)
    first, parsed = neptune.read({"a.parquet": path})
    assert parsed.config == {**{f"c{at}": given for at in range(kept)}, "n": 3}
    assert "14 single values beyond the first 5,000 bytes of text were left out (c16" in said(first)
    monkeypatch.setattr(limits, "TEXT_BYTES", 50)
    with pytest.raises(NotMine, match="more than those of such an export"):
        neptune.read({"a.parquet": path})


def test_a_part_with_many_texts_of_which_few_are_read_keeps_its_empty_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The few rows that are left still have the texts of all."""
    singles = [value(f"c{at}", "string", f"{at:09}") for at in range(40)]
    singles[1] |= {"string_value": None}
    path = write(tmp_path / "a.parquet", [*series("loss", {0: 1.0}), *singles])
    monkeypatch.setattr(limits, "SINGLE_VALUES", 3)
    first, parsed = neptune.read({"a.parquet": path})
    assert parsed.config == {"c0": "000000000", "c1": None, "c2": "000000002"}
    assert "37 single values beyond the first 3 were left out" in said(first)
