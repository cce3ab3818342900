"""The noise model under a surface: variance, correlation, and their use for medians."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from viz3d.analysis._bins import bin_runs
from viz3d.analysis._noise import Noise, measure_noise

N = 20_000
U = np.linspace(0, 1, N)
FLAT = np.zeros(N)
ONE_RUN = np.zeros(N, dtype=np.int64)


def correlated(memory, rng):
    """AR(1) noise of variance 1."""
    keep = np.exp(-1 / memory)
    return lfilter([1], [1, -keep], rng.standard_normal(N) * np.sqrt(1 - keep**2))


def test_white_noise_is_found_white_and_of_its_size():
    """Independent samples share nothing, whatever the slope of the curve under them."""
    noise = measure_noise(U, FLAT, 3 * U + np.random.default_rng(0).normal(0, 0.2, N), ONE_RUN)
    assert noise.share == 0
    np.testing.assert_allclose(np.sqrt(noise.sample), 0.2, rtol=0.1)


@pytest.mark.parametrize("memory", [10, 40])
def test_correlated_noise_is_found_with_its_memory(memory):
    """Half white, half AR(1) is told apart to a third."""
    rng = np.random.default_rng(1)
    value = np.sqrt(0.5) * (rng.standard_normal(N) + correlated(memory, rng))
    noise = measure_noise(U, FLAT, value, ONE_RUN)
    assert noise.share == pytest.approx(0.5, rel=0.33)
    assert noise.memory == pytest.approx(memory, rel=0.33)
    assert np.sqrt(np.median(noise.sample)) == pytest.approx(1, rel=0.1)


def test_noise_that_grows_is_followed():
    """The variance is local: the first tenth is not given the noise of the last."""
    value = np.random.default_rng(2).standard_normal(N) * (0.1 + 2 * U)
    sample = np.sqrt(measure_noise(U, FLAT, value, ONE_RUN).sample)
    assert sample[N // 20] == pytest.approx(0.2, rel=0.25)
    assert sample[-N // 20] == pytest.approx(2.0, rel=0.25)


def test_spikes_are_not_noise():
    """One sample in two hundred at fifty deviations leaves the variance about as it was."""
    rng = np.random.default_rng(3)
    value = rng.standard_normal(N) + 50 * (rng.random(N) < 0.005)
    assert np.sqrt(np.median(measure_noise(U, FLAT, value, ONE_RUN).sample)) < 1.2


def test_the_mean_of_correlated_samples_is_as_uncertain_as_it_is():
    """The variance that neighbouring samples share agrees with a simulation."""
    rng = np.random.default_rng(4)
    count, memory = 50, 20
    means = correlated(memory, rng).reshape(-1, count).mean(axis=1)
    said = Noise(np.ones(1), share=1.0, memory=memory).common(np.array([count]))[0]
    assert means.var() == pytest.approx(said, rel=0.25)


def test_bins_hold_medians_of_one_run_each_within_the_limit():
    """Two runs in one place stay apart, and a spike does not reach the bin's value."""
    u = np.tile(np.linspace(0, 1, 500), 2)
    run = np.repeat([0, 1], 500)
    w = run + 0.0
    w[250] = 1e6
    bins = bin_runs(u, np.full(1000, 0.5), w, run, Noise(np.full(1000, 0.01)), 60)
    assert len(bins) <= 60
    np.testing.assert_array_equal(bins.w, bins.run)
    assert np.median(bins.own) < 0.001


def test_few_samples_tell_no_noise():
    """With under eight samples a run nothing is claimed about it."""
    noise = measure_noise(U[:5], FLAT[:5], np.arange(5.0) ** 2, ONE_RUN[:5])
    assert not noise.sample.any()
