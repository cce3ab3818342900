"""Groups in one scene keep their colours, their holes and one frame."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.colors import hex_to_rgb

from viz3d.errors import BadArgument, ChartError, MissingMetric
from viz3d.figures import overlay, style
from viz3d.figures.budget import LARGEST_FIGURE
from viz3d.figures.event_table import focus
from viz3d.figures.loss_landscape import chart as loss_chart
from viz3d.figures.loss_landscape import compute_each
from viz3d.figures.overlay_labels import label_traces
from viz3d.figures.overlay_traces import flat_traces, scene_traces


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
        overlay.chart({"a": sweep[:1], "b": sweep[1:2]}, "explore")
    with pytest.raises(MissingMetric, match="per-layer"):
        overlay.chart({"a": sweep[:1], "b": sweep[1:2]}, "gradient-flow")
    with pytest.raises(BadArgument, match="2 to 8"):
        overlay.chart({"a": sweep})


def test_what_is_left_out_is_counted(sweep, make_run):
    """A run without a rate and a row without one are not lost in an overlay."""
    rng = np.random.default_rng(3)
    gap = make_run({"loss": rng.normal(2, 0.1, 40), "lr": [np.nan] + [1e-3] * 39}, name="gap")
    blind = make_run({"loss": rng.normal(2, 0.1, 40)}, name="blind")
    chart = overlay.chart({"a": sweep, "b": [gap, blind]}, rate="current")
    [told] = [note for note in chart.notes if note.startswith("b:")]
    assert "1 row with a loss but no learning rate" in told
    assert "want of a loss and a finite learning rate at the same step: blind" in told


def test_events_are_pinned_in_the_colour_of_their_group(sweep):
    """The shape tells the kind, in a legend without a hue; the list leads to the pin's foot."""
    chart = overlay.chart({"low": sweep[:4], "high": sweep[3:]})
    for picture in (chart.figure, chart.flat):
        heads, key = [t for t in picture.data if t.name == "NaN"]
        assert list(heads.marker.color) == [style.GROUPS[1]]
        assert (heads.showlegend, key.showlegend, key.x) == (False, True, (None,))
        assert key.marker.color == style.INK
        assert key.marker.symbol == heads.marker.symbol
        assert heads.text[0].startswith("high, ")
    [pin] = [pin for pin in chart.events if pin.kind == "NaN"]
    lines = [t for t in chart.figure.data if isinstance(t, go.Scatter3d) and t.mode == "lines"]
    [stem] = [t for t in lines if t.hoverinfo == "skip"]
    place = focus(pin)
    np.testing.assert_allclose([stem.x[0], stem.y[0]], [place["x"], place["y"]], rtol=1e-5)
    assert stem.z[0] <= place["z"] * 1.001
    assert not any("not pinned" in note for note in chart.notes)


def test_pins_of_all_groups_share_the_limit(make_run):
    """Eight groups get no more pins than one chart of all their runs; the rest is counted."""
    rng = np.random.default_rng(9)
    groups = {}
    for i in range(8):
        loss = rng.normal(2, 0.05, 400)
        loss[110:400:20] += 5
        columns = {"loss": loss, "lr": np.full(400, 1e-3 * 2**i)}
        groups[f"{i}"] = [make_run(columns, name=f"run {i}")]
    chart = overlay.chart(groups)
    [heads] = [t for t in chart.figure.data if t.name == "spike" and not t.showlegend]
    assert len(heads.x) == 8 * 8 < len(chart.events)
    assert any("not pinned" in note for note in chart.notes)


