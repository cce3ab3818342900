"""The loss landscape draws what the runs support, and every fact about them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from viz3d.errors import ChartError, MissingMetric
from viz3d.figures import loss_landscape
from viz3d.figures.wire import to_wire
from viz3d.run import Run


@pytest.fixture(scope="module")
def result(sweep):
    """The computed numbers of the sweep."""
    return loss_landscape.compute(sweep)


@pytest.fixture(scope="module")
def chart(result):
    """The finished chart of the sweep."""
    return loss_landscape.finish(result)


def traces(figure, kind):
    """All traces of one type."""
    return [trace for trace in figure.data if isinstance(trace, kind)]


def named(figure, name):
    """The trace of that name."""
    return next(trace for trace in figure.data if trace.name == name)


def test_nothing_is_drawn_where_nothing_is_supported(result, chart):
    """Holes of the support are holes of the scene and of the flat twin."""
    unsupported = result.surface.support == 0
    assert unsupported.any()
    assert (~unsupported).any()
    solid, edge = traces(chart.figure, go.Surface)
    drawn = np.isfinite(solid.z) | np.isfinite(edge.z)
    np.testing.assert_array_equal(drawn, ~unsupported)
    flat = [*traces(chart.flat, go.Heatmap), *traces(chart.flat, go.Contour)]
    heat = np.any([np.isfinite(t.z) for t in flat], axis=0)
    np.testing.assert_array_equal(heat, ~unsupported)


def test_the_edge_of_support_fades(result, chart):
    """Only points of full support are solid; the layer beyond is half transparent."""
    solid, edge = traces(chart.figure, go.Surface)
    np.testing.assert_array_equal(np.isfinite(solid.z), result.surface.support == 1)
    assert solid.opacity == 1
    assert edge.opacity < 0.6


def test_the_band_is_in_the_hover_label(result, chart):
    """Lower and upper of every drawn point travel with the surface."""
    solid = traces(chart.figure, go.Surface)[0]
    shown = np.isfinite(solid.z)
    np.testing.assert_allclose(solid.customdata[shown, 0], result.surface.lower[shown], rtol=1e-5)
    np.testing.assert_allclose(solid.customdata[shown, 1], result.surface.upper[shown], rtol=1e-5)
    assert "90 % band" in solid.hovertemplate


def test_every_run_is_drawn_on_top_as_logged(sweep, chart):
    """The data curves are there, point by point, also that of the run that broke."""
    for run in sweep:
        trace = next(t for t in chart.figure.data if run.name in (t.hovertemplate or ""))
        loss = run.role("loss")
        np.testing.assert_allclose(np.asarray(trace.z)[: len(loss)], loss, rtol=1e-6)
        assert set(np.asarray(trace.y)) == {np.float32(run.config["learning_rate"])}


def test_a_run_that_logged_nan_is_pinned_at_its_last_good_value(sweep, chart):
    """The pin stands at the first bad step and at a value that was logged, never at zero."""
    (pin,) = loss_landscape.pins(loss_landscape.compute(sweep), 100.0)
    assert (pin.run, pin.event.step) == (sweep[-1].name, 250)
    assert pin.place[2] == sweep[-1].history.loc[249, "loss"]
    head = named(chart.figure, "NaN")
    assert np.asarray(head.x).tolist() == [250]
    assert head.z[0] >= pin.place[2]
    assert "NaN" in head.text[0]
    assert chart.numbers["first_bad_step"] == 250
    assert "first bad step is 250" in chart.summary
    assert "50 logged rows" in head.text[0]


def test_the_best_rate_is_found_and_told(chart):
    """The bottom of the bowl, with the range that cannot be told apart from it."""
    numbers = chart.numbers
    assert np.log10(numbers["best_rate"]) == pytest.approx(-2.5, abs=0.2)
    assert numbers["best_rate_low"] < 10**-2.5 < numbers["best_rate_high"]
    assert "cannot be told apart" in chart.summary
    assert f"{100 * numbers['share_supported']:.0f} % of the box" in chart.summary
    assert named(chart.figure, "best learning rate").z is not None


@pytest.mark.parametrize("draw", [loss_landscape.draw, loss_landscape.draw_flat])
@pytest.mark.parametrize(("places", "dots"), [([40], [40]), ([9, 40, 41], [9]), ([40, 41], [])])
def test_a_best_rate_at_one_place_alone_is_a_dot(result, draw, places, dots):
    """A line through one point would show nothing of what the paragraph tells."""
    resolved = np.isin(np.arange(len(result.valley.x)), places)
    figure = draw(replace(result, valley=replace(result.valley, resolved=resolved)))
    trace = named(figure, "best learning rate")
    sizes = np.zeros(1) if trace.marker.size is None else np.asarray(trace.marker.size)
    assert trace.mode == ("lines+markers" if dots else "lines")
    assert np.flatnonzero(sizes).tolist() == dots


def test_three_peaks_make_the_peak_rate_the_axis(sweep, chart):
    """A sweep is shown over the peak rate; the schedule's value is a choice with a caption."""
    assert chart.figure.layout.scene.yaxis.title.text == "peak learning rate"
    current = loss_landscape.chart(sweep[:3], rate="current")
    assert current.figure.layout.scene.yaxis.title.text == "learning rate at that step"
    assert "history" in current.figure.layout.title.text
    assert any("whole history" in note for note in current.notes)


