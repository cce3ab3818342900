"""Overlaid gradients meet by the names of layers, overlaid paths in one basis."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from viz3d.errors import BadArgument, ChartError
from viz3d.figures import overlay, style
from viz3d.figures.budget import LARGEST_FIGURE
from viz3d.figures.overlay_gradient_data import merged
from viz3d.figures.training_dynamics import compute as embed_runs


def with_layers(make_run, name, names, norm, steps=30):
    """Return a run whose layers have these names, all with one norm."""
    layers = pd.DataFrame(
        {"step": np.repeat(np.arange(steps), len(names)),
         "layer": np.tile(np.arange(len(names)), steps),
         "name": list(names) * steps, "grad_norm": norm}
    )  # fmt: skip
    return make_run({"loss": [1.0]}, name=name, layers=layers)


def test_gradients_stand_side_by_side_where_names_agree(make_run):
    """A ribbon per layer and run, none where a model has no such layer, in one range of norms."""
    deep = with_layers(make_run, "deep", ["wte", "h.0", "h.1", "h.2", "head"], 10.0)
    flat = with_layers(make_run, "flat", ["wte", "h.0", "head"], 0.1)
    chart = overlay.chart({"deep": [deep], "both": [flat, deep]}, "gradient-flow")
    ticks = chart.figure.layout.scene.yaxis.ticktext
    assert ticks == ("wte", "h.0", "h.1", "h.2", "head")
    surfaces = [t for t in chart.figure.data if isinstance(t, go.Surface)]
    ribbons = [np.asarray(t.y)[0::3] + np.asarray(t.y)[1::3] for t in surfaces]
    assert [list(np.round(r / 2)) for r in ribbons] == [[0, 1, 2, 3, 4], [0, 1, 4], [0, 1, 2, 3, 4]]
    assert [t.colorscale[1][1] for t in surfaces] == [style.GROUPS[i] for i in (0, 1, 1)]
    assert [t.showlegend for t in surfaces] == [True, True, False]
    # No two ribbons of a layer overlap, and between two layers there is a hole.
    edges = np.sort([np.asarray(t.y)[k] for t in surfaces for k in (0, 1)])
    order = [list(edges).index(np.asarray(t.y)[k]) for t in surfaces for k in (0, 1)]
    assert order == [0, 1, 2, 3, 4, 5]
    assert all(np.isnan(np.asarray(t.z)[2::3]).all() for t in surfaces)
    assert "5 layers" in chart.figure.layout.title.text.replace("<br>", " ")
    assert "3 of 5" not in chart.summary  # every group has a deep model
    apart = overlay.chart({"deep": [deep], "flat": [flat]}, "gradient-flow")
    assert "3 of 5 in all groups: deep alone has h.1 and h.2" in apart.summary
    assert "another depth" in apart.summary


def test_the_twin_of_gradients_puts_all_on_one_range(make_run):
    """In a layer's band the smallest norm of all lies at the bottom, the largest at the top."""
    runs = [with_layers(make_run, f"r{v}", ["a", "b"], v) for v in (0.01, 1.0, 100.0)]
    chart = overlay.chart({run.name: [run] for run in runs}, "gradient-flow")
    heights = [np.asarray(t.y) for t in chart.flat.data]
    found = [np.unique(h[np.isfinite(h)]) for h in heights]
    np.testing.assert_allclose(found, [[-0.42, 0.58], [0, 1], [0.42, 1.42]], atol=1e-6)
    assert "from 0.01 to 100" in chart.flat.layout.yaxis.title.text
    many = overlay.chart({"a": runs * 5, "b": runs[:2]}, "gradient-flow").figure.data
    assert {t.type for t in many} == {"scatter3d"}
    assert [t.name for t in many if t.showlegend] == ["a", "b"]


def test_gradients_that_share_no_name_and_runs_without_any_are_told(make_run):
    """Nothing is called the same layer for its number; zeros and missing runs are counted."""
    a = with_layers(make_run, "a", ["x", "y"], [1.0, 0.0] * 30)
    b = with_layers(make_run, "b", ["u", "v"], 1.0)
    chart = overlay.chart(
        {"A": [a], "B": [b, make_run({"loss": [1.0]}, name="c")]}, "gradient-flow"
    )
    assert chart.figure.layout.scene.yaxis.ticktext == ("x", "y", "u", "v")
    assert "no layer stands beside another" in chart.summary
    assert any("want of norms per layer: c" in note for note in chart.notes)
    assert any("30 of 60 norms are exactly zero" in note for note in chart.notes)
    marks = [t for t in chart.figure.data if t.name == "exactly zero"]
    assert [len(t.x) for t in marks] == [30]
    assert set(chart.data()["group"]) == {"A", "B"}


