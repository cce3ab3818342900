"""Charts with tokens, FLOPs or time in the step's place, where the runs logged them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from viz3d.errors import BadArgument, ChartError
from viz3d.export.glb import to_glb
from viz3d.figures import difference, gradient_flow, loss_landscape, overlay, reward_landscape
from viz3d.figures.event_table import event_table
from viz3d.figures.kinds import make_chart
from viz3d.run import Run

EACH = 4096.0


def logging(run: Run, column: str, values: np.ndarray, role: str) -> Run:
    """The same run with one more metric."""
    frame = run.history.assign(**{column: values})
    return replace(run, history=frame, roles={**run.roles, role: column})


def with_tokens(run: Run, each: float = EACH) -> Run:
    """The same run with tokens that grow by so many a step."""
    return logging(run, "total_tokens", run.history.index.to_numpy() * each, "tokens")


@pytest.fixture(scope="module")
def small(make_run):
    """Four runs of 60 steps at constant rates; one spikes at step 40."""
    rng = np.random.default_rng(3)
    step = np.arange(60)
    runs = []
    for rate in (1e-4, 1e-3, 1e-2, 1e-1):
        off = np.log10(rate) + 2.5
        loss = 2 + 2 * np.exp(-step / 15) + 0.3 * off**2 + rng.normal(0, 0.02, 60)
        loss[40] += 3.0 if rate == 1e-2 else 0.0
        runs.append(
            make_run(
                {"loss": loss, "lr": np.full(60, rate), "reward": -loss},
                name=f"lr-{rate:g}",
                config={"learning_rate": rate},
            )
        )
    return runs


@pytest.fixture(scope="module")
def made(small):
    """Their landscape along tokens; the last run logged none, so a sweep of three is left."""
    return loss_landscape.chart([*map(with_tokens, small[:3]), small[3]], along="tokens")


def test_what_grows_with_the_step_gives_the_surface_of_the_step(small) -> None:
    """Of so many tokens a step the surface is that of the steps, at other places."""
    by_step = loss_landscape.compute(small[:3])
    along = loss_landscape.compute([with_tokens(run) for run in small[:3]], along="tokens")
    np.testing.assert_allclose(along.surface.x, by_step.surface.x * EACH)
    np.testing.assert_allclose(along.surface.z, by_step.surface.z, rtol=1e-9)
    np.testing.assert_array_equal(along.surface.support, by_step.surface.support)


def test_every_part_of_a_chart_says_the_chosen_quantity(made) -> None:
    """Axes, hover labels, twin, table, words, numbers and provenance."""
    for figure in (made.figure, made.flat):
        layout = figure.layout
        axis = layout.scene.xaxis if figure is made.figure else layout.xaxis
        assert axis.title.text == "tokens"
        assert axis.range[1] == pytest.approx(59 * EACH, rel=0.05)
        for trace in figure.data:
            hover = trace.hovertemplate or ""
            assert not re.search(r"step %\{x", hover)
            assert "tokens %{x" in hover or "%{x" not in hover
        assert layout.meta["viz3d"]["settings"]["along"] == "tokens"
        assert "1 run without a place along tokens left out" in layout.title.text.replace(
            "<br>", " "
        )
    assert "over 0 to 241,664 tokens (steps 0 to 59)" in made.summary
    assert made.numbers["last_tokens"] == 59 * EACH
    assert made.table["last tokens"].tolist() == [59 * EACH] * 3
    assert set(made.table["from"]) == {"total_tokens"}
    data = made.data()
    curve, surface = (data[data["part"] == part] for part in ("curve", "surface"))
    assert (curve["tokens"] == curve["step"] * EACH).all()
    assert surface["step"].isna().all()
    assert surface["tokens"].notna().all()
    assert len(to_glb(made)) > 1000


def test_a_run_without_a_place_is_named_and_does_not_decide(made, small) -> None:
    """It is left out by name with the reason, in the paragraph and the notes."""
    assert [run["name"] for run in made.figure.layout.meta["viz3d"]["runs"]] == [
        run.name for run in small[:3]
    ]
    assert "Left out, for want of a place along tokens: lr-0.1." in made.summary
    assert "lr-0.1 was left out. It did not log tokens." in made.notes
    # Of the two that are drawn the peaks are no sweep, whatever the other ones are.
    two = [*map(with_tokens, small[:2]), *small[2:]]
    assert loss_landscape.compute(two, along="tokens").rate == "current"
    for draw in (loss_landscape.chart, reward_landscape.chart):
        with pytest.raises(ChartError, match=r"lr-0\.1: It did not log training FLOPs"):
            draw(small[3], along="flops")
        with pytest.raises(BadArgument, match="choose one of: step, tokens, flops, time"):
            draw(small, along="epochs")


def test_rows_and_events_without_a_place_are_counted(small) -> None:
    """No neighbour's tokens are taken: such a row is not drawn, such an event is not pinned."""
    run = with_tokens(small[2])
    run.history.loc[[7, 40], "total_tokens"] = np.nan
    made = loss_landscape.chart(run, along="tokens")
    assert "2 rows at steps whose place along tokens was not logged left out." in made.notes
    assert 40 in event_table(made.events)["step"].tolist()
    assert "In the list of events, but not pinned: 1 spike." in made.notes
    assert not [t for t in made.figure.data if t.name == "spike"]
    drawn = next(t for t in made.figure.data if t.mode == "lines" and t.x is not None)
    assert len(drawn.x) == 58
    assert sorted({*range(60)} - {*np.asarray(drawn.customdata).tolist()}) == [7, 40]