def test_one_run_gets_its_path_and_a_sentence(sweep):
    """A single curve supports a ribbon at most; the text says what would make it a surface."""
    chart = loss_landscape.chart(sweep[3])
    assert chart.numbers["best_rate"] is None
    assert chart.numbers["share_supported"] < 0.35
    share = f"over {100 * chart.numbers['share_supported']:.0f} % of the box"
    assert f"The run supports only a ribbon along its own path, {share}." in chart.summary
    assert "at least three" in chart.summary
    assert len(traces(chart.figure, go.Scatter3d)) >= 1


def test_a_spike_of_one_step_in_a_million_is_in_the_figure(make_run):
    """Thinning keeps every extreme, and the axis that it would spoil is pinned and counted."""
    step = np.arange(1_000_000)
    loss = 3 + 2 * np.exp(-step / 1e5)
    loss[123_457] = 777.0
    chart = loss_landscape.chart(make_run({"loss": loss, "lr": 1e-3 * (1 - step / 1.1e6)}))
    path = next(t for t in traces(chart.figure, go.Scatter3d) if len(t.z) > 100)
    at = np.flatnonzero(np.asarray(path.z) == 777.0)
    assert np.asarray(path.x)[at].tolist() == [123_457]
    assert len(path.z) <= 2_000
    assert any("of 1,000,000 points, every extreme kept" in note for note in chart.notes)
    assert chart.numbers["points_above_axis"] >= 1
    assert "up to 777" in named(chart.figure, "above the axis").text[0]
    assert len(chart.figure.to_json()) < 1_000_000


def test_two_hundred_runs_stay_below_a_megabyte(make_run):
    """The runs share the points: each keeps its extremes, and none is dropped."""
    rng = np.random.default_rng(0)
    step = np.arange(5_000)
    runs = []
    for i, rate in enumerate(np.geomspace(1e-5, 1e-1, 200)):
        loss = 2 + 3 * np.exp(-step / 500) + rng.normal(0, 0.05, 5_000)
        loss[i * 20] = 30.0 + i
        name = f"a-rather-long-name-of-a-run-{i:03}"
        runs.append(make_run({"loss": loss}, name=name, config={"learning_rate": rate}))
    chart = loss_landscape.chart(runs)
    assert len(chart.figure.to_json()) < 1_000_000
    assert len(chart.flat.to_json()) < 1_000_000
    (paths,) = [t for t in traces(chart.figure, go.Scatter3d) if t.name == "200 runs"]
    assert set(np.arange(30.0, 230.0)) <= set(np.asarray(paths.z).tolist())
    assert len(set(paths.text)) == 200


