"""Training dynamics shows paths in one basis, and random walks beside what it explains."""

from __future__ import annotations

import json

import numpy as np
import pytest

from viz3d.errors import MissingMetric
from viz3d.figures import training_dynamics


@pytest.fixture(scope="module")
def runs(make_run):
    """Three runs with six metrics that share two trends."""
    made = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        t = np.linspace(0, 1, 400)
        a, b = np.exp(-3 * t), np.sin(6 * t + seed)
        noise = rng.normal(0, 0.02, (6, 400))
        names = ("loss", "gnorm", "reward", "kl", "entropy", "length")
        mixed = (a, b, 1 - a, b - a, a + b, b)
        columns = {n: v + e for n, v, e in zip(names, mixed, noise, strict=True)}
        made.append(make_run(columns, name=f"seed-{seed}"))
    return made


@pytest.fixture(scope="module")
def chart(runs):
    """The PCA view."""
    return training_dynamics.chart(runs)


def test_explained_variance_stands_beside_random_walks(chart):
    """On the axes, in the bars, in the numbers and in the text."""
    numbers = chart.numbers
    for k, axis in enumerate(("xaxis", "yaxis", "zaxis")):
        title = chart.figure.layout.scene[axis].title.text
        assert f"{100 * numbers['explained'][k]:.0f} %" in title
    bars = [t for t in chart.flat.data if t.type == "bar"]
    np.testing.assert_allclose(bars[0].y, 100 * np.array(numbers["explained"]))
    np.testing.assert_allclose(bars[1].y, 100 * np.array(numbers["random_walks_mean"]))
    assert "random walks explain" in chart.summary
    assert "p = " in chart.summary


def test_axes_below_the_null_are_greyed(runs, chart):
    """Two trends give two axes; the third explains less than a random walk's third."""
    result = training_dynamics.compute(runs)
    assert not result.embedding.above_null[2]
    scene = chart.figure.layout.scene
    assert scene.zaxis.color != scene.xaxis.color
    assert "PC3" in chart.summary


def test_paths_are_curves_with_start_and_end(runs, chart):
    """Every run has its own path, a start and an end; nothing is a surface."""
    assert {t.type for t in chart.figure.data} == {"scatter3d"}
    assert {"seed-0", "seed-1", "seed-2", "start", "end", "loadings"} <= {
        t.name for t in chart.figure.data
    }


def test_two_metrics_use_the_step_as_third_axis(make_run):
    """There are no more axes than metrics."""
    rng = np.random.default_rng(0)
    chart = training_dynamics.chart(
        make_run({"loss": rng.normal(size=50), "gnorm": rng.normal(size=50)})
    )
    assert chart.figure.layout.scene.zaxis.title.text == "step"


def test_plain_axes_are_the_metrics_themselves(runs):
    """Loss, gradient norm and reward at the same steps, as logged."""
    chart = training_dynamics.chart(runs, view="plain")
    scene = chart.figure.layout.scene
    titles = [scene[axis].title.text for axis in ("xaxis", "yaxis", "zaxis")]
    assert titles == ["loss", "gradient norm", "reward"]
    rows = next(t for t in chart.figure.data if t.name == "seed-0")
    np.testing.assert_allclose(rows.z, runs[0].history["reward"], rtol=1e-5)


def test_metrics_that_never_meet_in_the_plain_view_are_not_called_missing(make_run, runs):
    """All three were logged, each at steps of its own."""
    step = np.arange(30)
    names = ("loss", "gnorm", "reward")
    columns = {name: np.where(step % 3 == i, 1.0, np.nan) for i, name in enumerate(names)}
    apart = make_run(columns, name="apart")
    chart = training_dynamics.chart([runs[0], apart], view="plain")
    assert "Not drawn, for want of finite values of all three at one step: apart." in chart.notes