def test_superseded_rows_stand_where_they_were(small) -> None:
    """By their own tokens; those without any are left out of the picture."""
    run = with_tokens(small[0])
    attempt = {"attempt": 1, "step": [50, 51, 52], "loss": 3.0, "lr": 1e-4}
    old = pd.DataFrame({**attempt, "total_tokens": [50 * EACH, 51 * EACH, np.nan]})
    chart = loss_landscape.chart(replace(run, attempts=old), along="tokens", attempts=True)
    (dashed,) = [t for t in chart.figure.data if getattr(t.line, "dash", None) == "dash"]
    assert np.asarray(dashed.x).tolist() == [50 * EACH, 51 * EACH]
    without = replace(run, attempts=old.drop(columns="total_tokens"))
    chart = loss_landscape.chart(without, along="tokens", attempts=True)
    assert not [t for t in chart.figure.data if getattr(t.line, "dash", None) == "dash"]
    assert any("3 superseded rows" in note for note in chart.notes)


def test_groups_are_overlaid_along_what_they_logged(small) -> None:
    """Groups with batches of different sizes lie along tokens; one without is named."""
    groups = {
        "small": [with_tokens(run) for run in small[:3]],
        "large": [with_tokens(run, 2 * EACH) for run in small[:3]],
        "none": small[:2],
    }
    made = overlay.chart(groups, along="tokens")
    surfaces = [t for t in made.figure.data if isinstance(t, go.Surface)]
    assert [float(s.x[-1]) for s in surfaces] == pytest.approx([59 * EACH, 118 * EACH], rel=0.02)
    assert "in one scene along tokens" in made.summary
    assert made.summary.endswith("Left out: none.")
    assert any(note.startswith("none was left out.") for note in made.notes)
    assert made.figure.layout.scene.xaxis.title.text == "tokens"
    assert made.flat.layout.xaxis.title.text == "tokens"
    assert made.figure.layout.meta["viz3d"]["settings"]["along"] == "tokens"
    assert all("step %{x" not in (t.hovertemplate or "") for t in made.figure.data)
    assert {"group", "step", "tokens"} <= set(made.data().columns)