def test_as_many_runs_as_a_chart_takes_stay_below_a_megabyte(make_run):
    """Also when every run logs NaN every other step, and each has a name of its own."""
    bad = pd.DataFrame({"step": np.arange(1, 60, 2), "metric": "loss", "value": np.nan})
    loss = np.where(np.arange(60) % 2 == 0, np.linspace(3, 2, 60), np.nan)
    rates = np.geomspace(1e-5, 1e-1, 500)
    runs = [
        make_run(
            {"loss": loss}, name=f"{i}-{'x' * 60}", config={"learning_rate": rate}, nonfinite=bad
        )
        for i, rate in enumerate(rates)
    ]
    chart = loss_landscape.chart(runs)
    assert len(chart.figure.to_json()) < 1_000_000
    assert len(named(chart.figure, "NaN").x) == 500
    assert any("not pinned: 14,500 stretches of NaN." in note for note in chart.notes)
    assert len(chart.events) == 15_000
    with pytest.raises(ChartError, match="at most 500"):
        loss_landscape.chart([*runs, runs[0]])


def test_large_steps_are_exact(make_run):
    """Steps above 2^24, such as counted tokens, do not fit float32."""
    steps = 2**24 + 1 + 2 * np.arange(300)
    columns = {"loss": np.linspace(3, 2, 300), "lr": np.linspace(1e-3, 1e-4, 300)}
    chart = loss_landscape.chart(make_run(columns, steps=steps))
    path = next(t for t in traces(chart.figure, go.Scatter3d) if len(t.x) == 300)
    np.testing.assert_array_equal(np.asarray(path.x), steps)
    spec = json.loads(chart.figure.to_json())
    dtypes = [t["x"]["dtype"] for t in spec["data"] if len(t.get("x", {}).get("bdata", "")) > 3000]
    assert "f8" in dtypes


def test_superseded_rows_are_dashed_and_only_when_asked(make_run):
    """A restart is a choice to look at, not part of the curve."""
    attempts = pd.DataFrame({"attempt": 1, "step": np.arange(50, 90), "loss": 5.0, "lr": 1e-3})
    run = make_run({"loss": np.linspace(4, 2, 100), "lr": np.full(100, 1e-3)}, attempts=attempts)
    plain, both = (loss_landscape.chart(run, attempts=wanted) for wanted in (False, True))

    def dashed(chart):
        return [t for t in traces(chart.figure, go.Scatter3d) if t.line.dash == "dash"]

    assert dashed(plain) == []
    (old,) = dashed(both)
    assert set(np.asarray(old.z)) == {5.0}
    assert "superseded" in old.hovertemplate


def test_rows_without_a_rate_are_counted(make_run, sweep):
    """A join on the step, not a fill: what has no partner is left out and told."""
    rate = np.where(np.arange(100) % 2 == 0, 1e-3, np.nan)
    chart = loss_landscape.chart(make_run({"loss": np.linspace(4, 2, 100), "lr": rate}))
    assert chart.numbers["points_total"] == 50
    assert any(note.startswith("50 rows with a loss but no learning rate") for note in chart.notes)
    unrated = make_run({"loss": [3.0, 2.0]}, name="unrated")
    assert any("unrated" in note for note in loss_landscape.chart([*sweep[:3], unrated]).notes)


def test_rates_of_zero_or_less_are_counted(make_run):
    """Warm-up begins at zero; the schedule of nanochat's `chat_sft` ends below it."""
    run = make_run({"loss": [5.0, 4.0, 3.0, 2.0, 1.0], "lr": [0.0, 1e-3, 1e-3, 5e-4, -1e-4]})
    said = "2 points at a rate of zero or less: no place on a logarithmic axis."
    assert said in loss_landscape.chart([run]).notes


