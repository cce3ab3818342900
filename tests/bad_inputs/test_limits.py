"""Every cap on input can be set in one place, bites where it says, and names its setting."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.bad_inputs.case import GOOD, lines, write
from tests.bad_inputs.documents import REPORT, landscape
from tests.formats.events import record, scalars, whole
from viz3d.errors import Viz3dError
from viz3d.formats import limits
from viz3d.load import load_runs, open_source
from viz3d.settings import LIMITS, load_settings
from viz3d.sources import parts


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The caps of before, after each test; nobody's settings meanwhile."""
    for cap in limits.SETTINGS:
        monkeypatch.setattr(limits, cap, getattr(limits, cap))
    for name in LIMITS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def parquet(folder: Path) -> None:
    lines(folder, *GOOD, name="metrics.jsonl")
    (folder / "metrics").mkdir()
    table = pa.table({"step": [0, 1], "x": [1.0, 2.0]})
    pq.write_table(table, folder / "metrics" / "part-00001.parquet")


def text_of_parquet(folder: Path) -> None:
    lines(folder, *GOOD, name="metrics.jsonl")
    (folder / "metrics").mkdir()
    table = pa.table({"step": [0, 1], "x": ["x" * 50] * 2})
    pq.write_table(table, folder / "metrics" / "part-00001.parquet")


def neptune(folder: Path) -> None:
    row = {"project_id": "p", "run_id": "R", "step": 0.0, "float_value": 1.0, "int_value": 1}
    row["string_value"] = "x" * 80
    kinds = ("float_series", "int", "string")
    rows = [row | {"attribute_path": f"m{at}", "attribute_type": k} for at, k in enumerate(kinds)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "R-0123456789abcdef_part_0.parquet")


def events(folder: Path) -> None:
    content = scalars("loss", {0: 3.0, 1: 2.0}) + record(whole(2, 1) * 60)
    write(folder, "events.out.tfevents.1.host.1.0", content)


def with_config(folder: Path) -> None:
    lines(folder, *GOOD)
    write(folder, "config.yaml", "learning_rate: 0.5\n")


def plane(folder: Path) -> None:
    landscape(folder, *[np.arange(5.0)] * 2, np.ones((5, 5)))


LAYERS = '{"step": 0, "loss": 1, "grad_norm/h.0": 1, "grad_norm/h.1": 1}'
TWO_RUNS = "iter 0: loss 3\niter 1: loss 2\niter 0: loss 3\niter 1: loss 1\n"
ROWS = b"".join(b'{"step": %d, "loss": 2.5, "lr": 0.5}\n' % step for step in range(60_000))
BITES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "VIZ3D_MAX_LINE_MIB": ("0.0001", lambda f: lines(f, *GOOD, f'{{"a": "{"x" * 200}"}}')),
    "VIZ3D_MAX_LINE_VALUES": ("4", lambda f: lines(f, *GOOD, '{"step": 3, "a": [1, 2, 3, 4]}')),
    "VIZ3D_MAX_FILE_MIB": ("0.00001", lambda f: lines(f, *GOOD)),
    "VIZ3D_MAX_UNPACKED_MIB": ("1", lambda f: write(f, "a.jsonl.gz", gzip.compress(ROWS))),
    "VIZ3D_MAX_RATIO": ("2", lambda f: write(f, "a.jsonl.gz", gzip.compress(ROWS * 10))),
    "VIZ3D_MAX_DOCUMENT_MIB": ("0.00001", lambda f: write(f, "a.json", '{"loss": [1, 2, 3]}')),
    "VIZ3D_MAX_VALUES": ("2", lambda f: write(f, "a.json", '{"loss": [1, 2, 3]}')),
    "VIZ3D_MAX_REPORT_MIB": ("0.0003", lambda f: write(f, "report/report.md", REPORT + "x" * 999)),
    "VIZ3D_MAX_METRICS": ("1", lambda f: lines(f, *GOOD)),
    "VIZ3D_MAX_DEPTH": ("2", lambda f: lines(f, *GOOD, '{"step": 3, "a": {"b": {"c": 1}}}')),
    "VIZ3D_MAX_GRID_NODES": ("24", plane),
    "VIZ3D_MAX_GRID_FILE_MIB": ("0.0001", plane),
    "VIZ3D_MAX_GRID_MIB": ("0.0001", plane),
    "VIZ3D_MAX_GRID_MEMBERS": ("2", plane),
    "VIZ3D_MAX_CONFIG_MIB": ("0.00001", with_config),
    "VIZ3D_MAX_RECORD_MIB": ("0.00005", events),
    "VIZ3D_MAX_FIELDS": ("50", events),
    "VIZ3D_MAX_SCALARS": ("1", events),
    "VIZ3D_MAX_NESTED_KEYS": ("1", lambda f: lines(f, *GOOD, '{"step": 3, "a": {"b": 1, "c": 1}}')),
    "VIZ3D_MAX_TEXT_MIB": ("0.00005", text_of_parquet),
    "VIZ3D_MAX_SINGLE_VALUES": ("1", neptune),
    "VIZ3D_MAX_SINGLE_MIB": ("0.00005", neptune),
    "VIZ3D_MAX_RUNS": ("1", lambda f: write(f, "log.txt", TWO_RUNS)),
    "VIZ3D_MAX_HISTORY_CELLS": ("1", lambda f: lines(f, *GOOD)),
    "VIZ3D_MAX_LAYER_ROWS": ("1", lambda f: lines(f, LAYERS)),
    "VIZ3D_MAX_NONFINITE": ("1", lambda f: lines(f, '{"step": 0, "loss": NaN, "lr": NaN}')),
    "VIZ3D_MAX_NUMBERS": ("5", lambda f: lines(f, *GOOD)),
    "VIZ3D_MAX_CELLS": ("3", parquet),
}  # fmt: skip


