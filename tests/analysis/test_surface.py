"""Surfaces: what is drawn is right, what cannot be known is not drawn, and the band covers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from viz3d.analysis.surface import evaluate, fit_surface
from viz3d.analysis.surface_model import SurfaceModel

ROOT = Path(__file__).resolve().parents[2]
STEPS = 1000
SAMPLES = 300


def smooth(step, rate):
    """A power law in the step with a bowl along the rate."""
    return 2 + 4 / (1 + step / 50) ** 0.5 + 0.4 * (np.log10(rate) + 3) ** 2


def sweep(truth, runs=6, noise=0.02, offset=0.0, seed=0):
    """Step, peak rate, value and run of runs at rates from 1e-4 to 1e-2."""
    rng = np.random.default_rng(seed)
    step = np.tile(np.linspace(0, STEPS, SAMPLES), runs)
    run = np.repeat(np.arange(runs), SAMPLES)
    rate = np.geomspace(1e-4, 1e-2, runs)[run]
    value = truth(step, rate) + rng.normal(0, noise, len(step)) + rng.normal(0, offset, runs)[run]
    return step, rate, value, run


def scheduled(truth, noise=0.02):
    """One run with a warm-up and a cosine, as step, current rate and value."""
    step = np.linspace(0, STEPS, SAMPLES)
    rate = 1e-3 * np.minimum(1, (step + 1) / 50) * (0.05 + 0.95 * np.cos(step / STEPS * 1.5) ** 2)
    return step, rate, truth(step, rate) + np.random.default_rng(0).normal(0, noise, len(step))


def on_grid(truth, surface):
    """The truth at the cells of a surface."""
    return truth(*np.meshgrid(surface.x, surface.y))


@pytest.fixture(scope="module")
def surface():
    """A surface of six runs over the smooth truth."""
    return fit_surface(*sweep(smooth))


def test_the_surface_is_the_truth_that_the_runs_sample(surface):
    """Six noisy runs over a closed-form truth give it back to five per cent of its range."""
    truth = on_grid(smooth, surface)
    shown = surface.support > 0
    error = np.abs(surface.z - truth)[shown] / np.ptp(truth)
    assert surface.share > 0.9
    assert np.quantile(error, 0.95) < 0.05


def test_the_arrays_are_those_of_the_contract(surface):
    """Rows are y, columns x; NaN exactly where nothing is supported; the band holds the surface."""
    assert surface.z.shape == surface.support.shape == (len(surface.y), len(surface.x)) == (96, 96)
    hidden = surface.support == 0
    for values in (surface.z, surface.lower, surface.upper):
        np.testing.assert_array_equal(np.isnan(values), hidden)
    shown = ~hidden
    assert np.all(surface.lower[shown] < surface.z[shown])
    assert np.all(surface.z[shown] < surface.upper[shown])
    assert (surface.n_points, surface.n_runs) == (6 * SAMPLES, 6)
    assert surface.reason == ""


def test_the_axes_span_the_data_and_are_even_where_they_are_fitted():
    """The box ends at the 0.5 and 99.5 % quantiles and is not cropped to what is supported."""
    step, rate, value = scheduled(smooth)
    surface = fit_surface(step, rate, value, grid=50)
    np.testing.assert_allclose(np.diff(np.log10(surface.y), 2), 0, atol=1e-12)
    np.testing.assert_allclose(surface.y[[0, -1]], np.quantile(rate, [0.005, 0.995]), rtol=0.02)
    np.testing.assert_allclose(surface.x[[0, -1]], np.quantile(step, [0.005, 0.995]), rtol=0.02)


def test_one_run_supports_a_ribbon_and_nothing_else():
    """Far from the only run nothing is drawn, although the model has a value there."""
    step, rate, value = scheduled(smooth)
    model = SurfaceModel().fit(step, rate, value)
    assert 0 < evaluate(model, 96).share < 0.35
    late = np.array([900.0, 900.0])
    far = model.predict(late, np.array([1e-3, np.interp(900, step, rate)]))
    assert far.support[0] == 0
    assert far.support[1] == 1
    assert np.isfinite(far.z[0])


def test_two_rates_far_apart_leave_a_hole_between_them():
    """The sides of a wide gap do not vouch for its middle."""
    step, rate, value, run = sweep(smooth, runs=2)
    surface = fit_surface(step, rate, value, run)
    assert np.all(surface.support[40:56] == 0)
    assert np.all(surface.support[[0, -1]].max(axis=1) > 0)


def test_beyond_the_last_step_of_the_longer_runs_there_is_no_between():
    """Where all but the lowest run have ended, nothing is drawn above it."""
    step, rate, value, run = sweep(smooth)
    kept = (step < 300) | (run == 0)
    surface = fit_surface(step[kept], rate[kept], value[kept], run[kept])
    late = surface.x > 500
    assert np.all(surface.support[30:, late] == 0)
    assert np.any(surface.support[0, late] > 0)


def test_a_jump_between_two_runs_is_not_bridged():
    """Runs on either side of a jump agree on where it is not, and the gap stays open."""

    def jump(step, rate):
        return smooth(step, rate) + 3 * (np.log10(rate) > -2.9)

    surface = fit_surface(*sweep(jump, runs=8))
    error = np.abs(surface.z - on_grid(jump, surface)) / np.ptp(on_grid(jump, surface))
    shown = surface.support > 0
    gap = (np.log10(surface.y) > -3.1) & (np.log10(surface.y) < -2.9)
    assert np.all(surface.support[gap][2:-2] == 0)
    assert np.mean(error[shown] > 0.1) < 0.01
    assert surface.share > 0.4


def test_the_band_covers_the_truth_as_often_as_it_says():
    """The nominal 90 % band holds 85 to 99 % of the shown cells over ten sweeps."""
    inside = []
    for seed in range(10):
        surface = fit_surface(*sweep(smooth, noise=0.1, offset=0.04, seed=seed), grid=32)
        truth = on_grid(smooth, surface)
        shown = surface.support > 0
        inside.append(((surface.lower <= truth) & (truth <= surface.upper))[shown])
    assert 0.85 <= np.mean(np.concatenate(inside)) <= 0.99


def test_kappa_widens_the_band_where_runs_disagree():
    """Runs that scatter by their seed are caught by leaving them out, and the band made to hold."""
    held, bare = [], []
    for seed in (1, 2, 3):
        model = SurfaceModel().fit(*sweep(smooth, runs=10, offset=0.12, seed=seed))
        cells = np.meshgrid(model.x_axis_.ticks(24), model.y_axis_.ticks(24))
        truth = smooth(*cells).ravel()
        at = model.predict(*cells)
        shown = at.support > 0
        half = np.maximum(at.upper - at.z, at.z - at.lower)[shown]
        error = np.abs(at.z - truth)[shown]
        assert model.kappa_ >= 1.2
        held.append(error < half)
        bare.append(error < half / model.kappa_)
    assert np.mean(np.concatenate(held)) >= 0.85 > np.mean(np.concatenate(bare))


def test_kappa_is_in_the_band():
    """On the data the band is kappa times what the Gaussian process says, no less."""
    model = SurfaceModel().fit(*sweep(smooth))
    step, rate = np.array([200.0, 500.0]), np.array([1e-4, 1e-2])
    before = model.predict(step, rate)
    model.kappa_ *= 2
    after = model.predict(step, rate)
    np.testing.assert_allclose((after.upper - after.lower) / (before.upper - before.lower), 2, 0.05)


def test_a_spike_of_one_step_does_not_move_the_surface(surface):
    """One sample out of 1,800 at a hundred times the loss changes the surface by under 1 %."""
    step, rate, value, run = sweep(smooth)
    value[700] *= 100
    spiked = fit_surface(step, rate, value, run)
    shown = (surface.support > 0) & (spiked.support > 0)
    assert shown.mean() > 0.9
    assert np.nanmax(np.abs(spiked.z / surface.z - 1)[shown]) < 0.01


@pytest.mark.parametrize(("lift", "high"), [(0, 30), (-5, 30), (-5, 30_000), (-5, 3e8)])
def test_a_diverged_run_neither_spoils_the_others_nor_disappears(lift, high):
    """Away from a run that diverged the surface is as it was; on it, it is as high as the run."""
    step, rate, value, run = sweep(smooth, runs=8)
    value += lift  # a loss of reinforcement learning goes below 0, where no logarithm helps
    value[run == 7] = high * (1 + step[run == 7] / STEPS)
    surface = fit_surface(step, rate, value, run)
    truth = on_grid(smooth, surface) + lift
    calm = surface.y < 2e-3
    shown = surface.support[calm] > 0
    error = np.abs(surface.z - truth)[calm][shown] / 4
    assert shown.mean() > 0.9
    assert np.quantile(error, 0.99) < 0.1
    top = surface.z[-1][surface.support[-1] > 0]
    assert len(top) > 0
    assert np.all(top > high / 2)


def test_seeds_at_one_rate_and_duplicated_runs_are_runs():
    """A run that is in the data twice gives the surface that it gave once."""
    step, rate, value, run = sweep(smooth)
    twice = fit_surface(*(np.tile(c, 2) for c in (step, rate, value)), np.r_[run, run + 6])
    once = fit_surface(step, rate, value, run)
    shown = (once.support > 0) & (twice.support > 0)
    assert twice.n_runs == 12
    assert shown.mean() > 0.9
    assert np.max(np.abs(twice.z - once.z)[shown]) < 0.1


@pytest.mark.parametrize("runs", [6, 50])
def test_no_order_of_samples_runs_or_labels_changes_a_byte(runs):
    """Files come in the order of their dates, which says nothing about a surface."""
    step, rate, value, run = sweep(smooth, runs=runs, noise=0.3)
    rate[run == 1] = rate[run == 0]  # two seeds at one rate
    columns = (step, rate, value, run)
    first = fit_surface(*columns)
    order = np.random.default_rng(1).permutation(len(run))
    renamed = (step, rate, value, np.random.default_rng(2).permutation(runs)[run])
    for shuffled in ([column[order] for column in columns], [column[::-1] for column in renamed]):
        again = fit_surface(*shuffled)
        for name in ("x", "y", "z", "lower", "upper", "support"):
            assert getattr(first, name).tobytes() == getattr(again, name).tobytes()
        assert (first.kappa, first.length_scales) == (again.kappa, again.length_scales)


def test_a_run_label_can_be_anything_that_can_be_told_apart(surface):
    """Names, tuples and missing labels give the surface that numbers give."""
    step, rate, value, run = sweep(smooth)
    for labels in ([f"run {i}" for i in run], [("a", int(i)) for i in run]):
        np.testing.assert_array_equal(fit_surface(step, rate, value, labels).z, surface.z)


def test_stricter_support_shows_less_of_the_same_surface():
    """Strict is inside default is inside loose, and where all show, they show the same."""
    columns = sweep(smooth, runs=4, noise=0.1)
    strict, default, loose = (
        fit_surface(*columns, strictness=name) for name in ("strict", "default", "loose")
    )
    assert np.all(strict.support <= default.support)
    assert np.all(default.support <= loose.support)
    assert strict.share <= default.share <= loose.share
    assert 0 < strict.share < loose.share
    shown = strict.support > 0
    np.testing.assert_array_equal(strict.z[shown], loose.z[shown])


def test_a_cloud_of_points_without_runs_is_a_surface():
    """Scattered points, as reward over step and loss, are fitted as they are."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 10, 2000), rng.uniform(-1, 1, 2000)

    def dome(x, y):
        return np.sin(x / 3) - y**2

    z = dome(x, y) + rng.normal(0, 0.1, 2000)
    surface = fit_surface(x, y, z, x_scale="linear", y_scale="linear")
    shown = surface.support > 0
    assert surface.share > 0.8
    assert np.quantile(np.abs(surface.z - on_grid(dome, surface))[shown], 0.95) < 0.15


