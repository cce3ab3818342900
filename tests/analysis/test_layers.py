"""Gradient norms per layer are put on a grid as measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from viz3d.analysis.layers import layer_grid


def table(norms, names=None, steps=None):
    """Rows of ``Run.layers`` from norms of shape (n_steps, n_layers)."""
    n_steps, n_layers = np.shape(norms)
    step = np.arange(n_steps) if steps is None else np.asarray(steps)
    names = names or [f"h.{i}" for i in range(n_layers)]
    return pd.DataFrame(
        {
            "step": np.repeat(step, n_layers),
            "layer": np.tile(np.arange(n_layers), n_steps),
            "name": names * n_steps,
            "grad_norm": np.ravel(norms).astype(float),
        }
    )


def test_few_steps_are_shown_as_they_are():
    """With fewer steps than columns every cell is one logged value."""
    norms = np.random.default_rng(0).uniform(0.1, 1, (30, 3))
    grid = layer_grid(table(norms))
    np.testing.assert_array_equal(grid.norm, norms.T)
    assert grid.steps_per_bin == 1
    assert grid.names == ("h.0", "h.1", "h.2")


def test_cells_are_medians_of_one_layer_alone():
    """Nothing is smoothed across layers, and one wild step does not move a cell."""
    norms = np.tile([[1.0, 1000.0]], (1000, 1))
    norms[500] = [1e9, 1e-9]
    grid = layer_grid(table(norms), bins=50)
    assert grid.norm.shape == (2, 50)
    assert np.all(grid.norm[0] == 1.0)
    assert np.all(grid.norm[1] == 1000.0)


def test_cells_agree_with_a_plain_loop():
    """The one-sort median is the median, also with uneven steps and missing cells."""
    rng = np.random.default_rng(1)
    rows = table(rng.uniform(0.1, 1, (500, 4)), steps=np.cumsum(rng.integers(1, 50, 500)))
    rows = rows.drop(rows.sample(600, random_state=0).index).sort_values(["step", "layer"])
    grid = layer_grid(rows, bins=40)
    for i in range(4):
        ends = np.r_[grid.step[1:], np.inf]
        for j, (start, end) in enumerate(zip(grid.step, ends, strict=True)):
            cell = rows[(rows["layer"] == i) & (rows["step"] >= start) & (rows["step"] < end)]
            expected = cell["grad_norm"].median()
            assert grid.norm[i, j] == expected or (np.isnan(expected) and np.isnan(grid.norm[i, j]))


def test_zero_is_told_from_missing_and_both_are_counted():
    """A dead layer has norm zero; a layer not logged has none."""
    norms = np.ones((10, 3))
    norms[:, 1] = 0
    norms[:, 2] = np.nan
    grid = layer_grid(table(norms))
    assert np.all(grid.norm[1] == 0)
    assert np.isnan(grid.norm[2]).all()
    assert (grid.zeros, grid.nonfinite, grid.rows) == (10, 10, 30)
    assert grid.state == ("", "vanishing", "")


def test_vanishing_and_exploding_layers_are_judged_at_the_end():
    """Only what holds over the last tenth counts, against the median layer, by a factor 1,000."""
    norms = np.ones((100, 5))
    norms[:50, 0] = 1e-6
    norms[90:, 1] = 1e-4
    norms[89:, 2] = 1e4
    grid = layer_grid(table(norms))
    assert grid.state == ("", "vanishing", "exploding", "", "")


def test_layers_come_in_model_order_whatever_their_names():
    """Layer 10 comes after layer 9, not after layer 1."""
    names = [f"blocks.{i}" for i in range(12)]
    assert layer_grid(table(np.ones((3, 12)), names=names)).names == tuple(names)


def test_an_empty_table_is_refused():
    """There is nothing to lay out."""
    with pytest.raises(ValueError, match="no rows"):
        layer_grid(table(np.ones((0, 2))))


def test_real_per_layer_rows(real_data):
    """Counted by hand: 15,800 rows of the four layers of a 2-8-2 network."""
    rows = pd.read_csv(real_data / "per-layer-csv" / "layer_grad_norms_2-8-2.csv")
    order = {name: i for i, name in enumerate(dict.fromkeys(rows["layer"]))}
    rows = rows.rename(columns={"layer": "name"}).assign(layer=lambda t: t["name"].map(order))
    grid = layer_grid(rows.sort_values(["step", "layer"]))
    assert len(grid.names) == 4
    assert grid.rows == len(rows)
    assert grid.zeros == int((rows["grad_norm"] == 0).sum())