def told(folder: Path) -> str:
    try:
        return "\n".join(str(problem) for run in load_runs(folder) for problem in run.problems)
    except Viz3dError as error:
        return str(error)


@pytest.mark.parametrize("name", BITES)
def test_a_cap_bites_where_it_is_set_and_names_its_setting(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, make = BITES[name]
    folder = tmp_path / "run"
    folder.mkdir()
    make(folder)
    assert name not in told(folder)
    monkeypatch.setenv(name, text)
    assert f"et {name} to more if you trust the file" in told(folder)


def test_every_cap_that_can_be_set_has_its_setting_with_its_usual_value() -> None:
    """The settings know the names and the values; the formats know what they mean."""
    usual = {name: getattr(limits, cap) / unit for cap, (name, unit) in limits.SETTINGS.items()}
    assert {name: float(text) for name, text in LIMITS.items()} == usual
    assert BITES.keys() == usual.keys()


def test_every_cap_can_be_set_but_those_that_say_why_not() -> None:
    """None stands elsewhere, and no cap is added here without a setting."""
    caps = {name for name, value in vars(limits).items() if type(value) is int}
    assert caps - limits.SETTINGS.keys() == {"MIB", "NAME_CHARS"}
    example = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
    assert {f"{name}=" for name in LIMITS} <= {*example.splitlines()}


def test_the_caps_on_compressed_logs_hold_for_buckets_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cap in ("MAX_RATIO", "MAX_UNPACKED"):
        monkeypatch.setattr(parts, cap, getattr(parts, cap))
    assert (parts.MAX_RATIO, parts.MAX_UNPACKED) == (limits.RATIO, limits.UNPACKED_BYTES)
    (tmp_path / "packed").write_bytes(gzip.compress(random.Random(1).randbytes(3 << 20)))
    parts.unpack(tmp_path / "packed", tmp_path / "log", "a.jsonl")
    monkeypatch.setenv("VIZ3D_MAX_RATIO", "300")
    monkeypatch.setenv("VIZ3D_MAX_UNPACKED_MIB", "2")
    open_source(tmp_path)
    assert (parts.MAX_RATIO, parts.MAX_UNPACKED) == (300, 2 << 20)
    with pytest.raises(Viz3dError, match="VIZ3D_MAX_RATIO or VIZ3D_MAX_UNPACKED_MIB to more"):
        parts.unpack(tmp_path / "packed", tmp_path / "log", "a.jsonl")


def test_the_promised_caps_hold_unless_others_are_set() -> None:
    """As figure 5 of the promises has them; a surface has at most 400 x 400 nodes."""
    from viz3d.analysis.surface import LARGEST_GRID

    promised = (limits.LINE_BYTES, limits.UNPACKED_BYTES, limits.RATIO, limits.METRICS)
    assert promised == (8 << 20, 1 << 30, 200, 2000)
    assert (limits.DEPTH, LARGEST_GRID) == (32, 400)


@pytest.mark.parametrize("text", ["many", "0", "-3", "nan", "inf", "1e15"])
def test_what_is_no_cap_is_told_and_not_used(text: str) -> None:
    settings = load_settings({"VIZ3D_MAX_METRICS": text}, "no.env")
    (problem,) = settings.problems
    assert problem.what.startswith(f"VIZ3D_MAX_METRICS is {text!r}")
    assert problem.remedy == "Write for example VIZ3D_MAX_METRICS=2000."
    limits.apply(settings.limits)
    assert limits.METRICS == 2000


def test_a_cap_is_read_from_the_file_of_settings(tmp_path: Path) -> None:
    write(tmp_path, ".env", "VIZ3D_MAX_METRICS=3000\n")
    write(tmp_path, "runs/log.jsonl", json.dumps({"step": 1, "loss": 2}))
    open_source(tmp_path / "runs")
    assert limits.METRICS == 3000


def test_a_name_that_looks_like_a_cap_is_a_name(tmp_path: Path) -> None:
    """Nothing from data is filled in."""
    row = '{"step": 1, "{limit:METRICS}{limit:MIBX}": "odd", "loss": 1}'
    write(tmp_path, "{limit:_CAP}-lr-0.5/log.jsonl", row)
    text = told(tmp_path)
    assert "({limit:METRICS}{limit:MIBX})" in text
    assert "{limit:_CAP}-lr-0.5" in text
