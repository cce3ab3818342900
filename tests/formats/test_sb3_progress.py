"""Stable-Baselines3's progress.csv."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import sb3_progress

from .conftest import Reader, joined


def test_the_step_is_the_number_of_environment_steps(read: Reader) -> None:
    """Iterations are a metric; environment steps are what runs are compared by."""
    text = "time/iterations,time/total_timesteps,rollout/ep_rew_mean\n1,2048,-20\n2,4096,\n"
    (parsed,) = read(sb3_progress, {"ppo/progress.csv": text})
    history = joined(parsed).history
    assert history.index.tolist() == [2048, 4096]
    assert list(history.columns) == ["time/iterations", "rollout/ep_rew_mean"]
    assert sb3_progress.claim("ppo/progress.csv").run == "ppo"  # type: ignore[union-attr]


def test_it_declines_with_a_reason(read: Reader) -> None:
    """Another program's progress.csv is left to the reader of any CSV."""
    with pytest.raises(NotMine, match="no column 'time/total_timesteps'"):
        read(sb3_progress, {"progress.csv": "done,left\n1,2\n2,1\n"})


def test_a_real_run(real_data: Path) -> None:
    """25 rows from 2,048 to 51,200 environment steps; the losses begin with the second."""
    (parsed,) = sb3_progress.read({"progress.csv": real_data / "sb3-jobshop" / "progress.csv"})
    history = joined(parsed).history
    assert len(history) == 25
    assert (history.index[0], history.index[-1]) == (2048, 51_200)
    assert history["train/loss"].count() == 24
    assert history["rollout/ep_rew_mean"].iloc[0] == -20.228999999999996
