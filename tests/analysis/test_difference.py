"""A difference is of two surfaces where both are supported, and says what it cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import ConstantKernel

from viz3d.analysis._axes import Axis
from viz3d.analysis._kernels import sized
from viz3d.analysis.difference import BAND, subtract

STEPS = 300
RATES = np.geomspace(1e-4, 1e-1, 6)


def truth(step, rate):
    """Loss that falls with the step and has a best rate."""
    return 2 + 2 * np.exp(-step / 40) + 0.2 * (np.log10(rate) + 2.5) ** 2


def sweep(seed, *, rates=RATES, start=0, factor=1.0, shift=0.0):
    """Columns of runs at constant rates, with white noise and an offset for each run."""
    rng = np.random.default_rng(seed)
    step = np.arange(start, start + STEPS, dtype=float)
    parts = [
        (
            step,
            np.full(STEPS, rate),
            factor * truth(step, rate) + shift + rng.normal(0, 0.03, STEPS) + rng.normal(0, 0.02),
            np.full(STEPS, i),
        )
        for i, rate in enumerate(rates)
    ]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


@pytest.fixture(scope="module")
def same():
    """Two sweeps of one truth."""
    return subtract(sweep(0), sweep(1))


@pytest.fixture(scope="module")
def worse():
    """The second sweep 10 % worse."""
    return subtract(sweep(0), sweep(1, factor=1.1))


def test_the_promise_on_sweeps_of_one_truth_and_of_one_that_is_worse(same, worse):
    """Few cells are flagged where nothing differs, most where B is 10 % worse, on A's side."""
    flagged = [1 - found.shares[2] for found in (same, subtract(sweep(2), sweep(3)))]
    assert np.mean(flagged) <= 0.05
    below, above, undecided = worse.shares
    assert below >= 0.8
    assert above == 0
    assert below + above + undecided == pytest.approx(1)


def test_equal_sweeps_are_not_said_to_be_equal_to_any_digit(same):
    """The band is not below what offsets of 0.02 of six runs a side do to their mean."""
    assert np.median(same.deviation[same.shown]) > 0.02 * np.sqrt(2 / 6)


def test_the_size_of_the_own_part_follows_the_spread_of_the_runs():
    """A difference that is even before the division by the spread is even for the kernel too."""
    kernel = ConstantKernel(4.0) * sized(lambda u: 1 + u)
    at = np.array([[0.0, 0.3], [1.0, 0.3]])
    np.testing.assert_allclose(kernel(at), [[4, 8], [8, 16]])
    np.testing.assert_allclose(kernel.diag(at), [4, 16])


def test_a_shift_is_measured(same):
    """The difference and its band hold the shift that was put in."""
    found = subtract(sweep(0, shift=0.4), sweep(1))
    assert np.median(found.d[found.shown]) == pytest.approx(0.4, abs=0.05)
    held = np.abs(found.d - 0.4)[found.shown] < BAND * found.deviation[found.shown]
    assert held.mean() > 0.9
    assert abs(np.median(same.d[same.shown])) < 0.05


def test_turning_the_sides_round_turns_the_difference_round(worse):
    """B minus A is the negative, with the same band and the shares exchanged."""
    turned = subtract(sweep(1, factor=1.1), sweep(0))
    np.testing.assert_allclose(
        turned.d[turned.shown], -worse.d[worse.shown], atol=0.2 * np.nanmax(worse.deviation)
    )
    assert turned.shares[1] == pytest.approx(worse.shares[0], abs=0.05)


def test_nothing_stands_where_a_side_is_not_supported():
    """Where B's runs at high rates ended early, A alone is no difference."""
    x, y, z, run = sweep(1)
    kept = (y < 1e-3) | (x < 120)
    found = subtract(sweep(0), (x[kept], y[kept], z[kept], run[kept]))
    ended = np.ix_(found.y > 2e-2, found.x > 200)
    assert not found.shown[ended].any()
    assert found.shown.mean() > 0.3
    for values in (found.a, found.b, found.d, found.deviation):
        np.testing.assert_array_equal(np.isfinite(values), found.shown)
    assert not (found.undecided & ~found.shown).any()


def test_the_grid_is_what_both_boxes_share():
    """Of rates 1e-4 to 1e-2 and 1e-3 to 1e-1 the grid spans 1e-3 to 1e-2."""
    found = subtract(
        sweep(0, rates=np.geomspace(1e-4, 1e-2, 5)), sweep(1, rates=np.geomspace(1e-3, 1e-1, 5))
    )
    assert found.y[0] == pytest.approx(1e-3)
    assert found.y[-1] == pytest.approx(1e-2)
    assert found.shown.any()


def test_sides_that_share_nothing_get_a_reason():
    """No common rate, no common step: one sentence with the numbers, and no share."""
    rates = subtract(
        sweep(0, rates=np.geomspace(1e-5, 1e-4, 4)), sweep(1, rates=np.geomspace(1e-2, 1e-1, 4))
    )
    assert "share no y" in rates.reason
    assert "0.01" in rates.reason
    steps = subtract(sweep(0), sweep(1, start=5000))
    assert "share no x" in steps.reason
    assert not steps.shown.any()
    assert np.isnan(steps.shares).all()


