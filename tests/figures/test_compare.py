"""Side by side means one colour scale and the same axes; tables show only what differs."""

from __future__ import annotations

import numpy as np
import pytest

from viz3d.errors import BadArgument
from viz3d.figures.compare import column_names, config_diff, final_metrics, side_by_side


def test_loss_landscapes_share_axes_and_colours(sweep):
    """Two halves of a sweep, drawn on the range that holds both."""
    left, right = side_by_side([sweep[:4], sweep[3:]], "loss-landscape")
    for axis in ("xaxis", "yaxis", "zaxis"):
        assert left.figure.layout.scene[axis].range == right.figure.layout.scene[axis].range
        assert left.figure.layout.scene[axis].type == right.figure.layout.scene[axis].type
    surfaces = [chart.figure.data[0] for chart in (left, right)]
    assert surfaces[0].cmin == surfaces[1].cmin
    assert surfaces[0].cmax == surfaces[1].cmax
    assert left.flat.layout.yaxis.range == right.flat.layout.yaxis.range


def test_one_run_beside_a_sweep_is_on_the_same_kind_of_rate(sweep):
    """A single run alone would be shown over its schedule; beside a sweep it is not."""
    charts = side_by_side([sweep, sweep[:1]], "loss-landscape")
    assert {c.figure.layout.scene.yaxis.title.text for c in charts} == {"peak learning rate"}


def test_dynamics_share_one_basis(make_run):
    """Paths of two panels can be compared only in the axes fitted to both."""
    rng = np.random.default_rng(0)
    runs = [
        make_run({n: rng.normal(size=60) for n in ("loss", "gnorm", "kl", "x")}, name=f"r{i}")
        for i in range(2)
    ]
    left, right = side_by_side([[run] for run in runs], "training-dynamics")
    assert left.numbers["explained"] == right.numbers["explained"]
    assert left.figure.layout.scene.xaxis.range == right.figure.layout.scene.xaxis.range
    names = [{t.name for t in chart.figure.data} for chart in (left, right)]
    assert "r1" not in names[0]
    assert "r0" not in names[1]


def test_gradient_flows_share_their_scale(layered):
    """One run per panel."""
    left, right = side_by_side([[layered], [layered]], "gradient-flow")
    assert left.figure.layout.scene.zaxis.range == right.figure.layout.scene.zaxis.range


def test_an_unknown_kind_is_refused(sweep):
    """The message lists the kinds."""
    with pytest.raises(ValueError, match="loss-landscape"):
        side_by_side([sweep], "pie")
    with pytest.raises(BadArgument, match="two groups already"):
        side_by_side([sweep], "difference")


def test_config_diff_shows_only_what_differs(make_run):
    """Equal numbers of different type are one; nested keys are flattened; absence is said."""
    first = make_run({}, name="a", config={"lr": 1, "opt": {"name": "adam", "beta": 0.9}, "n": 3})
    second = make_run({}, name="b", config={"lr": 1.0, "opt": {"name": "muon"}, "n": "3"})
    table = config_diff([first, second])
    assert list(table.index) == ["n", "opt.beta", "opt.name"]
    assert table.loc["opt.beta", "b"] == "not set"
    assert list(table.loc["opt.name"]) == ["adam", "muon"]
    assert config_diff([first, first]).empty


def test_final_metrics_are_last_finite_values(make_run):
    """By role first; infinities and NaN are passed over; the difference is from the baseline."""
    first = make_run({"extra": [1.0, 2.0, np.nan], "loss": [3.0, 2.0, np.inf]}, name="a")
    second = make_run({"train_loss": [5.0, 4.0, 3.5]}, name="b", roles={"loss": "train_loss"})
    table = final_metrics([first, second])
    assert list(table.index) == ["loss", "extra"]
    assert table.loc["loss", "a"] == 2.0
    assert table.loc["loss", "b (difference)"] == 1.5
    assert np.isnan(table.loc["extra", "b"])
    assert final_metrics([first, second], baseline=1).loc["loss", "a (difference)"] == -1.5
    with pytest.raises(ValueError, match="baseline is 2"):
        final_metrics([first, second], baseline=2)


def test_runs_of_one_name_stay_apart(make_run):
    """A table with two equal columns would show one run twice."""
    runs = [make_run({}, name="a"), make_run({}, name="a"), make_run({}, name="b")]
    assert column_names(runs) == ["a (tests) #1", "a (tests) #2", "b (tests)"]


def test_single_runs_side_by_side_show_their_schedule(sweep):
    """Panels of one run each are drawn over the schedule; at a peak rate each would be a line."""
    alone = side_by_side([[run] for run in sweep[:3]], "loss-landscape")
    assert {chart.figure.layout.scene.yaxis.title.text for chart in alone} == {
        "learning rate at that step"
    }
    with_sweep = side_by_side([sweep, sweep[:1]], "loss-landscape")
    assert {chart.figure.layout.scene.yaxis.title.text for chart in with_sweep} == {
        "peak learning rate"
    }


def test_final_metrics_leave_out_the_clock(make_run):
    """The time of the last step is no result, and its difference says nothing."""
    run = make_run({"loss": [2.0], "_timestamp": [1.7e9]}, roles={"time": "_timestamp"})
    assert list(final_metrics([run, run]).index) == ["loss"]


def test_percent_of_the_baselines_size(make_run):
    """With the sign of the difference for negative values too; unknown where there is no size."""
    first = make_run({"a": [-2.0], "b": [0.0], "c": [np.nan], "d": [4.0]}, name="x")
    second = make_run({"a": [-1.0], "b": [1.0], "c": [1.0], "d": [3.0]}, name="y")
    percent = final_metrics([first, second])["y (percent)"]
    assert percent["a"] == 50
    assert percent["d"] == -25
    assert percent[["b", "c"]].isna().all()


def test_config_diff_keeps_whole_numbers_whole(make_run):
    """A seed of 2 is no 2.0, whatever stands in the other rows."""
    runs = [make_run({}, name=n, config={"lr": i / 10, "seed": i}) for i, n in enumerate("ab")]
    assert config_diff(runs).loc["seed"].map(str).tolist() == ["0", "1"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_role_keeps_its_row_from_a_metric_of_its_name(make_run, order):
    """Whoever takes another metric for the loss sees that one, in whatever order they came."""
    columns = dict([("loss", [1.0]), ("train/loss", [2.0])][::order])
    run = make_run(columns, roles={"loss": "train/loss"})
    assert final_metrics([run])["run"].to_dict() == {"loss": 2.0}