def test_a_difference_along_tokens_compares_what_was_trained_on(small) -> None:
    """A side whose steps hold twice the tokens is at half the steps; both are said in tokens."""
    a = [with_tokens(run) for run in small[:3]]
    b = [with_tokens(replace(run, name=f"b {run.name}"), 2 * EACH) for run in small[:3]]
    lost = replace(small[3], name="b lost")
    made = make_chart("difference", a, [*b, lost], along="tokens")
    assert made.numbers["last_tokens"] == pytest.approx(59 * EACH, rel=0.02)
    assert "tokens" in made.summary.split(".")[0]
    assert "Left out, for want of a place along tokens: b lost." in made.summary
    assert "last tokens" in made.table.columns
    data = made.data()
    sample = data[(data["part"] == "sample") & (data["side"] == "B")]
    assert (sample["tokens"] == sample["step"] * 2 * EACH).all()
    assert made.figure.layout.scene.xaxis.title.text == "tokens"
    assert not any("step" in (t.hovertemplate or "") for t in made.figure.data)
    with pytest.raises(ChartError, match="b lost: It did not log time"):
        difference.chart([logging(a[0], "time", np.arange(60), "time")], [lost], along="time")


def test_a_reward_along_time(small) -> None:
    """A clock counts from the first row, and that is said."""
    run = logging(small[0], "time", 1.7e9 + np.arange(60) * 2.5, "time")
    made = reward_landscape.chart([run, small[1]], along="time")
    assert made.figure.layout.scene.xaxis.title.text == "time (s)"
    assert made.flat.layout.xaxis.range[1] == pytest.approx(147.5, rel=0.05)
    assert "Time (s) of lr-0.0001: time (a clock, counted from the first row)." in made.notes
    assert "Left out, for want of a place along time (s): lr-0.001." in made.summary
    assert 0 < made.numbers["best_at_time"] <= 147.5
    curve = made.data().query("part == 'curve'")
    assert (curve["time"] == curve["step"] * 2.5).all()


def test_an_event_of_the_reward_without_a_place_is_not_pinned(small) -> None:
    """The tokens of the row before are not those of the event."""
    reward = np.where(np.arange(60) == 40, -9.0, small[0].history["reward"])
    run = with_tokens(replace(small[0], history=small[0].history.assign(reward=reward)))
    pinned = reward_landscape.chart(run, along="tokens")
    assert [trace for trace in pinned.figure.data if trace.name == "drop"]
    run.history.loc[38:42, "total_tokens"] = np.nan
    made = reward_landscape.chart(run, along="tokens")
    assert 40 in event_table(made.events)["step"].tolist()
    assert not [trace for trace in made.figure.data if trace.name == "drop"]


@pytest.mark.parametrize("kind", ["loss-landscape", "reward-landscape"])
def test_along_the_step_nothing_has_changed(kind: str, small) -> None:
    """It is the default, and tokens that were logged change nothing of it."""
    plain, more = (make_chart(kind, runs) for runs in (small[:2], [*map(with_tokens, small[:2])]))
    for one, other in ((plain.figure, more.figure), (plain.flat, more.flat)):
        assert one.to_json() == other.to_json()
    assert plain.summary == more.summary
    assert list(plain.data().columns) == list(more.data().columns)


def test_gradients_along_time(layered) -> None:
    """A column stands where its first logged step was; norms at other steps are counted."""
    clock = np.where(np.arange(500) % 10, np.nan, 1.7e9 + 3.0 * np.arange(500))
    run = logging(layered, "time", clock, "time")
    made = gradient_flow.chart(run, along="time")
    assert made.figure.layout.scene.xaxis.title.text == "time (s)"
    assert made.flat.layout.xaxis.title.text == "time (s)"
    lines = next(t for t in made.figure.data if isinstance(t, go.Scatter3d))
    assert np.nanmax(lines.x) == 490 * 3.0
    assert all("step %{x" not in (t.hovertemplate or "") for t in made.figure.data)
    assert "0 to 1,470 s (steps 0 to 490)" in made.summary
    assert "2,250 norms at steps whose place along time (s) was not logged left out." in made.notes
    data = made.data()
    assert (data["time"] == data["step"] * 3.0).all()
    with pytest.raises(ChartError, match="layered: It did not log tokens"):
        gradient_flow.chart(layered, along="tokens")
    unlogged = replace(run, layers=run.layers[run.layers["step"] % 10 == 1])
    with pytest.raises(ChartError, match="At no step with gradient norms was the place"):
        gradient_flow.chart(unlogged, along="time")