def test_any_three_metrics_can_be_the_plain_axes(runs):
    """By role or by the metric's own name."""
    chart = training_dynamics.chart(runs, view="plain", axes=("loss", "kl", "entropy"))
    assert chart.figure.layout.scene.yaxis.title.text == "kl"
    with pytest.raises(ValueError, match="three axes"):
        training_dynamics.chart(runs, view="plain", axes=("loss", "kl"))


def test_what_is_missing_is_said(make_run, runs):
    """Which metric, and how to record it; an unknown view is misuse."""
    with pytest.raises(MissingMetric, match=r"gradient norm and reward.*Recorder"):
        training_dynamics.chart(make_run({"loss": [3.0, 2.0]}), view="plain")
    with pytest.raises(MissingMetric, match="at least two metrics"):
        training_dynamics.chart(make_run({"loss": np.random.default_rng(0).normal(size=30)}))
    with pytest.raises(ValueError, match="pca, plain"):
        training_dynamics.chart(runs, view="tsne")


def test_notes_count_what_was_interpolated_and_left_out(make_run):
    """Values between two rows are counted with their range of steps."""
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=200) for name in ("loss", "gnorm")}
    columns["val"] = np.where(np.arange(200) % 2 == 0, rng.normal(size=200), np.nan)
    columns["val"][-1] = 0.0
    columns["clock"] = np.arange(200.0)
    chart = training_dynamics.chart(make_run(columns))
    assert chart.numbers["interpolated"] > 50
    assert any("interpolated there, never beyond" in note for note in chart.notes)
    assert any(note.startswith("Left out: clock") for note in chart.notes)


def test_many_runs_stay_below_a_megabyte_in_both_views(make_run):
    """Two hundred runs of 2,000 steps share the points."""
    rng = np.random.default_rng(0)
    names = ("loss", "gnorm", "reward")
    runs = [
        make_run({name: rng.normal(size=2_000) for name in names}, name=f"a-long-run-name-{i}")
        for i in range(200)
    ]
    for view in ("pca", "plain"):
        chart = training_dynamics.chart(runs, view=view)
        assert len(chart.figure.to_json()) < 1_000_000
        assert len(chart.flat.to_json()) < 1_000_000


def test_the_same_runs_give_the_same_bytes(runs, chart):
    """Signs are fixed and the random walks are seeded."""
    again = training_dynamics.chart(runs)
    assert again.figure.to_json() == chart.figure.to_json()
    meta = json.loads(again.figure.to_json())["layout"]["meta"]["viz3d"]
    assert meta["summary"]["p_value"] == chart.numbers["p_value"]


def test_runs_stand_in_the_legend_while_each_is_a_line(make_run):
    """More than twelve are told apart by a bar of colours instead."""
    rng = np.random.default_rng(0)
    runs = [
        make_run({"loss": rng.normal(size=40), "lr": rng.normal(size=40)}, name=f"run-{i}")
        for i in range(13)
    ]
    for n, entries in ((12, 12), (13, 0)):
        chart = training_dynamics.chart(runs[:n])
        for figure in (chart.figure, chart.flat):
            named = [t for t in figure.data if t.showlegend and t.name.startswith("run-")]
            assert len(named) == entries
        bars = [t for t in chart.figure.data if t.type == "scatter3d" and t.line.showscale]
        assert len(bars) == (entries == 0)


def test_a_metric_too_large_to_square_is_left_out(make_run):
    """The components would be NaN; the reason is told instead."""
    rng = np.random.default_rng(0)
    columns = {"loss": rng.normal(size=40), "gnorm": rng.normal(size=40)}
    run = make_run({**columns, "lr": 1e308 * np.sin(np.arange(40))})
    chart = training_dynamics.chart(run)
    assert chart.numbers["metrics"] == ["grad_norm", "loss"]
    assert "too large" in chart.numbers["dropped"]["learning_rate"]
    assert "1 axis explains" in chart.figure.layout.title.text