def test_predict_reads_the_surface_off_anywhere(surface):
    """Points on the grid get the grid's values, and no point outside of the scale is supported."""
    model = SurfaceModel().fit(*sweep(smooth))
    at = model.predict(surface.x[[10, 50]], surface.y[[20, 80]])
    np.testing.assert_allclose(at.z, surface.z[[20, 80], [10, 50]], rtol=1e-9)
    odd = model.predict([np.nan, 10, -5e3, np.inf, 10], [1e-3, -1, 1e-3, 1e-3, 1e300])
    assert np.all(odd.support == 0)


def test_what_is_left_out_is_counted():
    """Every sample that an axis cannot show stands in `dropped` under its reason."""
    step, rate, value, run = sweep(smooth)
    value[:3], value[3], rate[10:15], step[20] = np.nan, np.inf, 0, -1
    surface = fit_surface(step, rate, value, run)
    assert surface.dropped == {
        "not finite": 4,
        "with y not above 0": 5,
        "with x below 0": 1,
    }
    assert surface.n_points == len(step) - 10


STEP = np.arange(100.0)
NOTHING = {
    "empty": ([], [], []),
    "two points": ([1, 2], [1, 2], [1, 2]),
    "all NaN": (STEP, STEP, np.full(100, np.nan)),
    "constant z": (STEP, STEP + 1, np.full(100, 3.0)),
    "one rate": (STEP, np.full(100, 1e-3), STEP),
    "one step": (np.full(100, 5.0), STEP + 1, STEP),
    "no rate above zero": (STEP, -STEP, STEP),
    "eight scattered runs": (STEP[:8], 10.0 ** STEP[:8], STEP[:8] % 3, STEP[:8]),
}


