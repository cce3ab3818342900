"""Any three quantities on three axes: joined on the step, counted, and never filled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from viz3d.errors import BadArgument, ChartError, MissingMetric
from viz3d.figures import explore, loss_landscape, training_dynamics
from viz3d.figures.compare import side_by_side
from viz3d.figures.explore_rows import default_axes
from viz3d.figures.wire import to_wire
from viz3d.run import Run


def lines(chart):
    """The runs in the scene."""
    return [t for t in chart.figure.data if isinstance(t, go.Scatter3d)]


def noted(chart, words):
    """Whether one of the notes holds these words."""
    return any(words in note for note in chart.notes)


def test_values_meet_at_the_logged_step(make_run):
    """A metric of every tenth step meets the other there alone; nothing is carried forward."""
    held = np.full(100, np.nan)
    held[::10] = np.arange(10.0)
    held[7] = 5.0
    loss = np.linspace(3, 2, 100)
    loss[7] = np.nan
    chart = explore.chart(make_run({"loss": loss, "held": held}), x="step", y="held", z="loss")
    [line] = lines(chart)
    np.testing.assert_array_equal(line.x, np.arange(0, 100, 10))
    np.testing.assert_array_equal(line.y, np.arange(10))
    np.testing.assert_allclose(line.z, loss[::10], rtol=1e-6)
    [flat] = chart.flat.data
    np.testing.assert_array_equal(flat.customdata, np.stack([line.x, line.y], -1))
    assert chart.numbers["rows_unjoined"] == 90
    assert noted(chart, "90 rows without a partner left out")
    assert noted(chart, "none is carried forward")


def test_a_logged_nan_is_told_apart_from_a_missing_value(make_run):
    """Row 3 was logged as NaN, row 5 as infinity, row 7 not at all."""
    loss = np.arange(10.0)
    loss[[3, 7]] = np.nan
    loss[5] = np.inf
    bad = pd.DataFrame({"step": [3, 5], "metric": "loss", "value": [np.nan, np.inf]})
    run = make_run({"loss": loss, "gnorm": np.ones(10)}, nonfinite=bad)
    chart = explore.chart(run, y="grad_norm")
    assert chart.numbers["rows_nonfinite"] == 2
    assert chart.numbers["rows_unjoined"] == 1
    assert noted(chart, "2 rows with NaN or infinity")


def test_a_log_axis_drops_what_it_cannot_show_and_says_so(make_run):
    """Step 0 and a loss below 0 leave, each once, and only on the axis that is logarithmic."""
    run = make_run({"loss": [1.0, 2.0, -3.0, 4.0], "gnorm": [1.0, 1.0, 2.0, 3.0]})
    both = explore.chart(run, y="grad_norm", x_scale="log", z_scale="log")
    assert both.numbers["rows_off_log_axes"] == 2
    assert noted(both, "2 rows left out: a log axis cannot show a value of step and loss")
    assert both.figure.layout.scene.xaxis.type == "log"
    assert both.figure.layout.scene.yaxis.type != "log"
    assert both.flat.layout.yaxis.type == "log"
    assert explore.chart(run, y="grad_norm").numbers["rows_off_log_axes"] == 0
    with pytest.raises(ChartError, match="switch the log scale off"):
        explore.chart(make_run({"loss": [-1.0, -2.0], "gnorm": [1.0, 1.0]}), z_scale="log")


def test_roles_join_runs_whose_metrics_have_other_names(make_run):
    """``train/loss`` and ``lm_loss`` stand on one axis."""
    runs = [
        make_run({name: [3.0, 2.0], "gnorm": [1.0, 0.5]}, name=name, roles={"loss": name})
        for name in ("train/loss", "lm_loss")
    ]
    chart = explore.chart(runs, y="grad_norm", z="loss")
    assert [line.name for line in lines(chart)] == ["train/loss", "lm_loss"]
    alone = explore.chart(runs, y="grad_norm", z="lm_loss")
    assert alone.numbers["runs"] == 1
    assert noted(alone, "Not drawn, for want of a point with a value on every axis: train/loss.")
    apart = make_run({"lm_loss": [3.0, np.nan], "gnorm": [np.nan, 1.0]}, name="apart")
    never = explore.chart([runs[1], apart], y="grad_norm", z="lm_loss")
    assert noted(never, "Not drawn, for want of a point with a value on every axis: apart.")


def test_a_setting_is_an_axis(make_run):
    """A nested number, written as text too, stands beside a metric: one value per run."""
    runs = [
        make_run({"loss": [3.0, 2.0]}, name=f"run-{rate}", config={"optim": {"lr": rate}})
        for rate in (0.1, "1e-2")
    ]
    chart = explore.chart(runs, y="optim.lr", z="loss", y_scale="log")
    assert [sorted(set(line.y.tolist())) for line in lines(chart)] == [
        [pytest.approx(0.1)],
        [pytest.approx(0.01)],
    ]


def test_the_prefix_tells_a_setting_from_a_metric(sweep):
    """The schedule's value moves; the setting of the same name does not."""
    logged = explore.chart(sweep, y="learning_rate")
    asked = explore.chart(sweep, y="config.learning_rate")
    assert len(set(lines(logged)[0].y.tolist())) > 1
    assert len(set(lines(asked)[0].y.tolist())) == 1
    assert "learning_rate (config)" in asked.summary