@pytest.mark.parametrize(
    ("columns", "said"),
    [({"reward": [1.0, 2.0]}, "needs a loss.*reward.*Recorder"),
     ({"loss": [3.0, 2.0]}, "needs a learning rate.*loss.*Recorder")],
)  # fmt: skip
def test_what_is_missing_is_said_with_a_remedy(make_run, columns, said):
    """Which metric, which ones there are, and how to record it; nothing is made up."""
    with pytest.raises(MissingMetric, match=said):
        loss_landscape.chart(make_run(columns))


def test_metrics_that_never_meet_are_not_called_missing(make_run, sweep):
    """A loss on even steps and a rate on odd ones; a loss in one run and a rate in the other."""
    step = np.arange(20)
    loss, rate = np.where(step % 2, np.nan, 3.0), np.where(step % 2, 1e-3, np.nan)
    never = make_run({"loss": loss, "lr": rate}, name="never")
    needs = "needs a loss and a finite learning rate at the same step, which none of the chosen"
    for runs in ([never], [make_run({"loss": loss}), make_run({"lr": rate})]):
        with pytest.raises(
            MissingMetric, match=rf"{needs}.*loss, lr.*log\(step, loss=.*rate="
        ) as no:
            loss_landscape.chart(runs, rate="current")
        assert "needs a learning rate" not in str(no.value)
    said = "Not drawn, for want of a loss and a finite learning rate at the same step: never."
    assert said in loss_landscape.chart([sweep[0], never], rate="current").notes
    peak = make_run({"loss": [3.0, 2.0]}, config={"lr": 1e-3}, name="peak")
    unrated = make_run({"loss": [3.0, 2.0]}, name="unrated")
    made = loss_landscape.chart([peak, unrated], rate="peak")
    assert "Not drawn, for want of a learning rate or a loss: unrated." in made.notes


def test_a_loss_that_is_never_finite_is_said(make_run):
    """It was logged, so it is not missing; but there is no height to draw."""
    bad = pd.DataFrame({"step": np.arange(20), "metric": "loss", "value": np.nan})
    run = make_run({"loss": np.full(20, np.nan), "lr": np.full(20, 1e-3)}, nonfinite=bad)
    with pytest.raises(ChartError, match="every loss of run is NaN or infinite"):
        loss_landscape.chart(run)


def test_what_is_no_surface_is_said_in_words_of_the_chart(make_run):
    """Step, learning rate and loss, not x, y and z."""
    runs = [make_run({"loss": np.linspace(3, 2, 50)}, config={"learning_rate": 1e-3})] * 2
    assert "same learning rate, 0.001" in loss_landscape.chart(runs).summary


def test_a_setting_that_does_not_exist_is_refused(sweep):
    """The message lists the choices."""
    with pytest.raises(ValueError, match="auto, current, peak"):
        loss_landscape.chart(sweep, rate="mean")
    with pytest.raises(ValueError, match="strict"):
        loss_landscape.chart(sweep, strictness="none")


def test_the_same_runs_give_the_same_bytes(sweep, chart):
    """Two viewers see one figure."""
    again = loss_landscape.chart(sweep)
    assert again.figure.to_json() == chart.figure.to_json()
    assert again.flat.to_json() == chart.flat.to_json()
    assert again.summary == chart.summary


def test_every_figure_carries_its_provenance(sweep, chart):
    """Kind, runs with their digests, settings, the numbers of the summary, the version."""
    for figure in (chart.figure, chart.flat):
        meta = json.loads(figure.to_json())["layout"]["meta"]["viz3d"]
        assert meta["kind"] == "loss-landscape"
        assert [run["name"] for run in meta["runs"]] == [run.name for run in sweep]
        assert meta["runs"][0]["digest"] == "d" * 64
        assert meta["settings"] == {
            "rate": "peak", "strictness": "default", "attempts": False, "along": "step"
        }  # fmt: skip
        assert meta["summary"]["best_rate"] == chart.numbers["best_rate"]
        assert meta["version"]