@pytest.mark.parametrize("columns", NOTHING.values(), ids=NOTHING.keys())
def test_what_cannot_be_a_surface_gets_a_sentence(columns):
    """Data without a surface in it give no exception and no plane, but one plain sentence."""
    surface = fit_surface(*columns, grid=10)
    assert surface.reason.endswith(".")
    assert surface.share == 0
    assert np.all(np.isnan(surface.z))
    assert surface.z.shape == (10, 10)


def test_several_runs_at_one_rate_are_told_that_they_are():
    """Seeds of one configuration cannot make an axis, however many there are."""
    step, _, value, run = sweep(smooth)
    surface = fit_surface(step, np.full(len(step), 1e-3), value, run)
    assert "same y, 0.001" in surface.reason
    assert surface.n_runs == 6


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"x_scale": "cubic"}, "x_scale is 'cubic'"),
        ({"z_scale": "log1p"}, "z_scale is 'log1p'"),
        ({"strictness": "none"}, "strictness is 'none'"),
        ({"grid": 1}, "grid is 1"),
        ({"grid": 401}, "grid is 401"),
        ({"run": [1, 2]}, "have 100, 100, 100 and 2 values"),
    ],
)
def test_misuse_is_a_value_error_that_names_the_value(changed, said):
    """A wrong argument is the caller's mistake and is told as one."""
    with pytest.raises(ValueError, match=said):
        fit_surface(STEP, STEP, STEP, **changed)