def test_texts_are_categories_of_points(make_run):
    """They have ticks by name and a colour each; no line, no height and no log scale."""
    runs = [
        make_run({"loss": [3.0, 2.0]}, name=f"run-{kind}", config={"kind": kind, "size": i})
        for i, kind in enumerate(["b <i>", "a"])
    ]
    chart = explore.chart(runs, x="kind", y="step", color="kind", draw="path")
    assert list(chart.figure.layout.scene.xaxis.ticktext) == ["a", "b ‹i›"]
    assert {line.mode for line in lines(chart)} == {"markers"}
    assert noted(chart, "because kind is text")
    assert list(lines(chart)[0].marker.colorbar.ticktext) == ["a", "b &lt;i&gt;"]
    assert ["kind b &lt;i&gt;" in line.hovertemplate for line in lines(chart)] == [True, False]
    assert "b <i>" in chart.table["kind"].tolist()
    with pytest.raises(ChartError, match="cannot be a height"):
        explore.chart(runs, z="kind")
    with pytest.raises(ChartError, match="no log scale"):
        explore.chart(runs, x="kind", x_scale="log")


def test_a_surface_over_two_settings_is_refused(make_run):
    """Each run is one number there: its last row, as a point, and the note says so."""
    runs = [
        make_run({"loss": [9.0, rate * width]}, config={"rate": rate, "width": width})
        for rate in (1.0, 2.0, 3.0)
        for width in (4.0, 5.0, 6.0)
    ]
    chart = explore.chart(runs, x="rate", y="width", draw="surface")
    assert not any(isinstance(t, go.Surface) for t in chart.figure.data)
    points = np.concatenate([t.z for t in lines(chart)])
    assert sorted(points.tolist()) == sorted(r * w for r in (1, 2, 3) for w in (4, 5, 6))
    assert noted(chart, "one number per run: each run is its last row of loss")


def test_one_run_supports_a_ribbon_alone(make_run):
    """The surface stays beside the path, and the box is mostly empty."""
    rng = np.random.default_rng(0)
    step = np.arange(400)
    run = make_run({"loss": 3 + np.exp(-step / 50) + rng.normal(0, 0.01, 400), "lr": 1e-3 + step})
    result = explore.compute(run, y="learning_rate", draw="surface")
    assert result.surface.reason or 0 < result.surface.share < 0.5


