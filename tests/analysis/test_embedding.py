"""The common basis: exact on known truths, honest about random walks, careful with missing rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from viz3d.analysis.embedding import embed
from viz3d.analysis.resample import Series, resample
from viz3d.analysis.walks import walk_shares
from viz3d.errors import ChartError, MissingMetric
from viz3d.run import Run


def run_of(columns, name="r", roles=None):
    """A run with these metrics at steps 0, 1, 2 ..."""
    history = pd.DataFrame(columns, dtype=np.float64)
    history.index = pd.Index(np.arange(len(history)), name="step", dtype="int64")
    return Run(name, "s", history, roles=roles or {})


def walks(n, d, seed):
    """Independent random walks, as a run."""
    steps = np.random.default_rng(seed).normal(size=(n, d))
    return run_of({f"m{i}": w for i, w in enumerate(np.cumsum(steps, axis=0).T)})


def waves(n=1000, noise=0.01, seed=0, name="r"):
    """Four metrics that are two independent waves."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, n)
    a, b = np.sin(2 * np.pi * 5 * t), np.cos(2 * np.pi * 7 * t)
    made = {"a": a, "b": b, "c": -a, "d": a + b}
    return run_of({k: v + rng.normal(0, noise, n) for k, v in made.items()}, name)


def test_two_latent_waves_need_two_axes():
    """What is two-dimensional is explained by two axes, and more than random walks would be."""
    e = embed(waves())
    assert e.explained[:2].sum() > 0.97
    assert e.explained[2] < 0.03
    assert not e.above_null[2]
    # a and -a point opposite ways.
    at = {name: e.loadings[i, 0] for i, name in enumerate(e.metrics)}
    assert at["a"] == pytest.approx(-at["c"], abs=0.02)


def test_loadings_are_correlations_with_a_fixed_sign():
    """They equal the correlations computed from the scores, and each axis's largest is positive."""
    run = walks(500, 5, 1)
    e = embed(run, n_components=3)
    scores = e.trajectories[0].scores
    assert np.all(np.take_along_axis(e.loadings, np.abs(e.loadings).argmax(0)[None], 0) > 0)
    again = embed(run)
    np.testing.assert_array_equal(again.trajectories[0].scores, scores)
    values = resample(
        {
            n: Series(run.history.index.to_numpy(float), run.history[n].to_numpy())
            for n in e.metrics
        },
        400,
    ).values
    for i, name in enumerate(e.metrics):
        rule = e.scaling[name]
        raw = np.log(values[name]) if rule.log else values[name]
        bent = np.arcsinh((raw - rule.center) / rule.spread)
        for k in range(3):
            expected = np.corrcoef(bent, scores[:, k])[0, 1]
            assert e.loadings[i, k] == pytest.approx(expected, abs=0.01)


def test_random_walks_are_not_taken_for_structure():
    """Ten independent walks: about 82 % in three axes, as theory says, and no small p-values."""
    found = [embed(walks(600, 10, seed)) for seed in range(12)]
    assert np.mean([e.null_total_mean for e in found]) == pytest.approx(0.82, abs=0.03)
    assert np.mean([e.total for e in found]) == pytest.approx(0.82, abs=0.05)
    assert sum(e.p_value <= 0.05 for e in found) <= 2


def test_the_null_keeps_no_drift():
    """Metrics that fall together beat random walks made of their own steps: drift is no chance."""
    t = np.linspace(0, 1, 400)
    rng = np.random.default_rng(0)
    falls = {f"m{i}": np.exp(-(2 + i) * t) + rng.normal(0, 1e-3, 400) for i in range(8)}
    e = embed(run_of(falls))
    assert e.total > e.null_total_high
    assert e.null_total_mean < 0.95
    assert e.p_value <= 0.01


def test_the_null_has_the_theoretical_shares():
    """The first shares of many random walks tend to 6 / (pi k)^2."""
    steps = np.random.default_rng(0).normal(size=(400, 60))
    found = walk_shares([np.cumsum(steps, axis=0)], 2, draws=20).mean(axis=0)
    assert found[0] == pytest.approx(0.44, abs=0.06)
    assert found[1] == pytest.approx(0.18, abs=0.04)


def test_harmonics_of_time_are_called_that():
    """Axes of a smooth one-way drift are cosines of time; the warning names them."""
    t = np.linspace(0, 1, 800)
    rng = np.random.default_rng(0)
    made = {
        f"m{k}": np.cos(np.pi * t) * rng.normal()
        + 0.5 * np.cos(2 * np.pi * t) * rng.normal()
        + rng.normal(0, 0.01, 800)
        for k in range(6)
    }
    e = embed(run_of(made))
    assert e.harmonic[1] > 0.5
    assert any("PC2 looks like a harmonic" in warning for warning in e.warnings)
    assert embed(waves()).warnings == ()


