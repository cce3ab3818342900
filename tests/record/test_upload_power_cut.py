"""viz3d.Recorder(upload=...): rows that were sent, and that the disk then lost."""

from __future__ import annotations

import os

import pandas as pd
import pytest

from tests.record.bucket import ADDRESS
from viz3d.load import load_run
from viz3d.record.recorder import Recorder


@pytest.mark.parametrize("resumed", [3, 6], ids=["at a checkpoint before", "after what was lost"])
def test_rows_that_a_power_cut_took_are_read_as_of_an_attempt_before(
    server, tmp_path, caplog, resumed
):
    """They stand in the bucket before those that follow, some twice; none is read twice."""
    run = tmp_path / "run"
    file = run / "metrics.jsonl"
    for steps in (range(3), range(3, 6)):  # a part each
        with Recorder(run, upload=ADDRESS) as rec:
            for step in steps:
                rec.log(step, loss=float(step))
    *_, fourth, fifth = file.read_bytes().splitlines(keepends=True)
    os.truncate(file, file.stat().st_size - len(fifth) - len(fourth) // 2)
    with Recorder(run, upload=ADDRESS) as rec:
        for step in range(resumed, 8):
            rec.log(step, loss=10.0 * step)
    assert rec.failures == 0
    assert caplog.text.count("parts of another record") == 1
    seen, here = load_run(ADDRESS, "run"), load_run(run)
    pd.testing.assert_frame_equal(seen.history, here.history)
    assert seen.history.index.tolist() == [*range(4), *range(max(4, resumed), 8)]
    assert seen.history["loss"].tolist()[3:] == [
        10.0 * step if step >= resumed else step for step in seen.history.index[3:]
    ]
    before = seen.attempts[seen.attempts["attempt"] == 1]
    assert before["step"].tolist() == [3, 4, 5]
    assert before["loss"].tolist() == [3.0, 4.0, 5.0]
    torn, restart, *_ = seen.problems
    assert (torn.line, torn.what) == (2, "1 line that was no JSON object was left out.")
    assert "(a restart): 3 rows of earlier attempts" in restart.what
