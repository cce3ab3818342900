"""Trials of the AlgoPerf benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import algoperf

from .conftest import Reader, joined


def test_the_two_tables_are_pieces_of_one_run(read: Reader) -> None:
    """Both are claimed for the trial's folder and indexed by the global step."""
    assert algoperf.claim("study/trial_1/eval_measurements.csv").run == "study/trial_1"  # type: ignore[union-attr]
    one, two = read(
        algoperf,
        {
            "t/eval_measurements.csv": "global_step,validation/loss\n1,11\n",
            "t/measurements.csv": "global_step,loss\n0,12\n1,11.5\n",
        },
    )
    assert joined(one).history["loss"].tolist() == [12.0, 11.5]
    assert joined(two).history["validation/loss"].to_dict() == {1: 11.0}


def test_it_declines_with_a_reason(read: Reader) -> None:
    """A table of measurements of something else is left to others."""
    with pytest.raises(NotMine, match=r"measurements\.csv has no column 'global_step'"):
        read(algoperf, {"measurements.csv": "time,volts\n0,1\n1,2\n"})


def test_a_real_trial(real_data: Path) -> None:
    """1,392 rows at 1,390 steps: 1,334 losses and 57 evaluations, none of them a restart."""
    folder = real_data / "algoperf-wmt" / "trial_1"
    one, two = algoperf.read({name: folder / name for name in algoperf.FILES})
    found = joined(one)
    assert len(found.history) == 1390
    assert found.history["loss"].count() == 1334
    assert found.history["validation/loss"].count() == 57
    assert found.history.index[-1] == 133_333
    assert found.restarts == 0
    assert len(joined(two).history) == 57
