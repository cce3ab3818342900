"""Thinning keeps every extreme, both ends and the gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from viz3d.analysis.downsample import min_max

CURVES = arrays.arrays(
    np.float64,
    st.integers(0, 400),
    elements=st.one_of(st.floats(-1e6, 1e6), st.just(np.nan), st.just(np.inf)),
)


def plain_min_max(y, n_out, bucket_of):
    """The same by one loop over the points, without any cleverness."""
    if len(y) <= n_out:
        return list(range(len(y)))
    finite = [bool(np.isfinite(v)) for v in y]
    buckets = {}
    for i in range(len(y)):
        buckets.setdefault(bucket_of(i), []).append(i)
    kept = {0, len(y) - 1}
    for members in buckets.values():
        good = [i for i in members if finite[i]]
        if good:
            kept |= {min(good, key=lambda i: y[i]), max(good, key=lambda i: y[i])}
        kept |= set([i for i in members if not finite[i]][:1])
    return sorted(kept)


def n_buckets(y, n_out):
    return (n_out - 2) // (2 if np.isfinite(y).all() else 3)


@given(y=CURVES, n_out=st.integers(8, 60))
@settings(max_examples=150, deadline=None)
def test_agrees_with_the_plain_twin(y, n_out):
    """The fast path keeps exactly what the slow, obvious one keeps."""
    b = n_buckets(y, n_out)
    assert min_max(y, n_out=n_out).tolist() == plain_min_max(y, n_out, lambda i: i * b // len(y))


@given(y=CURVES, n_out=st.integers(8, 60), seed=st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_agrees_with_the_plain_twin_on_irregular_steps(y, n_out, seed):
    """With x given the buckets are ranges of x, however unevenly the points lie in them."""
    x = np.cumsum(np.random.default_rng(seed).integers(1, 1000, len(y)))
    b = n_buckets(y, n_out)

    def bucket(i):
        return min(int((x[i] - x[0]) / (x[-1] - x[0]) * b), b - 1)

    assert min_max(y, n_out=n_out, x=x).tolist() == plain_min_max(y, n_out, bucket)


@given(y=CURVES, n_out=st.integers(8, 60))
@settings(max_examples=100, deadline=None)
def test_keeps_its_promises(y, n_out):
    """Sorted, unique, within the budget, with both ends and both global extremes."""
    kept = min_max(y, n_out=n_out)
    assert len(kept) <= max(n_out, 0) or len(kept) == len(y)
    assert np.all(np.diff(kept) > 0)
    finite = y[np.isfinite(y)]
    if len(y):
        assert kept[0] == 0
        assert kept[-1] == len(y) - 1
    if len(finite):
        assert np.nanmax(np.where(np.isfinite(y), y, np.nan)) in y[kept]
        assert np.nanmin(np.where(np.isfinite(y), y, np.nan)) in y[kept]


@pytest.mark.parametrize("at", [0, 1, 499_999, 999_998, 999_999])
def test_a_spike_of_one_step_in_a_million_survives(at):
    """A single-step spike is what people look for; every-n-th thinning loses it."""
    y = np.sin(np.arange(1_000_000) / 1e4)
    y[at] = 50.0
    assert at in min_max(y, n_out=2_000)


def test_a_gap_stays_a_gap():
    """A line must not be drawn across steps that were logged as NaN."""
    y = np.r_[np.zeros(5_000), np.full(5_000, np.nan), np.zeros(5_000)]
    kept = min_max(y, n_out=100)
    assert np.isnan(y[kept]).any()
    inside = (kept > 4_999) & (kept < 10_000)
    assert np.isnan(y[kept[inside]]).all()


def test_all_points_at_one_x_is_one_bucket():
    """Steps that do not differ must not divide by zero."""
    kept = min_max(np.arange(100.0), n_out=10, x=np.full(100, 7))
    assert kept.tolist() == [0, 99]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"n_out": 7}, "at least 8"), ({"n_out": 8, "x": [1, 2]}, "one x per y")],
)
def test_misuse_is_refused(arguments, said):
    """A budget that cannot hold the promises, or columns that do not belong together."""
    with pytest.raises(ValueError, match=said):
        min_max(np.arange(20.0), **arguments)
