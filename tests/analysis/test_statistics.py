"""One number per run: intervals and tests as in the textbooks, refused where they lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.seed_statistics import over_seeds
from viz3d.analysis.statistics import NO_SPREAD, ONE_RUN, compare, holm, mean_interval


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_false_positives_stay_near_the_nominal_rate(seeds):
    """400 pairs that do not differ, tested at 5 %: between 2 and 8 % are called different."""
    false, power, covered = over_seeds(400, seeds)
    assert 0.02 <= false <= 0.08
    assert power > 2 * false
    assert 0.92 <= covered <= 0.98


def test_welch_is_that_of_the_textbook():
    """Statistic and degrees of freedom written out (Welch 1947), against the p and the interval."""
    a, b = np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0, 9.0, 9.5])
    one = compare(a, b)
    va, vb = a.var(ddof=1) / 3, b.var(ddof=1) / 4
    free = (va + vb) ** 2 / (va**2 / 2 + vb**2 / 3)
    t = (a.mean() - b.mean()) / np.sqrt(va + vb)
    half = stats.t.ppf(0.975, free) * np.sqrt(va + vb)
    assert one.n == (3, 4)
    assert one.difference == pytest.approx(a.mean() - b.mean())
    assert one.p == pytest.approx(2 * stats.t.sf(abs(t), free))
    assert (one.lower, one.upper) == pytest.approx((one.difference - half, one.difference + half))
    assert one.reason == ""


def test_hedges_g_by_hand():
    """A difference of 2 pooled standard deviations of 1, corrected for 4 degrees of freedom."""
    one = compare([1.0, 2.0, 3.0], [3.0, 4.0, 5.0])
    assert one.hedges_g == pytest.approx(-2 * (1 - 3 / 15))


@pytest.mark.parametrize("sides", [([1.0], [2.0, 3.0]), ([1.0, 2.0], [3.0]), ([1.0], [2.0])])
def test_one_run_on_a_side_gets_no_test_and_a_reason(sides):
    """The difference is a fact; whether it means something is unknown."""
    one = compare(*sides)
    assert np.isfinite(one.difference)
    assert (one.p, one.lower, one.upper, one.hedges_g) == (None,) * 4
    assert one.reason == ONE_RUN


def test_values_that_are_no_numbers_are_left_out():
    """Two runs of which one diverged are one."""
    assert compare([1.0, np.nan], [2.0, 3.0]).reason == ONE_RUN
    assert compare([1.0, 2.0, np.inf], [2.0, 3.0]).n == (2, 2)
    assert "no run" in compare([np.nan], [2.0, 3.0]).reason


def test_no_spread_gets_no_test():
    """Equal values on both sides would be infinitely significant."""
    one = compare([1.0, 1.0], [2.0, 2.0])
    assert (one.p, one.reason) == (None, NO_SPREAD)


def test_interval_of_a_mean_is_students():
    """As scipy has it; one number has none."""
    values = [1.0, 2.0, 4.0, np.nan]
    one = mean_interval(values)
    want = stats.t.interval(0.95, 2, loc=7 / 3, scale=stats.sem(values[:3]))
    assert (one.mean, one.n) == (pytest.approx(7 / 3), 3)
    assert (one.lower, one.upper) == pytest.approx(want)
    assert mean_interval([5.0]).lower is None
    assert np.isnan(mean_interval([]).mean)


def test_holm_of_a_known_example():
    """Holm 1979: the smallest p times m, the next times m - 1, never falling, never above 1."""
    assert holm([0.01, 0.04, None, 0.03]) == [
        pytest.approx(0.03), pytest.approx(0.06), None, pytest.approx(0.06),
    ]  # fmt: skip
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([None]) == [None]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_raw_p_and_bonferroni(p):
    """And keeps their order."""
    corrected = holm(p)
    for raw, better in zip(p, corrected, strict=True):
        assert raw <= better <= min(1.0, raw * len(p)) + 1e-12
    assert [corrected[i] for i in np.argsort(p)] == sorted(corrected)