def test_a_sweep_supports_a_surface_with_the_data_on_top(sweep):
    """Holes of the fit are holes of the drawing, and every run lies on it."""
    settings = {"y": "learning_rate", "y_scale": "log", "draw": "surface"}
    result = explore.compute(sweep, **settings)
    chart = explore.finish(result)
    grids = [t for t in chart.figure.data if isinstance(t, go.Surface)]
    drawn = np.any([np.isfinite(t.z) for t in grids], axis=0)
    np.testing.assert_array_equal(drawn, result.surface.support > 0)
    assert [t.mode for t in lines(chart)] == ["lines"] * 7
    assert any(t.type == "heatmap" for t in chart.flat.data)
    assert chart.numbers["share_supported"] > 0.3


def test_a_scrap_of_a_surface_makes_no_map(sweep):
    """The flat view then shows the curves, and the runs keep their colours and their legend.

    The surface of step, rate and loss is the one of the loss landscape.
    """
    result = explore.compute(sweep[:3], y="learning_rate", y_scale="log", draw="surface")
    same = loss_landscape.compute(sweep[:3], rate="current").surface
    np.testing.assert_array_equal(result.surface.z, same.z)
    support = np.zeros_like(result.surface.support)
    support[40:50, 40:50] = 1
    scrap = replace(result, surface=replace(result.surface, support=support, reason=""))
    chart = explore.finish(scrap)
    assert 0 < chart.numbers["share_supported"] < 0.1
    assert {t.type for t in chart.flat.data} == {"scatter"}
    assert len({line.line.color for line in lines(chart)}) == 3
    assert all(line.showlegend for line in lines(chart))
    assert noted(chart, "The flat view shows loss over step")


@pytest.mark.parametrize("n", [7, 12])
def test_each_of_few_runs_stands_in_the_legend(make_run, n):
    """Also where a phone needs several rows for them."""
    chart = explore.chart([make_run({"loss": [3.0, 2.0 + i], "lr": [1.0, 2.0]}) for i in range(n)])
    assert [line.showlegend for line in lines(chart)] == [True] * n
    assert len({line.line.color for line in lines(chart)}) == n
    # In the flat view the colour is y; shades of runs would be taken for it.
    own = {line.line.color for line in chart.flat.data}
    assert len(own) == (n if n == 7 else 1)


def test_a_bar_tells_many_runs_apart(make_run):
    """It counts them as they are coloured and names both ends."""
    columns = {name: [3.0, 2.0] for name in ("loss", "lr", "reward", "gnorm")}
    runs = [make_run(columns, name=f"r{i}") for i in range(20)]
    for made in (explore.chart(runs).figure, training_dynamics.chart(runs, view="plain").figure):
        (line,) = [trace.line for trace in made.data if trace.line.showscale]
        assert line.colorbar.title.text == "run 1: r0<br>to run 20: r19"
        assert (line.cmin, line.cmax) == (0, 19) == (np.nanmin(line.color), np.nanmax(line.color))
        assert list(line.colorbar.ticktext) == ["1", "6", "11", "15", "20"]


def test_without_a_surface_the_reason_is_said_in_the_names_of_the_axes(make_run):
    """Three rows are no surface; the rows are drawn all the same."""
    run = make_run({"loss": [3.0, 2.0, 1.0], "gnorm": [1.0, 1.0, 1.0]})
    chart = explore.chart(run, y="grad_norm", draw="surface")
    assert noted(chart, "There is no surface.")
    assert chart.numbers["share_supported"] == 0
    assert len(lines(chart)) == 1
    assert chart.figure.layout.title.text.count("No surface is supported") == 1


def test_thinning_keeps_a_spike_of_every_metric(make_run):
    """One row each, in 50,000, on y, z and the colour."""
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=50_000) for name in ("gnorm", "loss", "extra")}
    for place, name in enumerate(columns):
        columns[name][777 + place] = 100.0 + place
    chart = explore.chart(make_run(columns), y="grad_norm", color="extra")
    [line] = lines(chart)
    assert len(line.x) < 3_000
    assert (max(line.y), max(line.z), max(line.line.color)) == (100.0, 101.0, 102.0)
    assert noted(chart, "of 50,000 points, every extreme kept")