def test_what_has_no_place_where_it_was_logged_is_not_called_missing(make_run) -> None:
    """Loss, learning rate and reward, all logged, and a clock at other steps."""
    step = np.arange(20)
    columns = {"loss": 3.0 - step * 0.1, "lr": np.full(20, 1e-3), "reward": step * 0.1}
    timed = logging(make_run(columns, name="timed"), "time", 5.0 * step, "time")
    clock = np.where(step % 2, 5.0 * step, np.nan)
    even = {name: np.where(step % 2, np.nan, values) for name, values in columns.items()}
    apart = logging(make_run(even, name="apart"), "time", clock, "time")
    where = "at a step whose place along time (s) was logged: apart."
    for chart, rate, lacking in (
        (loss_landscape, {"rate": "current"}, "a loss and a finite learning rate"),
        (loss_landscape, {"rate": "peak"}, "a learning rate or a loss"),
        (reward_landscape, {}, "a reward and a finite loss"),
    ):
        made = chart.chart([timed, apart], along="time", **rate)
        assert f"Not drawn, for want of {lacking} {where}" in made.notes
        alone = lacking.replace("a learning rate or ", "")
        with pytest.raises(ChartError, match=f"At no step with {alone} was the place along time"):
            chart.chart(apart, along="time", **rate)
    clockless = make_run(columns, name="clockless")
    lossless = logging(make_run({"lr": columns["lr"]}, name="lossless"), "time", 5.0 * step, "time")
    with pytest.raises(ChartError, match=r"a loss at a step whose place .*, which none of the ch"):
        loss_landscape.chart([clockless, lossless], along="time", rate="peak")
    with pytest.raises(
        ChartError, match=r"^Side B of Difference A − B has nothing to draw\. At no"
    ):
        difference.chart(timed, apart, along="time", rate="peak")


def test_columns_at_one_place_are_counted(layered) -> None:
    """A clock of whole minutes lays many columns over each other."""
    coarse = logging(layered, "time", np.arange(500) // 100 * 60.0, "time")
    (note,) = (note for note in gradient_flow.chart(coarse, along="time").notes if "place" in note)
    columns = gradient_flow.chart(layered).flat.data[0].x
    assert note.startswith(f"{len(columns) - 5} of {len(columns)} columns stand at the place of")
    assert not [note for note in gradient_flow.chart(layered).notes if "columns stand" in note]


def test_gradients_are_overlaid_along_tokens(layered) -> None:
    """Each run at its own places; one without is named and the others stay."""
    small, large = with_tokens(layered), with_tokens(replace(layered, name="large"), 2 * EACH)
    groups = {"small": [small], "large": [large, replace(layered, name="lost")], "none": [layered]}
    made = overlay.chart(groups, "gradient-flow", along="tokens")
    ends = {float(np.nanmax(t.x)) for t in made.figure.data if isinstance(t, go.Scatter3d)}
    assert len(ends) == 2
    assert max(ends) == 2 * min(ends)
    assert made.figure.layout.scene.xaxis.title.text == "tokens"
    assert made.flat.layout.xaxis.title.text == "tokens"
    assert "Left out, for want of a place along tokens: lost. Left out: none." in made.summary
    assert made.figure.layout.meta["viz3d"]["settings"]["along"] == "tokens"
    assert {"group", "step", "tokens"} <= set(made.data().columns)