def test_layers_in_another_order_are_told(make_run):
    """The axis keeps the order of the first; each layer still stands by its name."""
    a = with_layers(make_run, "a", ["x", "y"], [1.0, 10.0] * 30)
    b = with_layers(make_run, "b", ["y", "x"], [10.0, 1.0] * 30)
    chart = overlay.chart({"A": [a], "B": [b]}, "gradient-flow")
    assert any("another order than along the axis in: b" in note for note in chart.notes)
    first, second = [t for t in chart.figure.data if isinstance(t, go.Surface)]
    np.testing.assert_array_equal(first.z, second.z)
    assert (np.diff(second.y) > 0).all()
    assert merged([["a", "c"], ["a", "b", "c", "d"]]) == ["a", "b", "c", "d"]
    assert merged([["a", "d"], ["z", "b"], ["0", "a"]]) == ["0", "a", "d", "z", "b"]


def test_eight_deep_models_fit_in_a_figure_and_too_deep_ones_are_a_sentence(make_run):
    """Runs share the cells; beyond two columns a layer there is no scene."""
    names = [f"model.decoder.layers.{i}.attention" for i in range(100)]
    norm = np.random.default_rng(0).uniform(0.1, 1, 3_000)
    runs = [with_layers(make_run, f"{i}", names, norm) for i in range(8)]
    chart = overlay.chart({run.name: [run] for run in runs}, "gradient-flow")
    assert len(chart.figure.to_json()) < LARGEST_FIGURE
    assert len(chart.flat.to_json()) < LARGEST_FIGURE
    deep = with_layers(make_run, "deep", [f"l{i}" for i in range(2_600)], 1.0, steps=2)
    with pytest.raises(ChartError, match="5,200 layers together"):
        overlay.chart({"a": [deep], "b": [deep]}, "gradient-flow")


def test_dynamics_are_one_basis_in_the_colours_of_the_groups(make_run):
    """The paths are those of one chart of all runs; each group is one entry of the legend."""
    t = np.linspace(0, 1, 200)
    runs = []
    for i in range(4):
        rng = np.random.default_rng(i)
        columns = {"loss": np.exp(-3 * t), "gnorm": np.sin(6 * t + i), "reward": t**2}
        noisy = {name: value + rng.normal(0, 0.02, 200) for name, value in columns.items()}
        runs.append(make_run(noisy, name=f"run {i}"))
    groups = {"A": runs[:3], "B": runs[3:]}
    chart = overlay.chart(groups, "training-dynamics")
    whole = embed_runs(runs)
    bold = [t for t in chart.figure.data if t.mode == "lines" and t.line.width == 6]
    assert [t.line.color for t in bold] == [style.GROUPS[0]] * 3 + [style.GROUPS[1]]
    assert [(t.name, t.showlegend) for t in bold] == [
        ("A", True), ("A", False), ("A", False), ("B", True),
    ]  # fmt: skip
    assert "A, run 0" in bold[0].hovertemplate
    faint = [t for t in chart.figure.data if t.mode == "lines" and t.line.width == 1.5]
    for trace, path in zip(faint, whole.embedding.trajectories, strict=True):
        np.testing.assert_allclose(trace.x, path.scores[:, 0], rtol=1e-4, atol=1e-5)
    assert "%" in chart.figure.layout.scene.xaxis.title.text
    assert chart.numbers["groups"] == {"A": 3, "B": 1}
    table = chart.data()
    assert table.groupby("group").size().to_dict() == {"A": 600, "B": 200}
    assert set(table.loc[table["group"].isna(), "part"]) == {"loading", "axis"}
    many = {title: list(some) * 5 for title, some in groups.items()}
    crowds = [t for t in overlay.chart(many, "training-dynamics").figure.data if t.text]
    assert [t.line.color for t in crowds if t.mode == "lines"] == list(style.GROUPS[:2])
    with pytest.raises(BadArgument, match="'plain'"):
        overlay.chart(groups, "training-dynamics", view="plain")