@pytest.mark.parametrize("nudge", [1.0, 1 - 1e-12, 1 + 1e-12])
def test_sides_that_share_one_rate_are_told_so(nudge):
    """A surface ends where the other begins: a grid needs more, yet one is not none."""
    found = subtract(
        sweep(0, rates=np.geomspace(1e-5, 1e-3, 3)),
        sweep(1, rates=np.geomspace(1e-3, 1e-1, 3) * nudge),
    )
    assert "share only one y, 0.001: that of A is from 1e-05 to 0.001" in found.reason
    assert not found.shown.any()


def test_a_side_without_samples_gets_a_reason():
    """The sentence names the side."""
    x, y, z, run = sweep(0)
    assert subtract((x, y, z, run), (x, y, z * np.nan, run)).reason.startswith("Side B")


def test_ten_per_cent_are_seen_where_the_spread_of_the_runs_changes():
    """Runs that fall at different steps are alike before and after that."""

    def late(seed, factor):
        rng = np.random.default_rng(seed)
        step = np.linspace(0, 10_000, STEPS)
        parts = []
        for i, rate in enumerate(RATES):
            middle = 2.9 - 0.3 * (np.log10(rate) + 2.5)
            z = 5 - 3 / (1 + np.exp(-(np.log10(step + 30) - middle) / 0.15))
            z = factor * z * (1 + rng.normal(0, 0.03, STEPS)) + rng.normal(0, 0.03)
            parts.append((step, np.full(STEPS, rate), z, np.full(STEPS, i)))
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    found = subtract(late(0, 1.0), late(1, 1.1), grid=24)
    assert found.shares[0] > 0.6
    assert found.shares[1] == 0


def test_a_ratio_where_both_are_fitted_on_a_logarithmic_scale(worse):
    """Then 10 % worse is log(1.1) everywhere; asked for linear it is a difference in z."""
    found = subtract(sweep(0), sweep(1, factor=1.1), z_scale="log")
    assert found.log
    np.testing.assert_allclose(found.d[found.shown], np.log(found.a / found.b)[found.shown])
    assert np.median(found.d[found.shown]) == pytest.approx(-np.log(1.1), abs=0.02)
    linear = subtract(sweep(0), sweep(1, factor=1.1), z_scale="linear")
    assert not linear.log
    np.testing.assert_allclose(linear.d[linear.shown], (linear.a - linear.b)[linear.shown])


def test_two_runs_are_a_curve_whatever_their_rates():
    """One run a side has no surface: the difference is along the step."""
    found = subtract(sweep(0, rates=[1e-3]), sweep(1, rates=[1e-2], shift=0.5))
    assert found.along
    assert found.runs == (1, 1)
    assert found.d.shape == (1, len(found.x))
    true = truth(found.x, 1e-3) - truth(found.x, 1e-2) - 0.5
    assert np.abs(found.d[0] - true).max() < 0.2


def test_one_run_is_read_against_a_sweep_at_its_rate():
    """The sweep's surface is read off along the run."""
    found = subtract(sweep(0, rates=[RATES[2]], shift=-0.5), sweep(1))
    assert found.along
    assert np.nanmedian(found.d) == pytest.approx(-0.5, abs=0.1)
    assert found.shares[0] > 0.8


def test_seeds_of_one_schedule_are_a_line():
    """Three seeds a side that share a schedule are a curve, also against another schedule."""

    def seeds(first, peak):
        x, _, z, run = sweep(first, rates=[1e-3] * 3)
        return x, peak * np.minimum(1, (x + 1) / 50), z, run

    found = subtract(seeds(0, 1e-3), seeds(1, 1e-2))
    assert found.along
    assert found.runs == (3, 3)
    assert not subtract(sweep(0), sweep(1), grid=8).along


def test_the_line_is_not_read_off_in_a_gap():
    """Where a run logged nothing for long, there is no difference."""
    x, y, z, run = sweep(0, rates=[1e-3])
    kept = (x < 60) | (x > 200)
    found = subtract((x[kept], y[kept], z[kept], run[kept]), sweep(1, rates=[1e-3]))
    gap = (found.x > 90) & (found.x < 145)
    assert gap.any()
    assert not found.shown[0, gap].any()


def test_unknown_settings_are_refused():
    """Also where both sides are lines and no surface is fitted."""
    with pytest.raises(ValueError, match="strictness"):
        subtract(sweep(0, rates=[1e-3]), sweep(1, rates=[1e-3]), strictness="lax")


def test_common_axis_of_boxes_apart_is_none():
    """Boxes that only touch share no axis either."""
    low, high = Axis("linear", 0.0, 1.0), Axis("linear", 1.0, 2.0)
    assert Axis.common(low, high) is None
    shared = Axis.common(low, Axis("linear", 0.5, 2.0))
    assert (shared.low, shared.high) == (0.5, 1.0)