def test_a_group_that_lacks_what_is_needed_is_left_out_and_named(layered, make_run):
    """The others are drawn, and the note says why; one alone is refused."""
    blind = make_run({"loss": np.linspace(3, 2, 40)}, name="blind")
    groups = {"first": [layered], "blind": [blind], "second": [layered]}
    chart = overlay.chart(groups, "gradient-flow")
    assert set(chart.table["group"]) == {"first", "second"}
    assert chart.notes[-1].startswith("blind was left out. Gradient flow needs per-layer")
    del groups["second"]
    with pytest.raises(MissingMetric):
        overlay.chart(groups, "gradient-flow")


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
        along="step", axes=("step", "peak learning rate", "loss"),
    )  # fmt: skip
    area, flat = flat_traces(one, (1e-3, 1e3), log=True)
    assert area.z.all()
    assert (flat.contours.start, flat.contours.end) == pytest.approx((-3, 3))
    assert flat.contours.size == pytest.approx(0.6)
    assert np.allclose(10.0**flat.z, z, rtol=1e-4)
    assert np.allclose(flat.customdata, z, rtol=1e-4)
    scene = scene_traces(one, (1e-3, 1e3), log=True)[0]
    assert scene.contours.z.start == flat.contours.start
    assert np.allclose(scene.z, z, rtol=1e-4)


@pytest.mark.parametrize("log", [False, True])
def test_labels_lie_on_the_lines_and_say_the_value(log):
    """On a plane whose heights are known, in data units, apart from each other, in both scales."""
    x, y = np.linspace(0, 100, 41), np.geomspace(1e-4, 1e-1, 41)
    height = x[None, :] / 100 + (np.log10(y)[:, None] + 4) / 3
    z = 10**height if log else height
    surface = SimpleNamespace(x=x, y=y, z=z)
    one = SimpleNamespace(title="one", bare=False, surface=surface, log_y=True)
    ends, levels = ((0, 100), (1e-4, 1e-1)), ((1, 100) if log else (0, 2))
    # Seven groups on the same lines leave no room for all of their labels.
    labels, *more = label_traces([one] * 7, ends, levels, log=log)
    on = np.asarray(labels.x) / 100 + (np.log10(labels.y) + 4) / 3
    said = np.array([float(text) for text in labels.text])
    np.testing.assert_allclose(10**on if log else on, said, rtol=6e-3)
    assert len(set(labels.text)) == len(labels.text) >= 7
    x, y = (np.concatenate([trace[axis] for trace in (labels, *more)]) for axis in "xy")
    share = np.stack([x / 100, (np.log10(y) + 4) / 3], -1)
    apart = np.abs(share[:, None] - share) / (0.12, 0.055)
    assert (apart.max(axis=2)[~np.eye(len(share), dtype=bool)] >= 0.999).all()


def test_labels_read_in_both_themes():
    """Without a colour of their own they have the page's, on a halo; that of a file is 4.5 to 1."""
    surface = SimpleNamespace(
        x=np.arange(9.0), y=np.arange(1, 10.0), z=np.add.outer(np.arange(9.0), np.arange(9.0))
    )
    one = SimpleNamespace(title="one", bare=False, surface=surface, log_y=False)
    [labels] = label_traces([one], ((0, 8), (1, 9)), (0, 16), log=False)
    assert labels.textfont.color is None
    assert labels.textfont.shadow == "auto"
    parts = np.array(hex_to_rgb(style.INK)) / 255
    light = ((parts + 0.055) / 1.055) ** 2.4 @ [0.2126, 0.7152, 0.0722]
    assert 1.05 / (light + 0.05) >= 4.5


def test_one_diverged_group_does_not_flatten_the_others(make_run):
    """Where losses of the groups span ten times and more, their axis is logarithmic."""
    ends = {"calm": 2.0, "calmer": 1.5, "wild": 3e4}
    groups = {
        name: [make_run({"loss": np.linspace(3, end, 40), "lr": np.full(40, 1e-3)}, name=name)]
        for name, end in ends.items()
    }
    assert overlay.chart(groups).figure.layout.scene.zaxis.type == "log"
    del groups["wild"]
    assert overlay.chart(groups).figure.layout.scene.zaxis.type is None
