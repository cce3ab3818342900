"""Events are pinned, told, counted and listed, each with its place in the chart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from viz3d.analysis.event import KINDS, Event
from viz3d.figures import loss_landscape, reward_landscape, training_dynamics
from viz3d.figures.event_table import event_table, focus
from viz3d.figures.event_words import told_event, told_size
from viz3d.figures.pins import (
    ABOVE,
    LOOKS,
    MOST_SPIKES,
    PER_RUN,
    event_pin,
    pin_traces,
    pinned,
)


@pytest.fixture(scope="module")
def run(make_run):
    """A run with a spike at step 150, a drop of the reward at 200 and a restart at 250."""
    rng = np.random.default_rng(0)
    step = np.arange(400)
    loss = 2 + 3 * np.exp(-step / 60) + rng.normal(0, 0.02, 400)
    loss[150] = 5.0
    reward = np.linspace(0, 1, 400) + rng.normal(0, 0.02, 400)
    reward[200] = -1.0
    gnorm = 1 + 0.1 * rng.random(400)
    rate = 1e-3 * np.minimum(1, step / 20)
    attempts = pd.DataFrame({"attempt": 1, "step": np.arange(250, 260), "loss": 2.5, "lr": 1e-3})
    columns = {"loss": loss, "lr": rate, "reward": reward, "gnorm": gnorm}
    return make_run(columns, name="eventful", attempts=attempts)


def named(figure, name, kind=go.Scatter3d):
    """The trace of that name."""
    return next(t for t in figure.data if isinstance(t, kind) and t.name == name)


def test_the_loss_landscape_pins_each_kind(run):
    """A mark of its own for each, at the step and the rate, in the scene and in the twin."""
    chart = loss_landscape.chart(run)
    assert [(pin.kind, pin.event.step) for pin in chart.events] == [
        ("spike", 150),
        ("restart", 250),
    ]
    for figure, kind in ((chart.figure, go.Scatter3d), (chart.flat, go.Scatter)):
        spike, restart = named(figure, "spike", kind), named(figure, "restart", kind)
        assert (spike.x[0], restart.x[0]) == (150, 250)
        assert spike.y[0] == pytest.approx(1e-3)
        assert spike.marker.symbol != restart.marker.symbol
        assert "loss spiked to 5" in spike.text[0]
        assert "for 1 row" in spike.text[0]
        assert "10 rows of loss superseded" in restart.text[0]
    assert chart.numbers["events"] == {"spike": 1, "restart": 1}
    assert "Events: 1 spike and 1 restart." in chart.summary
    assert any("8 times the scatter" in note for note in chart.notes)


def test_the_list_has_one_row_for_each_event_by_step(run):
    """Run, kind, step, size in words, value and metric."""
    table = event_table(loss_landscape.chart(run).events)
    assert list(table.columns) == ["run", "kind", "step", "size", "value", "metric"]
    assert table["step"].tolist() == [150, 250]
    assert table["run"].tolist() == ["eventful"] * 2
    assert table["value"][0] == 5.0
    assert table["size"][1] == "10 rows superseded"
    assert table["metric"].tolist() == ["loss"] * 2
    assert list(event_table([]).columns) == list(table.columns)


def test_the_focus_is_the_place_of_the_event_in_data_units(run):
    """Step, rate and loss; in the reward landscape step, loss and reward; a point in PCA space."""
    spike = focus(loss_landscape.chart(run).events[0])
    assert (spike["x"], spike["z"]) == (150, 5.0)
    assert spike["y"] == pytest.approx(1e-3)
    assert spike["label"].startswith("eventful, step 150: loss spiked to 5 for 1 row, ")
    assert "<br>" not in spike["label"]
    events = reward_landscape.chart(run).events
    assert [(pin.kind, pin.event.metric) for pin in events] == [
        ("spike", "loss"),
        ("drop", "reward"),
        ("restart", "loss"),
    ]
    drop = focus(events[1])
    assert (drop["x"], drop["z"]) == (200, -1.0)
    assert drop["y"] == pytest.approx(run.history.loc[200, "loss"])
    plain = training_dynamics.chart(run, view="plain")
    drop = focus(next(pin for pin in plain.events if pin.kind == "drop"))
    assert drop["x"] == pytest.approx(run.history.loc[200, "loss"])
    assert drop["z"] == -1.0
    pca = training_dynamics.compute(run)
    point = focus(training_dynamics.finish(pca).events[0])
    (path,) = pca.embedding.trajectories
    at = int(np.abs(path.step - 150).argmin())
    np.testing.assert_allclose([point["x"], point["y"], point["z"]], path.scores[at, :3])


@pytest.mark.parametrize("view", ["pca", "plain"])
def test_training_dynamics_pins_them_on_the_paths(run, view):
    """Both views, scene and twin; the plain twin has each in the panel of its metric."""
    chart = training_dynamics.chart(run, view=view)
    for kind in ("spike", "drop"):
        assert len(named(chart.figure, kind).x) == 1
        assert len(named(chart.flat, kind, go.Scatter).x) == 1
    if view == "plain":
        panels = {t.name: (t.yaxis, t.x[0], t.y[0]) for t in chart.flat.data if t.mode == "markers"}
        assert panels["spike"] == ("y", 150, 5.0)
        assert panels["drop"] == ("y3", 200, -1.0)
    assert chart.numbers["events"]["drop"] == 1
    assert "1 drop" in chart.summary


def test_panels_of_a_comparison_have_their_own_events(run, make_run):
    """Each group of runs keeps the events of its own runs alone."""
    other = make_run(run.history.iloc[:120], name="quiet")
    first, second = training_dynamics.compute_each([[run], [other]])
    assert [event.step for _, event in first.events[0]] == [150, 250, 200]
    assert second.events == ((),)


def test_spikes_do_not_flood_a_chart(make_run):
    """The largest are pinned, the others told, and all of them listed."""
    values = 2 + np.random.default_rng(0).normal(0, 0.02, 3_000)
    at = np.arange(200, 3_000, 50)
    values[at] = 3 + 0.01 * np.arange(len(at))
    nan = pd.DataFrame({"step": [3_000], "metric": "loss", "value": np.nan})
    columns = {"loss": np.r_[values, np.nan], "lr": np.full(3_001, 1e-3)}
    chart = loss_landscape.chart(make_run(columns, nonfinite=nan))
    drawn = named(chart.figure, "spike")
    largest = sorted(chart.events, key=lambda pin: -pin.event.size)
    largest = [pin for pin in largest if pin.kind == "spike"][:MOST_SPIKES]
    assert sorted(np.asarray(drawn.x).tolist()) == sorted(pin.event.step for pin in largest)
    assert len(named(chart.figure, "NaN").x) == 1
    assert chart.numbers["events"]["spike"] == len(at)
    assert f"but not pinned: {len(at) - MOST_SPIKES} spikes." in " ".join(chart.notes)


def test_every_kind_has_a_shape_and_words_of_its_own():
    """Told apart without colour, by shapes that a scene and a flat chart both know."""
    shapes = {look["symbol"] for look in LOOKS.values()}
    assert len(shapes) == len(LOOKS)
    assert set(LOOKS) == {*KINDS, ABOVE}
    told = set()
    for kind in KINDS:
        event = Event(kind, "loss", 1_000, 2_000, 7, 12.345, 3.0, 2.0, 990, returned=False)
        told |= {told_event(event, "loss"), told_size(event)}
        go.Scatter3d(marker={"symbol": LOOKS[kind]["symbol"]})
        go.Scatter(marker={"symbol": LOOKS[kind]["symbol"]})
    assert len(told) >= 2 * len(KINDS) - 2, "NaN and infinity are both told by their rows"
    divergence = Event("divergence", "loss", 10, 20, 7, 3.21, 8.0, 2.5, 9)
    assert told_size(divergence) == "3.2 times its best level"
    assert "ends at 8, 3.2 times its best level" in told_event(divergence, "loss")
    plateau = Event("plateau", "loss", 1_000, 2_000, 7, 7.0, 3.0, 3.0, 990)
    assert "no progress of loss from step 1,000 to 2,000" in told_event(plateau, "loss")


def test_a_pin_at_a_rate_of_zero_stands_where_the_axis_reaches(run):
    """A logarithmic axis has no zero; the next positive rate takes its place."""
    history = run.history.copy()
    history.loc[0, "loss"] = np.inf
    chart = loss_landscape.chart(replace(run, history=history))
    first = focus(chart.events[0])
    assert first["x"] == 0
    assert first["y"] == pytest.approx(1e-3 / 20)


def test_names_from_files_are_only_text_in_the_label(run):
    """The label may stand in a page or in a scene: no tag, no entity."""
    chart = loss_landscape.chart(replace(run, name="<b>R&D</b>"))
    label = focus(chart.events[0])["label"]
    assert label.startswith("‹b›R&D‹/b›, step 150: loss spiked")
    assert event_table(chart.events)["run"][0] == "<b>R&D</b>"


def test_a_run_without_events_says_nothing_of_them(make_run):
    """No sentence, no note, no mark."""
    step = np.arange(300)
    loss = 2 + 3 * np.exp(-step / 200) + np.random.default_rng(0).normal(0, 0.02, 300)
    chart = loss_landscape.chart(make_run({"loss": loss, "lr": np.full(300, 1e-3)}))
    assert chart.events == ()
    assert "Events" not in chart.summary
    assert not any("scatter" in note or "plateau" in note for note in chart.notes)


def one(kind, step, z=0.5):
    return event_pin(
        "r", "r", Event(kind, "loss", step, step, 1, 1.0, z, z), (step, 1.0, z), "loss"
    )


def test_what_ended_a_run_is_pinned_before_what_did_not():
    """However much else there is to pin of the run."""
    pins = [*(one("plateau", step) for step in range(2 * PER_RUN)), one("NaN", 99)]
    drawn = pinned([pins])
    assert len(drawn) == PER_RUN
    assert drawn[0].kind == "NaN"


@pytest.mark.parametrize(("limits", "log"), [((0.0, 1.0), False), ((0.01, 1.0), True)])
def test_a_pin_at_the_end_of_the_axis_has_its_stem_below(limits, log):
    """It stays within the axis and does not shrink to a point."""
    stem, head = pin_traces([one("restart", 1, z=1.0)], limits, log=log)
    assert head.z[0] == stem.z[1] == 1.0
    assert limits[0] < stem.z[0] < 0.9