def test_names_from_files_are_only_text(sweep):
    """A run's name can neither be markup, nor a formula, nor a template."""
    evil = "<b>x</b> $e$ %{y}"
    runs = [Run(evil, "s", r.history, config=r.config, roles=r.roles) for r in sweep[:1]]
    spec = json.loads(loss_landscape.chart([*runs, *sweep[1:3]]).figure.to_json())
    shown = [str(t.get(key)) for t in spec["data"] for key in ("name", "hovertemplate", "text")]
    assert not any("<b>" in text or "$e$" in text or "%{y} " in text for text in shown)
    assert any("&lt;b&gt;x" in text for text in shown)


def test_the_real_sweeps(real_data):
    """AdamW's high rates reach a loss of 111: it is in the data, pinned, and spoils no axis."""
    from viz3d.load import load_path

    folder = real_data / "gpt-large-lr-sweep"
    runs = [load_path(path)[0] for path in sorted(folder.glob("adamw-*.json"))]
    chart = loss_landscape.chart(runs)
    assert chart.numbers["runs"] == 7
    assert chart.numbers["points_total"] == sum(len(run.role("loss")) for run in runs)
    largest = max(np.nanmax(t.z) for t in traces(chart.figure, go.Scatter3d))
    assert largest == pytest.approx(max(run.role("loss").max() for run in runs), rel=1e-6)
    assert chart.figure.layout.scene.zaxis.range[1] < 20
    assert chart.numbers["points_above_axis"] > 0


def test_the_range_of_rates_reads_as_a_sentence(sweep, make_run):
    """One rate, several, or none above zero, on either axis."""
    assert "steps 0 to 299 and peak learning rates from 1e-4 to 0.1." in (
        loss_landscape.chart(sweep).summary
    )
    current = loss_landscape.chart(sweep[0], rate="current").summary
    assert "and learning rates from 5e-6 to 1e-4." in current
    one = loss_landscape.chart(make_run({"loss": [3.0], "lr": [0.1]})).summary
    assert one.startswith("Loss of 1 run over step 0 and a learning rate of 0.1.")


def test_a_loss_near_the_largest_float_spoils_nothing(sweep, make_run):
    """It is a fact of the run: pinned and counted, and the axes stay finite."""
    runs = []
    for run in sweep[:4]:
        loss = run.history["loss"].to_numpy().copy()
        loss[::50] = 1e308
        runs.append(make_run({"loss": loss}, name=run.name, config=run.config))
    chart = loss_landscape.chart(runs)
    assert np.isfinite(chart.figure.layout.scene.zaxis.range).all()
    signed = make_run({"loss": 1e308 * np.sin(np.arange(200)), "lr": np.full(200, 1e-3)})
    ticks = loss_landscape.chart(signed).figure.layout.scene.zaxis.ticktext
    assert ticks
    assert "unknown" not in ticks


def test_ten_runs_are_sent_in_little(sweep, make_run):
    """Scene and twin together below 0.6 MB, so that the first view does not wait for the network.

    Nothing but the escapes of the JSON is left out on the way.
    """
    rates = np.geomspace(2e-4, 5e-2, 3)
    more = [
        make_run(run.history, name=f"more-{rate:.0e}", config={"learning_rate": rate})
        for run, rate in zip(sweep, rates, strict=False)
    ]
    chart = loss_landscape.chart([*sweep, *more], rate="peak")
    sent = [to_wire(figure) for figure in (chart.figure, chart.flat)]
    assert sum(map(len, sent)) < 600_000
    assert json.loads(sent[0]) == json.loads(chart.figure.to_json())
    flat = json.loads(sent[1])
    assert [trace["type"] for trace in flat["data"][:2]] == ["heatmap", "contour"]


@pytest.mark.parametrize("rate", [5e-324, 1e308])
def test_a_rate_at_the_ends_of_the_floats_has_an_axis(make_run, rate):
    """A decade about it would be 0 or infinite, and neither has a logarithm."""
    chart = loss_landscape.chart(make_run({"loss": [2.0] * 60, "lr": [rate] * 60}))
    axis = chart.figure.layout.scene.yaxis
    assert np.isfinite([*axis.range, *axis.tickvals]).all()
    assert len(axis.tickvals) > 0
