"""viz3d.record.compact: Parquet that gives back exactly what was logged."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.errors import FormatError
from viz3d.record.compact import compact
from viz3d.record.recorder import Recorder

NUMBERS = st.one_of(
    st.none(),
    st.floats(),
    st.floats(width=32),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
)
METRICS = st.dictionaries(st.sampled_from(["loss", "lr", "reward"]), NUMBERS)


def same(left, right) -> bool:
    """Say whether two numbers are the same, NaN being the same as NaN."""
    return left == right or (math.isnan(left) and math.isnan(right))


@settings(max_examples=60, deadline=None)
@given(st.lists(METRICS, min_size=1, max_size=8))
def test_every_number_reads_back_as_it_was_logged(logged):
    """Missing stays null, NaN stays NaN, and narrowing a column changes no value."""
    with tempfile.TemporaryDirectory() as folder:
        run, packed = Path(folder, "run"), Path(folder, "packed")
        with Recorder(run) as recorder:
            for step, metrics in enumerate(logged):
                recorder.log(step, **metrics)
        done = compact(run, packed)
        assert (done.metric_rows, done.layer_rows, done.unreadable) == (len(logged), 0, 0)
        table = pq.ParquetFile(packed / "metrics" / "part-00001.parquet").read().to_pylist()
        lines = (run / "metrics.jsonl").read_text().splitlines()
        for line, row in zip(lines, table, strict=True):
            before = json.loads(line)
            assert {name for name, value in row.items() if value is not None} == set(before)
            # Integers beside floats become floats, as every reader of JSON would have it.
            assert all(same(row[name], type(row[name])(value)) for name, value in before.items())


def test_landscapes_are_copied_as_they_are(tmp_path):
    """What is measured is in them already; what is only begun stays behind."""
    with Recorder(tmp_path / "run") as recorder:
        recorder.log(0, loss=1.0)
    measured = tmp_path / "run" / "landscape"
    measured.mkdir()
    (measured / "pca.npz").write_bytes(b"as it is")
    (measured / ".random.rows").write_text("{}")
    compact(tmp_path / "run", tmp_path / "packed")
    [found] = (tmp_path / "packed" / "landscape").iterdir()
    assert (found.name, found.read_bytes()) == ("pca.npz", b"as it is")


def test_layers_config_and_torn_lines(tmp_path):
    """Layers are packed too, the description is copied, what was cut short is counted."""
    with Recorder(tmp_path / "run", config={"seed": 3}) as recorder:
        recorder.log(0, loss=math.nan)
        recorder.log_layers(0, [{"layer": 0, "name": "h.0", "grad_norm": 0.5}])
    with (tmp_path / "run" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 1, "lo')
    done = compact(tmp_path / "run", tmp_path / "packed")
    assert (done.metric_rows, done.layer_rows, done.unreadable) == (1, 1, 1)
    layers = pq.ParquetFile(tmp_path / "packed" / "layers" / "part-00001.parquet").read()
    assert layers.to_pylist() == [{"step": 0, "layer": 0, "name": "h.0", "grad_norm": 0.5}]
    assert json.loads((tmp_path / "packed" / "run.json").read_text())["config"] == {"seed": 3}
    assert (tmp_path / "run" / "metrics.jsonl").exists()


def test_a_folder_that_is_no_run_and_a_run_onto_itself_are_refused(tmp_path):
    """Both answers are one sentence that says what to name instead."""
    with pytest.raises(FormatError, match=r"no metrics\.jsonl"):
        compact(tmp_path, tmp_path / "packed")
    with Recorder(tmp_path / "run") as recorder:
        recorder.log(0, loss=1.0)
    with pytest.raises(FormatError, match="onto itself"):
        compact(tmp_path / "run", tmp_path / "run")
