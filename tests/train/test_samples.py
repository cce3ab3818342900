"""viz3d/samples: what is bundled is small, complete and what its README says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from viz3d.load import load_runs

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


MEASURED = ("gpt-lr-0.003-seed-0", "gpt-lr-0.03-seed-0", "grpo-addition")


def test_three_runs_have_landscapes_of_their_own_end():
    """A plane of the path, a random plane and a line; each centre is the loss of the last step."""
    runs = {run.name: run for run in load_runs(SAMPLES)}
    assert {name for name, run in runs.items() if run.landscapes} == set(MEASURED)
    for name in MEASURED:
        grids = runs[name].landscapes
        assert [grid.name for grid in grids] == ["pca", "random", "line"]
        last = int(column(SAMPLES / name, "step").max())
        for grid in grids:
            assert grid.meta["centre_step"] == last
            assert grid.values["loss"][np.ix_(*at_zero(grid))] == grid.meta["centre_loss"]
            assert np.isfinite(list(grid.values.values())).all()
            assert np.isfinite(list(grid.errors.values())).all()
            assert not grid.meta["problems"]
        pca, random, _ = grids
        assert pca.path.step.tolist() == random.path.step.tolist()
        assert pca.path.residual[:10].mean() < 0.5
        assert random.path.residual[:-1].min() > 0.99
        np.testing.assert_array_equal(pca.path.loss, random.path.loss)
        assert pca.path.loss[-1] == pca.meta["centre_loss"]
        assert (random.eigenvalue_residuals < 1e-3 * random.eigenvalues).all()


def at_zero(grid):
    """Return the index of the centre along each axis of the arrays."""
    axes = [axis for axis in (grid.beta, grid.alpha) if axis is not None]
    return [np.flatnonzero(axis == 0) for axis in axes]


def test_the_landscapes_of_the_policy_gradient_run_hold_its_reward():
    """With a standard error at each node, and the path's own, which rises to that of the centre."""
    run = next(run for run in load_runs(SAMPLES) if run.name == "grpo-addition")
    pca, random, line = run.landscapes
    for grid in run.landscapes:
        assert list(grid.values) == list(grid.errors) == ["loss", "reward"]
    assert pca.path.reward[-1] == random.values["reward"][10, 10] == line.values["reward"][0]
    assert pca.path.reward[0] < pca.path.reward[-1] - 0.2
    assert random.values["reward"].max() == random.values["reward"][10, 10]


def test_the_reward_of_the_policy_gradient_run_improves():
    """Its reward rises by more than chance in a batch explains."""
    reward = column(SAMPLES / "grpo-addition", "reward")
    tenth = len(reward) // 10
    assert reward[-tenth:].mean() > reward[:tenth].mean() + 0.2