def test_one_basis_for_all_runs_whatever_their_length():
    """A run ten times as long weighs the same: halving its rows leaves the axes where they are."""
    short = waves(400, seed=1, name="short")
    long = waves(4000, seed=2, name="long")
    half = Run("long", "s", long.history.iloc[::2])
    first, second = embed([short, long]), embed([short, half])
    np.testing.assert_allclose(np.abs(first.loadings), np.abs(second.loadings), atol=0.05)
    assert {len(t.step) for t in first.trajectories} == {400}
    assert [t.run for t in first.trajectories] == ["short", "long"]


def test_spikes_do_not_turn_the_axes():
    """Huge single values swing a standard scaling far off; asinh of the robust score holds."""
    rng = np.random.default_rng(0)
    latent = np.cumsum(rng.normal(size=(400, 2)), axis=0)
    clean = latent @ rng.normal(size=(2, 12)) + rng.normal(0, 0.3, (400, 12))
    spiked = clean.copy()
    for column in (0, 1):
        spiked[rng.choice(400, 8, replace=False), column] += 1e4
    names = [f"m{i:02}" for i in range(12)]
    bases = [embed(run_of(dict(zip(names, v.T, strict=True)))).loadings for v in (clean, spiked)]
    standard = np.linalg.svd((spiked - spiked.mean(0)) / spiked.std(0))[2][:2].T
    held, swung = angle(bases[0][:, :2], bases[1][:, :2]), angle(bases[0][:, :2], standard)
    assert held < 12
    assert swung > 25


def angle(first, second):
    """The largest principal angle between two planes, in degrees."""
    a, b = np.linalg.qr(first)[0], np.linalg.qr(second)[0]
    return np.degrees(np.arccos(np.clip(np.linalg.svd(a.T @ b)[1].min(), 0, 1)))


def test_what_is_left_out_is_named_with_its_reason():
    """Constant, counting, copied, late and sparse metrics never enter the basis."""
    base = waves().history
    n = len(base)
    rng = np.random.default_rng(0)
    late = rng.normal(size=n)
    late[: n // 2] = np.nan
    sparse = np.where(np.arange(n) % 10 == 0, rng.normal(size=n), np.nan)
    sparse[0] = sparse[-1] = 0.0
    extra = {
        "same": np.ones(n), "tokens": np.arange(n) * 512.0, "copy": 3 * base["a"] + 1,
        "late": late, "sparse": sparse,
    }  # fmt: skip
    e = embed(Run("r", "s", base.assign(**extra)))
    assert e.metrics == ("a", "b", "c", "d")
    assert e.dropped["same"] == "constant"
    assert "counter" in e.dropped["tokens"]
    assert e.dropped["copy"] == "a copy of a"
    assert "90 %" in e.dropped["late"]
    assert "50 %" in e.dropped["sparse"]


def test_metrics_meet_by_their_role():
    """`loss` of one run and `train/loss` of another are one metric; the rest must be common."""
    first = waves(name="first")
    renamed = first.history.rename(columns={"a": "train/loss"})
    second = Run("second", "s", renamed.assign(extra=1.0), roles={"loss": "train/loss"})
    e = embed([Run("first", "s", first.history, roles={"loss": "a"}), second])
    assert "loss" in e.metrics
    assert e.dropped["extra"] == "not logged by every chosen run"


def test_gaps_are_interpolated_inside_and_never_beyond():
    """A metric logged from step 10 to 90 gives values from 10 to 90, counted where none was."""
    whole = Series(np.arange(101.0), np.arange(101.0))
    part = Series(np.array([10.0, 50.0, 90.0]), np.array([0.0, 40.0, 80.0]))
    grid = resample({"whole": whole, "part": part}, 40)
    assert grid.step.min() > 10
    assert grid.step.max() < 90
    # Between two rows: linear; in a bin with a row: that row.
    empty = np.abs(grid.step[:, None] - part.step).min(axis=1) > 1
    np.testing.assert_allclose(grid.values["part"][empty], grid.step[empty] - 10)
    assert grid.interpolated == {"whole": 0, "part": 37}
    assert grid.gap.all()


def test_outside_share_is_what_the_axes_do_not_show():
    """As many axes as metrics leave nothing out; one axis leaves something."""
    assert embed(waves(), n_components=4).trajectories[0].outside.max() < 1e-9
    assert embed(waves(), n_components=1).trajectories[0].outside.mean() > 0.2


@pytest.mark.parametrize(
    ("columns", "error", "said"),
    [
        ({"a": np.random.default_rng(0).normal(size=50)}, MissingMetric, "at least two metrics"),
        ({"a": np.ones(50), "b": np.arange(50.0)}, MissingMetric, "a: constant"),
        ({"a": [1.0], "b": [2.0]}, ChartError, "at least 10"),
        ({}, ChartError, "at least 10"),
    ],
    ids=["one metric", "nothing varies", "one row", "no history"],
)
def test_what_cannot_be_embedded_gets_a_plain_answer(columns, error, said):
    """One sentence that says what is needed and what there is."""
    with pytest.raises(error, match=said):
        embed(run_of(columns))


def test_no_axes_is_misuse():
    """Asking for nothing is a mistake of the caller."""
    with pytest.raises(ValueError, match="at least 1"):
        embed(waves(), n_components=0)
