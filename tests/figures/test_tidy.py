"""The long tables of charts: whole, in named parts, with what the chart draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from viz3d.figures import difference, explore, loss_landscape, overlay, seeds
from viz3d.figures.kinds import make_chart
from viz3d.figures.tidy import columns_for


def test_loss_landscape_has_every_row_and_the_whole_grid(sweep):
    """Curves as logged, NaN included; the surface with its band; the best rate with its ends."""
    result = loss_landscape.compute(sweep)
    table = loss_landscape.finish(result).data()
    curve = table[table["part"] == "curve"]
    assert len(curve) == sum(len(one.step) for one in result.curves)
    assert curve["loss"].isna().sum() == sum(np.isnan(one.loss).sum() for one in result.curves) > 0
    grid = table[table["part"] == "surface"]
    for column, values in (("loss", "z"), ("lower", "lower"), ("upper", "upper")):
        want = getattr(result.surface, values).ravel()
        assert np.array_equal(grid[column], want, equal_nan=True)
    assert np.array_equal(grid["support"], result.surface.support.ravel())
    assert np.array_equal(grid["step"][:96], result.surface.x)
    best = table[table["part"] == "best_rate"]
    assert len(best) == result.valley.resolved.sum() > 0
    assert (best["lower"] <= best["learning_rate"]).all()


def test_a_long_run_is_not_thinned(make_run):
    """The plain view draws few of 50,000 rows and exports them all."""
    n = 50_000
    columns = {"loss": np.arange(n) * 1.0, "gnorm": np.ones(n), "reward": np.zeros(n)}
    chart = make_chart("training-dynamics", [make_run(columns)], view="plain")
    assert len(chart.figure.data[0].x) < n
    table = chart.data()
    assert np.array_equal(table["loss"], columns["loss"])
    assert set(table["part"]) == {"curve"}


def test_gradient_flow_has_the_rows_and_the_cells(layered):
    """What was logged and what is drawn, in one table with one name for each layer."""
    table = make_chart("gradient-flow", [layered]).data()
    rows, cells = table[table["part"] == "layer"], table[table["part"] == "cell"]
    assert np.array_equal(rows["grad_norm"], layered.layers["grad_norm"])
    assert set(cells["name"]) == set(rows["name"])
    assert cells.groupby("layer")["name"].nunique().eq(1).all()


def test_a_cell_that_nobody_logged_has_no_row(make_run):
    """A layer that logged NaN has its cell, and one that logged at other steps has none."""
    layers = pd.DataFrame(
        {
            "step": [0, 0, 1, 2],
            "layer": [3, 5, 3, 5],
            "name": ["a", "b", "a", "b"],
            "grad_norm": [1.0, 2.0, np.nan, 4.0],
        }
    )
    run = make_run({"loss": [3.0, 2.0, 1.0], "tokens": [0.0, 10.0, 20.0]}, layers=layers)
    table = make_chart("gradient-flow", [run], along="tokens").data()
    cells = table.loc[table["part"] == "cell", ["step", "tokens", "layer", "name", "grad_norm"]]
    assert cells.fillna(-1).to_numpy().tolist() == [
        [0, 0.0, 3, "a", 1.0],
        [1, 10.0, 3, "a", -1],
        [0, 0.0, 5, "b", 2.0],
        [2, 20.0, 5, "b", 4.0],
    ]


def test_embedding_has_paths_loadings_and_axes(sweep):
    """Run, step and the components; the loadings by metric; what each axis explains."""
    whole = sweep[:-1]
    chart = make_chart("training-dynamics", whole)
    table = chart.data()
    paths = table[table["part"] == "path"]
    assert set(paths["run"]) == {run.name for run in whole}
    assert paths[["step", "pc1", "pc2"]].notna().all(axis=None)
    assert list(table[table["part"] == "loading"]["metric"]) == chart.numbers["metrics"]
    axes = table[table["part"] == "axis"]
    assert np.allclose(axes["explained"], chart.numbers["explained"])


def test_reward_landscape_names_the_other_axis(make_run):
    """The column is called as the metric is, and nothing is lost."""
    step = np.arange(60)
    run = make_run({"reward": np.tanh(step / 20), "kl": step * 0.1})
    table = make_chart("reward-landscape", [run], against="kl").data()
    curve = table[table["part"] == "curve"]
    assert np.array_equal(curve["kl"], run.history["kl"])
    assert np.array_equal(curve["step"], step)


def test_a_metric_never_takes_the_place_of_a_column():
    """A metric may be called "step" or twice the same."""
    assert columns_for(["step", "loss", "loss"]) == ["metric step", "loss #1", "loss #2"]


def test_difference_has_both_surfaces_and_the_band(sweep):
    """A, B, A less B on the whole grid, and every sample under its side and run."""
    result = difference.compute(sweep[0::2], sweep[1::2])
    table = difference.finish(result).data()
    grid = table[table["part"] == "difference"]
    for column, values in (("difference", "d"), ("a", "a"), ("b", "b")):
        assert np.array_equal(grid[column], getattr(result.found, values).ravel(), equal_nan=True)
    inside = grid["support"] > 0
    assert inside.any()
    assert (grid["lower"][inside] < grid["upper"][inside]).all()
    samples = table[table["part"] == "sample"]
    for side in result.sides:
        mine = samples[samples["side"] == side.name]
        assert np.array_equal(mine["step"], side.x)
        assert set(mine["run"]) == set(side.runs)


def test_seeds_have_every_run_the_mean_and_the_ends(sweep):
    result = seeds.compute({"all": sweep[:3]})
    table = seeds.finish(result).data()
    group = result.groups[0]
    mean = table[table["part"] == "mean"]
    assert np.array_equal(mean["loss"], group.joined.mean)
    assert np.array_equal(mean["n"], group.joined.n)
    assert len(table[table["part"] == "curve"]) == sum(len(one.step) for one in group.members)
    assert np.array_equal(table[table["part"] == "end"]["loss"], group.ends, equal_nan=True)


def test_explore_names_its_columns_after_the_axes(make_run):
    """The step is one column; a text of the config is text; nothing is thinned."""
    n = 50_000
    run = make_run({"loss": np.arange(n) * 1.0, "gnorm": np.ones(n)}, config={"optimizer": "muon"})
    settings = {"x": "step", "y": "optimizer", "z": "loss", "draw": "points"}
    table = explore.chart([run], **settings).data()
    assert list(table.columns) == ["part", "run", "step", "optimizer", "loss"]
    assert np.array_equal(table["loss"], run.history["loss"])
    assert set(table["optimizer"]) == {"muon"}


@pytest.mark.parametrize("metric", ["n", "group"])
def test_seeds_of_a_metric_that_is_called_as_a_column(make_run, metric):
    """Its values, and those of the column, each in a column of their own."""
    runs = [make_run({metric: [7.0 + i] * 9}, config={"a": 1, "seed": i}) for i in range(2)]
    table = seeds.chart(runs, metric=metric).data()
    mean = table[table["part"] == "mean"]
    assert (mean[f"metric {metric}"] == 7.5).all()
    assert (mean["n"] == 2).all()
    assert table["group"].notna().all()


def test_an_overlay_against_a_metric_that_is_called_group(make_run):
    """The title of the group keeps its column."""
    columns = {"reward": np.linspace(0, 1, 30), "group": np.linspace(3, 2, 30)}
    groups = {title: [make_run(columns, name=title)] for title in ("a", "b")}
    table = overlay.chart(groups, "reward-landscape", against="group").data()
    assert set(table["group"]) == {"a", "b"}