def test_a_run_of_absurd_values_is_survived():
    """A run at 1e30 leaves the surface of the others in place."""
    step, rate, value, run = sweep(smooth, runs=8)
    value[run == 7] = 1e30
    surface = fit_surface(step, rate, value, run)
    calm = surface.y < 2e-3
    assert np.mean(surface.support[calm] > 0) > 0.9
    assert np.nanmax(surface.z[calm]) < 10


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_the_unit_of_z_does_not_matter(surface, factor):
    """A loss in other units gives the same surface in those units."""
    step, rate, value, run = sweep(smooth)
    scaled = fit_surface(step, rate, value * factor, run)
    np.testing.assert_allclose(scaled.z / factor, surface.z, rtol=1e-5)


def test_many_short_runs_are_fitted():
    """Five hundred runs of ten samples share bins and still give the truth."""
    rng = np.random.default_rng(0)
    run = np.repeat(np.arange(500), 10)
    step, rate = np.tile(np.linspace(0, STEPS, 10), 500), 10 ** rng.uniform(-4, -2, 500)[run]
    surface = fit_surface(step, rate, smooth(step, rate) + rng.normal(0, 0.1, 5000), run)
    shown = surface.support > 0
    assert surface.n_runs == 500
    assert surface.share > 0.5
    assert np.quantile(np.abs(surface.z - on_grid(smooth, surface))[shown], 0.95) < 0.3


def test_the_bundled_sweep_opens_with_its_diverged_run():
    """The sweep that a new user sees first fills at least 40 % of its box."""
    columns = []
    for folder in sorted((ROOT / "viz3d" / "samples").glob("gpt-lr-*")):
        history = pd.concat(map(pd.read_parquet, sorted(folder.glob("metrics/*.parquet"))))
        rate = json.loads((folder / "run.json").read_text())["config"]["learning_rate"]
        loss = history["loss"].to_numpy()
        columns.append((history["step"], np.full(len(loss), rate), loss, [folder.name] * len(loss)))
    surface = fit_surface(*(np.concatenate(column) for column in zip(*columns, strict=True)))
    assert surface.share >= 0.4
    assert surface.n_runs >= 8
    reverse = fit_surface(*(np.concatenate(column[::-1]) for column in zip(*columns, strict=True)))
    np.testing.assert_array_equal(reverse.support, surface.support)


def left_out(runs, rate):
    """Supported and wrong steps of one real run on the surface of the others, and their number."""
    steps, rates, losses = [], [], []
    for other, path in runs.items():
        if other != rate:
            steps.append(np.arange(len(path)))
            rates.append(np.full(len(path), other))
            losses.append(path)
    model = SurfaceModel().fit(*(np.concatenate(c) for c in (steps, rates, losses, rates)))
    at = model.predict(np.arange(len(runs[rate])), np.full(len(runs[rate]), rate))
    path = pd.Series(runs[rate]).rolling(51, center=True, min_periods=1).median().to_numpy()
    low, high = model.z_range_
    shown = at.support > 0
    return shown.sum(), np.sum(shown & (np.abs(at.z - path) > 0.1 * (high - low))), len(path)


@pytest.mark.parametrize(("optimizer", "wanted"), [("adamw", 0.1), ("muon-compact", 0.6)])
def test_left_out_runs_of_a_real_sweep_lie_on_the_surface_of_the_others(
    real_data, optimizer, wanted
):
    """Enough of each real path is shown, and what is shown is right, also beside the jump."""
    runs = {}
    for path in (real_data / "gpt-large-lr-sweep").glob(f"{optimizer}-lr-*.json"):
        rate = float(path.name.split("-lr-")[1].split("-constant")[0])
        runs[rate] = np.array(json.loads(path.read_text())["losses"], dtype=float)
    counts = np.array([left_out(runs, rate) for rate in sorted(runs)[1:-1]])
    shown, wrong, steps = counts.sum(axis=0)
    assert shown / steps >= wanted
    assert wrong / shown <= 0.03
    if optimizer == "adamw":
        assert np.all(counts[:, 1] == 0)