def test_five_hundred_long_runs_stay_below_a_megabyte(make_run):
    """Both pictures, with a colour, and with every run's highest loss in them."""
    rng = np.random.default_rng(0)
    runs = []
    for i in range(500):
        columns = {name: rng.normal(size=5_000) for name in ("loss", "gnorm", "extra")}
        columns["loss"][i] = 50.0 + i
        runs.append(make_run(columns, name=f"a-run-with-a-long-name-{i}-of-500"))
    chart = explore.chart(runs, y="grad_norm", color="extra")
    assert len(to_wire(chart.figure)) < 1_000_000
    assert len(to_wire(chart.flat)) < 1_000_000
    assert set(np.arange(50.0, 550.0)) <= set(lines(chart)[0].z.tolist())


def test_the_same_inputs_give_the_same_figure(sweep):
    """Byte for byte, and the provenance says what stands where."""
    settings = {"x": "step", "y": "learning_rate", "z": "loss", "z_scale": "log", "draw": "points"}
    first, second = (explore.chart(sweep, **settings) for _ in range(2))
    assert to_wire(first.figure) == to_wire(second.figure)
    assert to_wire(first.flat) == to_wire(second.flat)
    kept = first.figure.layout.meta["viz3d"]["settings"]
    assert settings.items() <= kept.items()
    assert kept["x_scale"] == "linear"
    assert explore.chart(sweep, **{k: v for k, v in kept.items() if v}).summary == first.summary


def test_defaults_follow_what_there_is(make_run, sweep):
    """The learning rate, else the gradient norm; the loss, else the reward, else any."""
    assert default_axes(sweep) == ("step", "learning_rate", "loss")
    assert default_axes([make_run({"gnorm": [1.0], "reward": [1.0]})]) == (
        "step",
        "grad_norm",
        "reward",
    )
    assert default_axes([make_run({"a": [1.0], "b": [1.0]})]) == ("step", "b", "a")


def test_what_is_missing_is_named(make_run):
    """With what there is; a wrong word for a setting names its choices."""
    run = make_run({"loss": [3.0, 2.0]})
    with pytest.raises(MissingMetric, match=r"needs moon.*they have: step, loss"):
        explore.chart(run, y="moon")
    apart = make_run({"loss": [3.0, np.nan], "other": [np.nan, 1.0]})
    with pytest.raises(MissingMetric, match="at the same steps"):
        explore.chart(apart, y="other")
    with pytest.raises(BadArgument, match="path, points, surface"):
        explore.chart(run, draw="fog")
    with pytest.raises(BadArgument, match="z_scale is 'sqrt'"):
        explore.chart(run, z_scale="sqrt")


def test_a_run_without_a_history_stands_by_its_settings():
    """Three settings are a point."""
    empty = pd.DataFrame(index=pd.Index([], name="step", dtype="int64"))
    runs = [Run(f"r{i}", "tests", empty, config={"a": i, "b": 2, "c": 3}) for i in range(2)]
    chart = explore.chart(runs, x="a", y="b", z="c")
    assert [line.x.tolist() for line in lines(chart)] == [[0.0], [1.0]]


def test_names_of_data_are_shown_letter_for_letter(make_run):
    """A metric's name is no markup and no template."""
    run = make_run({"loss": [3.0, 2.0], "<b>$x$%{y}": [1.0, 2.0]})
    chart = explore.chart(run, y="<b>$x$%{y}")
    assert "<b>" not in chart.figure.layout.scene.yaxis.title.text
    assert all("<b>" not in line.hovertemplate for line in lines(chart))


