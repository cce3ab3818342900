"""What lies between two runs: which bins are the nearest, and how far the surface is in doubt."""

from __future__ import annotations

import numpy as np
import pytest

from viz3d.analysis._bins import Bins
from viz3d.analysis._gaps import DOUBT, doubt_between

# Two seeds at v = 0.2 and one run at v = 0.8, each with a bin at u = 0.49 and one at 0.54.
U = np.array([0.49, 0.54] * 3)
V = np.array([0.2, 0.2, 0.2, 0.2, 0.8, 0.8])
MIDWAY = np.array([[0.5, 0.5]])


def doubt(miss, order=slice(None), nudge=0.0, at=MIDWAY):
    """The doubt at one point, with the bins in some order and one of them a little nearer."""
    none = np.zeros(len(U))
    run = np.array([0, 0, 1, 1, 2, 2])
    v = V + nudge * np.arange(len(V))
    columns = (U, v, none, none, none, none, run)
    bins = Bins(*(column[order] for column in columns))
    return doubt_between(at, bins, np.array(miss)[order])


@pytest.mark.parametrize("at", [0, 2, 4])
def test_the_worst_of_the_nearest_counts_in_whatever_order(at):
    """Seeds at one rate are equally near, also where rounding moves one of them."""
    miss = np.where(np.arange(6) == at, 0.3, 0.1)
    for order in (slice(None), slice(None, None, -1)):
        for nudge in (0.0, 1e-15, -1e-15):
            np.testing.assert_allclose(doubt(miss, order, nudge), DOUBT * 0.3, rtol=1e-9)


def test_of_bins_of_one_rate_those_at_the_step_count():
    """What the run misses later says nothing about here."""
    np.testing.assert_allclose(doubt([0.1, 0.9, 0.1, 0.9, 0.1, 0.9]), DOUBT * 0.1)
    later = np.array([[0.53, 0.5]])
    np.testing.assert_allclose(doubt([0.1, 0.9, 0.1, 0.9, 0.1, 0.9], at=later), DOUBT * 0.9)


def test_a_run_farther_off_does_not_count():
    """Only the two sides of the gap do."""
    at = np.array([[0.5, 0.1]])
    np.testing.assert_array_equal(doubt([0.3] * 6, at=at), 0.0)
    nearer = V.copy()
    nearer[2:4] = 0.3
    bins = Bins(U, nearer, *np.zeros((4, 6)), np.array([0, 0, 1, 1, 2, 2]))
    far = np.array([0.9, 0.9, 0.1, 0.1, 0.1, 0.1])
    np.testing.assert_allclose(doubt_between(np.array([[0.5, 0.55]]), bins, far), DOUBT * 0.1)
