"""The reward landscape follows the run and claims no more than association."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from viz3d.errors import MissingMetric
from viz3d.figures import reward_landscape


@pytest.fixture(scope="module")
def run(make_run):
    """400 steps of policy-gradient training with a noisy loss and a rising reward."""
    rng = np.random.default_rng(0)
    step = np.arange(400)
    reward = 1 / (1 + np.exp(-(step - 200) / 40)) + rng.normal(0, 0.05, 400)
    return make_run(
        {"loss": 1 - 0.5 * reward + rng.normal(0, 0.1, 400), "reward": reward, "kl": step / 400.0},
        name="grpo",
    )


@pytest.fixture(scope="module")
def chart(run):
    """Its chart."""
    return reward_landscape.chart(run)


def is_points(trace):
    """Whether a trace is the rows of runs."""
    return trace.type == "scatter3d" and trace.mode == "markers"


def test_rewards_are_drawn_as_logged(run, chart):
    """Neither inverted nor made up: every point is a logged row."""
    points = next(t for t in chart.figure.data if is_points(t))
    rows = run.history.loc[np.asarray(points.x, dtype=int)]
    np.testing.assert_allclose(points.z, rows["reward"], rtol=1e-5)
    np.testing.assert_allclose(points.y, rows["loss"], rtol=1e-5)


def test_the_path_is_the_median_of_stretches(run, chart):
    """Forty stretches of ten rows each, counted in the notes."""
    path = next(t for t in chart.figure.data if t.name == "median of stretches")
    expected = run.history["reward"].groupby(np.arange(400) // 10).median()
    np.testing.assert_allclose(path.z, expected, rtol=1e-5)
    assert any("40 stretches" in note for note in chart.notes)


def test_it_says_what_it_is_not(chart):
    """The caption stands in the figure and in the summary."""
    assert "not a response surface" in chart.figure.layout.title.text
    assert chart.summary.endswith("not a response surface.")


def test_a_surface_only_where_it_is_supported(run, chart):
    """Holes of the fit are holes of the drawing."""
    result = reward_landscape.compute(run)
    grids = [t for t in chart.figure.data if isinstance(t, go.Surface) and np.shape(t.z)[0] > 2]
    drawn = np.any([np.isfinite(t.z) for t in grids], axis=0) if grids else False
    np.testing.assert_array_equal(drawn, result.surface.support > 0)


def test_without_a_loss_the_other_axis_is_the_users_choice(make_run, run):
    """The message names what there is, and the choice is taken."""
    unlost = make_run(run.history[["reward", "kl"]])
    with pytest.raises(MissingMetric, match=r"'loss'.*against one of: kl"):
        reward_landscape.chart(unlost)
    chart = reward_landscape.chart(unlost, against="kl")
    assert chart.figure.layout.scene.yaxis.title.text == "kl"
    assert reward_landscape.other_axes([run]) == ("loss", "kl")


def test_metrics_that_never_meet_are_not_called_missing(make_run, run):
    """Both were logged, at other steps: what helps is to log them at the same."""
    step = np.arange(20)
    columns = {"loss": np.where(step % 2, np.nan, 3.0), "reward": np.where(step % 2, 1.0, np.nan)}
    never = make_run(columns, name="never")
    said = r"needs 'loss' at the steps that have a reward.*Log 'loss' at the steps that have a rew"
    with pytest.raises(MissingMetric, match=said):
        reward_landscape.chart(never)
    notes = reward_landscape.chart([run, never]).notes
    assert "Not drawn, for want of a reward and a finite loss at the same step: never." in notes


def test_a_run_without_a_reward_is_told_how_to_record_it(make_run):
    """A reward is never derived from a loss."""
    with pytest.raises(MissingMetric, match=r"needs a reward.*reward="):
        reward_landscape.chart(make_run({"loss": [3.0, 2.0]}))


def test_rows_join_on_the_step(make_run, run):
    """Rows that hold one of the two are left out and counted, not cut to equal length."""
    history = run.history.copy()
    history.loc[::4, "loss"] = np.nan
    chart = reward_landscape.chart(make_run(history))
    assert chart.numbers["points_total"] == 300
    assert any(note.startswith("100 rows with a reward") for note in chart.notes)


def test_lines_without_a_key_are_told(make_run):
    """The bar of rewards takes the place of a key to many runs."""
    runs = [make_run({"loss": [1.0, 2], "reward": [0.0, 1]}, name=f"r{i}") for i in range(13)]
    told = reward_landscape.chart(runs)
    assert any("lines of the 13 runs have no key" in note for note in told.notes)
    few = reward_landscape.chart(runs[:12])
    assert not any("key" in note for note in few.notes)


def test_many_long_runs_stay_below_a_megabyte(make_run):
    """The runs share the points; extremes of both metrics are kept."""
    rng = np.random.default_rng(0)
    runs = []
    for i in range(200):
        columns = {"loss": rng.normal(size=2_000), "reward": rng.normal(size=2_000)}
        columns["reward"][i] = 50.0 + i
        runs.append(make_run(columns, name=f"run-number-{i}"))
    chart = reward_landscape.chart(runs)
    assert len(chart.figure.to_json()) < 1_000_000
    drawn = np.concatenate([t.z for t in chart.figure.data if is_points(t)])
    assert set(np.arange(50.0, 250.0)) <= set(drawn.tolist())


def test_real_grpo_training(real_data):
    """TRL logs a loss of about zero: the chart still stands, and the axis ignores its one spike."""
    from viz3d.load import load_path

    (run,) = load_path(real_data / "hf-trainer" / "grpo-unsloth")
    chart = reward_landscape.chart(run)
    assert chart.numbers["points_total"] == 250
    assert chart.figure.layout.scene.yaxis.range[1] < 0.01
    assert any("outside the loss axis" in note for note in chart.notes)


def test_three_hundred_short_runs_stay_below_a_megabyte(make_run):
    """The flat twin draws their points as one trace, and no legend of three hundred names."""
    rng = np.random.default_rng(0)
    runs = [
        make_run({"loss": rng.normal(size=60), "reward": rng.normal(size=60)}, name=f"run-{i}")
        for i in range(300)
    ]
    chart = reward_landscape.chart(runs)
    assert len(chart.figure.to_json()) < 1_000_000
    assert len(chart.flat.to_json()) < 1_000_000
    assert not any(trace.showlegend for trace in chart.flat.data)
    points = next(t for t in chart.flat.data if t.type == "scatter" and t.mode == "markers")
    assert len(points.x) == chart.numbers["points_drawn"]


def test_two_runs_of_one_name_keep_their_own_rewards(make_run):
    """The numbers hold both, not the later one twice."""
    runs = [make_run({"loss": [3.0, 2.0], "reward": [0.0, end]}, name="same") for end in (1.0, 2.0)]
    assert reward_landscape.chart(runs).numbers["last_reward"] == {"same #1": 1.0, "same #2": 2.0}


def test_a_run_that_is_left_out_is_named_though_another_has_its_name(make_run):
    """Runs of two sources may share a name."""
    rewarded = make_run({"reward": [0.0, 1.0, 2.0], "loss": [3.0, 2.0, 1.0]}, name="a")
    other = make_run({"loss": [1.0]}, name="a")
    assert reward_landscape.compute([rewarded, other]).unused == ("a",)