@pytest.mark.parametrize(
    ("path", "settings"),
    [
        ("hf-trainer/grpo-unsloth", {"y": "kl", "z": "reward", "color": "length"}),
        ("sb3-jobshop", {"z": "reward", "draw": "points"}),
        ("algoperf-wmt", {"x": "step", "draw": "surface"}),
    ],
)
def test_real_logs(real_data, path, settings):
    """They draw, stay small, and the counts add up."""
    from viz3d.load import list_runs, load_runs, open_source

    source = open_source(str(real_data / path))
    runs = [run for info in list_runs(source)[:4] for run in load_runs(source, info)]
    chart = explore.chart(runs, **settings)
    assert chart.numbers["points_total"] > 0
    assert len(to_wire(chart.figure)) < 1_000_000
    assert len(to_wire(chart.flat)) < 1_000_000


def test_a_scale_is_logarithmic_where_the_values_span_it(make_run):
    """One run that diverged leaves the others to be seen, no row is lost, and one can switch."""
    good = make_run({"loss": np.geomspace(3, 0.1, 100), "gnorm": np.ones(100)}, name="good")
    bad = make_run({"loss": np.geomspace(3, 3e4, 100), "gnorm": np.ones(100)}, name="bad")
    made = explore.chart([good, bad])
    axes = made.figure.layout.scene
    assert axes.zaxis.title.text == "loss"
    assert axes.zaxis.type == "log"
    assert axes.xaxis.type != "log"
    assert made.numbers["rows_off_log_axes"] == 0
    assert made.figure.layout.meta["viz3d"]["settings"]["z_scale"] == "log"
    linear = explore.chart([good, bad], z_scale="linear")
    assert linear.figure.layout.scene.zaxis.type != "log"
    zero = make_run({"loss": np.r_[0.0, good.history["loss"]], "gnorm": np.ones(101)}, name="zero")
    assert explore.chart([zero, bad]).figure.layout.scene.zaxis.type != "log"


def test_panels_share_scales_and_categories(make_run):
    """What one group alone would draw otherwise is on the axes that all runs decide."""
    runs = [
        make_run({"loss": np.geomspace(3, end, 100)}, name=name, config={"optimizer": name})
        for name, end in (("adam", 2.0), ("muon", 3e4))
    ]
    settings = {"x": "optimizer", "y": "step", "z": "loss", "draw": "points"}
    left, right = side_by_side([[run] for run in runs], "explore", **settings)
    for axis in ("xaxis", "yaxis", "zaxis"):
        assert left.figure.layout.scene[axis] == right.figure.layout.scene[axis]
    assert left.figure.layout.scene.zaxis.type == "log"
    assert list(right.figure.layout.scene.xaxis.ticktext) == ["adam", "muon"]
    assert set(right.figure.data[0].x) == {1.0}


def test_a_setting_beyond_the_range_of_floats_is_no_axis(make_run):
    """It is nothing, as one that is infinite."""
    run = make_run({"loss": [3.0, 2, 1], "lr": [1.0, 2, 3]}, config={"big": 10**400, "text": "9"})
    assert len(explore.chart(run).data()) == 3
    with pytest.raises(MissingMetric):
        explore.chart(run, y="config.big")


def test_a_strictness_that_there_is_not_is_refused_without_a_surface(make_run):
    with pytest.raises(ValueError, match="strictness"):
        explore.chart(make_run({"loss": [3.0, 2.0], "gnorm": [1.0, 2.0]}), strictness="junk")


def test_large_numbers_beside_texts_stay_apart(make_run):
    """Of a setting that is a text in one run, numbers are categories, each by all its digits."""
    runs = [make_run({"loss": [3.0]}, config={"data": v}) for v in (1234567, 1234568, 0.5, "c4")]
    chart = explore.chart(runs, x="step", y="data", z="loss")
    assert chart.table["data"].tolist() == ["1234567", "1234568", "0.5", "c4"]
