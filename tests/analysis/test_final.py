"""The end of a run is the mean of its last tenth; its noise is told only where it can be known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.seed_statistics import curves, within_run
from viz3d.analysis.final import effective_size, final_window


def test_the_last_tenth_of_the_steps():
    """Of the steps, not of the rows: rows that lie closer at the end do not shorten it."""
    step = np.r_[np.arange(0, 900, 100), np.arange(900, 1001, 10)]
    end = final_window(step, step.astype(float))
    assert (end.first, end.last, end.rows) == (910, 1000, 10)
    assert end.mean == pytest.approx(955)


def test_sparse_rows_reach_further_back():
    """At least five rows; a run with fewer has no number."""
    end = final_window(np.arange(0, 100, 10), np.arange(10.0))
    assert (end.rows, end.first, end.mean) == (5, 50, 7.0)
    short = final_window(np.arange(4), np.ones(4))
    assert (short.rows, np.isnan(short.mean), short.noise.lower) == (4, True, None)
    assert final_window(np.arange(0), np.arange(0.0)) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_run_that_ends_in_nan_has_no_number(bad):
    """One bad row earlier does no harm."""
    value = np.ones(100)
    value[50] = bad
    assert final_window(np.arange(100), value).mean == 1.0
    value[95] = bad
    assert np.isnan(final_window(np.arange(100), value).mean)


def test_effective_size_of_known_noise():
    """White noise counts in full; AR(1) by (1 - r) / (1 + r)."""
    rng = np.random.default_rng(0)
    n = 50_000
    assert effective_size(rng.standard_normal(n)) == pytest.approx(n, rel=0.05)
    keep = np.exp(-1 / 20)
    expected = n * (1 - keep) / (1 + keep)
    assert effective_size(curves((n,), 20.0, rng)) == pytest.approx(expected, rel=0.15)
    assert effective_size(np.zeros(30)) == 30


def test_no_interval_from_fewer_than_five_independent_rows():
    """100 rows with a memory of 50 are about one; a slow curve is no noise either."""
    one = final_window(np.arange(1000), curves((1000,), 50.0, np.random.default_rng(0)))
    assert one.noise.n < 5
    assert one.noise.lower is None
    falling = final_window(np.arange(1000), np.exp(-np.arange(1000) / 200))
    assert falling.noise.lower is None


@pytest.mark.parametrize("memory", [1.0, 5.0])
def test_the_interval_within_a_run_holds_its_level(memory):
    """Where it is given, in about 95 of 100 runs."""
    given, held = within_run(200, memory)
    assert given > 0.9
    assert 0.9 <= held <= 0.99


def test_a_long_memory_is_refused():
    """Seldom given where the window holds one independent value."""
    assert within_run(200, 50.0)[0] < 0.05


@pytest.mark.filterwarnings("error")
def test_numbers_at_the_ends_of_the_range_give_no_interval_and_no_warning():
    """Squares of values and distances of steps that overflow."""
    value = np.where(np.arange(60) % 2, 1e300, 2e300)
    final = final_window(np.arange(60), value)
    assert final.mean == pytest.approx(1.5e300)
    assert final.noise.lower is None
    wide = final_window(np.arange(-50, 51) * 2**57, np.ones(101))
    assert (wide.rows, final_window(np.arange(101), np.ones(101)).rows) == (10, 10)
