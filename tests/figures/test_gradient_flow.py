"""Gradient flow draws each layer by itself, in model order, and marks what goes wrong."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from viz3d.errors import ChartError, MissingMetric
from viz3d.figures import gradient_flow


@pytest.fixture(scope="module")
def chart(layered):
    """The chart of the layered run."""
    return gradient_flow.chart(layered)


def test_layers_are_ribbons_with_nothing_between_them(chart):
    """Between two layers the surface has a hole: no height is invented there."""
    (surface,) = [t for t in chart.figure.data if isinstance(t, go.Surface)]
    z, y = np.asarray(surface.z), np.asarray(surface.y)
    between = np.isclose(y % 1, 0.5)
    assert between.sum() == 5
    assert np.isnan(z[between]).all()
    np.testing.assert_array_equal(z[0::3], z[1::3])


def test_layers_are_in_model_order_and_by_name(chart):
    """Embedding first, head last, blocks by their number; the shared prefix is left out."""
    ticks = chart.figure.layout.scene.yaxis.ticktext
    assert [text.split(" ")[0] for text in ticks] == ["wte", "h.0", "h.1", "h.2", "lm_head"]
    assert chart.table["layer"].iloc[0] == "transformer.wte"


def test_a_vanishing_layer_is_marked_and_named(chart):
    """In the axis, in the table, in the text and in the numbers; the rule is among the notes."""
    assert chart.numbers["vanishing"] == ["transformer.h.0"]
    assert chart.figure.layout.scene.yaxis.ticktext[1] == "h.0 ▼"
    assert "transformer.h.0 ends 1,000 times or more below" in chart.summary
    assert any("last tenth" in note for note in chart.notes)


def test_zeros_are_marks_and_never_heights(layered, chart):
    """log10 of zero is no number: such cells are holes in the ribbon, counted in the notes."""
    result = gradient_flow.compute(layered)
    zero = result.grid.norm == 0
    assert np.isnan(result.log_norm[zero]).all()
    exact = int((layered.layers["grad_norm"] == 0).sum())
    assert chart.numbers["zeros"] == exact
    assert any(f"{exact:,} of 2,500 norms are exactly zero" in note for note in chart.notes)


def test_a_dead_layer_shows_in_scene_and_twin(make_run):
    """A layer that is always zero has marks on the floor and grey cells, and no ribbon."""
    layers = pd.DataFrame(
        {"step": np.repeat(np.arange(20), 2), "layer": [0, 1] * 20, "name": ["a", "b"] * 20,
         "grad_norm": [1.0, 0.0] * 20}
    )  # fmt: skip
    chart = gradient_flow.chart(make_run({"loss": [1.0]}, layers=layers))
    marks = next(t for t in chart.figure.data if t.name == "exactly zero")
    assert set(np.asarray(marks.y)) == {1.0}
    assert set(np.asarray(marks.z)) == {np.float32(chart.figure.layout.scene.zaxis.range[0])}
    assert len(chart.flat.data) == 2


def test_scene_and_twin_show_the_same_cells(layered, chart):
    """Heights of the ribbons are the cells of the heat map."""
    (surface,) = [t for t in chart.figure.data if isinstance(t, go.Surface)]
    np.testing.assert_array_equal(np.asarray(surface.z)[0::3], np.asarray(chart.flat.data[0].z))


def test_what_was_merged_is_said(chart):
    """500 steps in 200 columns: the subtitle and the notes say so."""
    assert "200 columns" in chart.figure.layout.title.text
    assert "2.5 logged steps" in chart.figure.layout.title.text


def test_a_run_without_layers_is_told_how_to_record_them(make_run, layered):
    """Nothing is made from the global norm; and one run is shown at a time."""
    with pytest.raises(MissingMetric, match=r"per-layer.*loss.*watch\(model\)"):
        gradient_flow.chart(make_run({"loss": [1.0, 2.0]}))
    with pytest.raises(ChartError, match="one run at a time"):
        gradient_flow.chart([layered, layered])


def test_a_thousand_layers_stay_below_a_megabyte(make_run):
    """Deep models get fewer columns, told in the subtitle."""
    n = 1_000
    layers = pd.DataFrame(
        {
            "step": np.repeat(np.arange(50), n),
            "layer": np.tile(np.arange(n), 50),
            "name": [f"model.decoder.layers.{i}.attention.query" for i in range(n)] * 50,
            "grad_norm": np.random.default_rng(0).uniform(0.1, 1, n * 50),
        }
    )
    chart = gradient_flow.chart(make_run({"loss": [1.0]}, layers=layers))
    assert len(chart.figure.to_json()) < 1_000_000
    assert len(chart.flat.to_json()) < 1_000_000


def test_provenance_and_bytes_are_stable(layered, chart):
    """The same run gives the same figure, which says what it was made of."""
    again = gradient_flow.chart(layered)
    assert again.figure.to_json() == chart.figure.to_json()
    meta = json.loads(chart.flat.to_json())["layout"]["meta"]["viz3d"]
    assert (meta["kind"], meta["runs"][0]["name"]) == ("gradient-flow", "layered")


def test_without_a_norm_above_zero_no_layer_is_named(make_run):
    """There is no smallest and no largest layer of norms that are all NaN."""
    layers = pd.DataFrame(
        {"step": [0, 0], "layer": [0, 1], "name": ["a", "b"], "grad_norm": np.nan}
    )
    summary = gradient_flow.chart(make_run({"loss": [1.0]}, layers=layers)).summary
    assert summary.endswith("no layer has a median norm above zero.")
