"""viz3d/samples: what is bundled is small, complete and what its README says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "viz3d" / "samples"
RUNS = sorted(folder for folder in SAMPLES.iterdir() if (folder / "run.json").exists())
SWEEP = [run for run in RUNS if run.name.startswith("gpt-lr-")]


def column(run: Path, name: str, part: str = "metrics"):
    table = pq.ParquetFile(run / part / "part-00001.parquet").read([name])
    return table[name].to_numpy()


def config(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())["config"]


def test_the_samples_are_under_two_megabytes():
    """They come with every installation."""
    total = sum(file.stat().st_size for file in SAMPLES.rglob("*") if file.is_file())
    assert total < 2_000_000


def test_the_sweep_has_six_rates_and_three_seeds_at_one():
    """What the surface over step and learning rate needs."""
    rates = [config(run)["learning_rate"] for run in SWEEP]
    assert len(set(rates)) >= 6
    assert max(rates.count(rate) for rate in rates) == 3
    assert max(rates) / min(rates) >= 1000


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_every_sample_is_finished_and_has_layers(run):
    """Each run shows on the gradient flow page, and says how it was made."""
    about = json.loads((run / "run.json").read_text())
    assert about["status"] == "finished"
    assert about["name"] == run.name
    keys = {"learning_rate", "seed", "optimizer", "task", "command", "parameters"}
    assert keys <= set(about["config"])
    names = column(run, "name", "layers").tolist()
    assert names[:9] == [
        "transformer.wte", "transformer.wpe", *(f"transformer.h.{i}" for i in range(6)), "lm_head",
    ]  # fmt: skip
    assert np.isfinite(column(run, "grad_norm", "layers")).all()
    assert max(column(run, "learning_rate")) == config(run)["learning_rate"]


def test_one_rate_diverges_and_a_lower_one_learns():
    """The sweep shows both ends: its top rate ends above its start, its best far below."""
    loss = {config(run)["learning_rate"]: column(run, "loss") for run in SWEEP}
    top = loss[max(loss)]
    assert not np.median(top[-20:]) < 3 * top[0]
    ends = {rate: np.median(values[-20:]) for rate, values in loss.items()}
    best = min(ends, key=ends.get)
    assert ends[best] < 0.01 * loss[best][0]
    assert min(loss) < best < max(loss)


def test_the_reward_of_the_policy_gradient_run_improves():
    """Its reward rises by more than chance in a batch explains."""
    reward = column(SAMPLES / "grpo-addition", "reward")
    tenth = len(reward) // 10
    assert reward[-tenth:].mean() > reward[:tenth].mean() + 0.2
