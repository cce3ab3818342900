"""Files of a chart of joined runs, along tokens: each says which source gave which series."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from viz3d.analysis.joining import join_runs
from viz3d.analysis.roles import recognise
from viz3d.export.files import FORMATS
from viz3d.export.wandb.files import make_files
from viz3d.figures import loss_landscape
from viz3d.figures.chart import Chart
from viz3d.figures.provenance import MOST_SERIES, origins
from viz3d.run import Origin, Run

SERIES = {"bucket": ["loss", "lr"], "wandb": ["total_tokens"]}


def part(source: str, **columns: np.ndarray) -> Run:
    frame = pd.DataFrame(columns, index=pd.RangeIndex(40, name="step"), dtype=float)
    origin = Origin(source, ("metrics.jsonl",), "JSONL", 40, 0, 39, metrics=tuple(columns))
    roles = recognise(list(columns), frame)
    return Run("r", source, frame, roles=roles, digest=source, origins=(origin,))


@pytest.fixture(scope="module")
def chart() -> Chart:
    step = np.arange(40)
    bucket = part("bucket", loss=3 - step / 40, lr=np.full(40, 0.1))
    return loss_landscape.chart(
        join_runs(bucket, part("wandb", total_tokens=step * 2.0**25)), along="tokens"
    )


@pytest.mark.parametrize("ending", sorted(set(FORMATS) - {".png", ".svg"}))
def test_every_format_has_the_provenance_of_each_series(chart: Chart, ending: str) -> None:
    """The two that a browser draws carry the same text as PLY does."""
    made = FORMATS[ending](chart)
    text = made.decode("latin-1")
    if ending in (".html", ".md"):
        assert "r: loss, lr from bucket; total\\_tokens from wandb".replace(
            "\\", "" if ending == ".html" else "\\"
        ) in text  # fmt: skip
    elif ending == ".parquet":
        table = parquet.read_table(io.BytesIO(made))
        about = json.loads(table.schema.metadata[b"viz3d"])
        assert about["runs"][0]["series"] == SERIES
        assert {"step", "tokens", "loss"} <= set(table.column_names)
    elif ending == ".csv":
        assert '""series""' in text or '"series"' in text
        frame = pd.read_csv(io.BytesIO(made), comment="#")
        curve = frame[frame["part"] == "curve"]
        assert (curve["tokens"] == curve["step"] * 2.0**25).all()
    else:
        assert '"series"' in text
        assert "tokens" in text


def test_what_goes_to_wandb_has_it_too(chart: Chart, tmp_path: Path) -> None:
    """In the provenance that becomes part of the run's config."""
    made = make_files(chart, 39, tmp_path, beside=False)
    assert made.provenance["runs"][0]["series"] == SERIES
    assert made.provenance["settings"]["along"] == "tokens"


def test_a_run_of_one_source_has_no_more_to_say_and_thousands_of_series_are_cut() -> None:
    """The figure stays small; how many there are is said."""
    one = part("a", **{f"m{n}": np.zeros(40) for n in range(MOST_SERIES + 5)})
    (said,) = origins([one])
    assert set(said) == {"name", "source", "digest"}
    (said,) = origins([join_runs(one, part("b", loss=np.zeros(40)))])
    assert said["series"]["a"][-1] == "and 5 more"
    assert len(said["series"]["a"]) == MOST_SERIES + 1
