"""Groups in one scene keep their colours, their holes and one frame."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest

from viz3d.errors import BadArgument, ChartError
from viz3d.figures import overlay
from viz3d.figures.budget import LARGEST_FIGURE
from viz3d.figures.loss_landscape import chart as loss_chart
from viz3d.figures.loss_landscape import compute_each
from viz3d.figures.overlay_traces import flat_trace, scene_traces
from viz3d.figures.text import count


def test_each_group_has_a_surface_in_its_colour(sweep):
    """Two surfaces, one colour each, holes where nothing is supported; one run is its path."""
    groups = {"low": sweep[:4], "high": sweep[3:], "one": sweep[:1]}
    chart = overlay.chart(groups)
    surfaces = [t for t in chart.figure.data if isinstance(t, go.Surface)]
    assert [t.name for t in surfaces] == ["low", "high"]
    assert len({t.colorscale[-1][1] for t in surfaces}) == 2
    alone = compute_each(list(groups.values()))
    for trace, result in zip(surfaces, alone, strict=False):
        np.testing.assert_array_equal(np.isfinite(trace.z), result.surface.support > 0)
    contours = [t for t in chart.flat.data if isinstance(t, go.Contour)]
    assert [t.name for t in contours] == ["low", "high"]
    assert contours[0].contours.start == contours[1].contours.start
    assert contours[0].contours.size == contours[1].contours.size
    assert "one has no surface" in chart.summary
    assert any("no surface" in note for note in chart.notes if note.startswith("one"))
    assert chart.table["group"].tolist() == ["low"] * 4 + ["high"] * 4 + ["one"]
    numbers = chart.data()
    assert list(numbers.columns[:2]) == ["part", "group"]
    alone_rows = {
        title: len(loss_chart(runs, rate="peak").data()) for title, runs in groups.items()
    }
    assert numbers.groupby("group").size().to_dict() == alone_rows
    assert chart.figure.layout.meta["viz3d"]["settings"]["overlaid"]["one"] == [sweep[0].name]


def test_other_charts_and_other_numbers_of_groups_are_refused(sweep):
    """With a sentence that says what to do."""
    with pytest.raises(ChartError, match="side by side"):
        overlay.chart({"a": sweep[:1], "b": sweep[1:2]}, "gradient-flow")
    with pytest.raises(BadArgument, match="2 to 8"):
        overlay.chart({"a": sweep})


def test_what_is_left_out_is_counted_and_events_stay_in_the_list(sweep, make_run):
    """A run without a rate, a row without one, and the NaN of a run are not lost in an overlay."""
    rng = np.random.default_rng(3)
    gap = make_run({"loss": rng.normal(2, 0.1, 40), "lr": [np.nan] + [1e-3] * 39}, name="gap")
    blind = make_run({"loss": rng.normal(2, 0.1, 40)}, name="blind")
    chart = overlay.chart({"a": sweep, "b": [gap, blind]}, rate="current")
    [told] = [note for note in chart.notes if note.startswith("b:")]
    assert "1 row with a loss but no learning rate" in told
    assert "want of a loss or a learning rate: blind" in told
    assert "NaN" in {pin.kind for pin in chart.events}
    assert chart.notes[-1] == f"{count(len(chart.events), 'event')} in the list, none pinned."


def test_the_numbers_of_all_groups_are_one_table(sweep):
    """Every row of every group, under its title."""
    groups = {"low": sweep[:4], "high": sweep[3:]}
    table = overlay.chart(groups).data()
    for title, result in zip(groups, compute_each(list(groups.values())), strict=True):
        curve = table[(table["group"] == title) & (table["part"] == "curve")]
        assert len(curve) == sum(len(one.step) for one in result.curves)
    assert set(table["group"]) == set(groups)


def test_eight_surfaces_fit_in_a_figure_and_come_out_the_same_twice(make_run):
    """Each of a sweep of its own; both pictures stay below the limit."""
    rng = np.random.default_rng(4)
    step = np.arange(2_000)
    groups = {
        f"group {i}": [
            make_run(
                {"loss": 2 + i / 10 + np.exp(-step / 300) + rng.normal(0, 0.05, 2_000)},
                name=f"{i}-{rate}",
                config={"learning_rate": rate},
            )
            for rate in (1e-4, 1e-3, 1e-2)
        ]
        for i in range(8)
    }
    first, second = overlay.chart(groups), overlay.chart(groups)
    assert sum(isinstance(trace, go.Surface) for trace in first.figure.data) == 8
    for picture, again in ((first.figure, second.figure), (first.flat, second.flat)):
        assert len(picture.to_json()) < LARGEST_FIGURE
        assert picture.to_json() == again.to_json()


def test_lines_are_even_on_a_logarithmic_axis():
    """The same heights in the scene and in its twin; what the viewer reads is the value."""
    z = np.geomspace(1e-3, 1e3, 20).reshape(4, 5)
    surface = SimpleNamespace(x=np.arange(5.0), y=np.arange(1, 5.0), z=z, support=np.ones((4, 5)))
    one = SimpleNamespace(
        title="one", bare=False, color="#0072B2", surface=surface, lines=np.zeros((1, 3)),
        axes=("step", "peak learning rate", "loss"),
    )  # fmt: skip
    flat = flat_trace(one, (1e-3, 1e3), log=True)
    assert (flat.contours.start, flat.contours.end) == pytest.approx((-3, 3))
    assert flat.contours.size == pytest.approx(0.6)
    assert np.allclose(10.0**flat.z, z, rtol=1e-4)
    assert np.allclose(flat.customdata, z, rtol=1e-4)
    scene = scene_traces(one, (1e-3, 1e3), log=True)[0]
    assert scene.contours.z.start == flat.contours.start
    assert np.allclose(scene.z, z, rtol=1e-4)
