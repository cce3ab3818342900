"""Typed arrays become lists of the same numbers, and only what is too large loses digits."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest
from wandb_charts import chart

from viz3d.export.plain_lists import lists, to_plain


def test_no_typed_array_is_left_and_no_number_changes():
    """Every array that Plotly writes as base64 is there again, bit for bit, holes as null."""
    figure = chart().figure
    assert "bdata" in figure.to_json()
    text = to_plain(figure).text
    assert "bdata" not in text
    surface, line = json.loads(text)["data"]
    z = np.array(surface["z"], dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(z, figure.data[0].z)
    assert surface["z"][1][2] is None
    np.testing.assert_array_equal(np.array(surface["y"]).astype(np.float32), figure.data[0].y)
    assert surface["x"] == [0, 1, 2, 3]
    assert line["x"] == [2**24 + 1, 7]
    assert line["y"] == [1.5, None]
    assert line["name"] == "a \u00e9"


def test_a_float32_is_written_in_its_few_digits():
    """Not as the seventeen digits of the float64 next to it."""
    assert json.dumps(lists(np.array([0.1, 3e-4], dtype=np.float32))) == "[0.1, 0.0003]"


@pytest.mark.parametrize("shape", ["2, 3", [2, 3]])
def test_both_ways_of_writing_a_shape_are_read(shape):
    """Plotly writes it as text; a figure from elsewhere may have a list."""
    spec = go.Figure(go.Heatmap(z=np.arange(6, dtype=np.int16).reshape(2, 3))).to_dict()
    z = dict(spec["data"][0]["z"], shape=shape)
    assert lists(z) == [[0, 1, 2], [3, 4, 5]]


def test_a_large_figure_loses_digits_but_no_whole_number():
    """The fewest digits lost that let it fit; steps stay exact; the number of digits is said."""
    rng = np.random.default_rng(0)
    figure = go.Figure(go.Scatter(x=np.arange(123_456, 133_456), y=rng.normal(size=10_000)))
    whole = to_plain(figure)
    assert whole.digits is None
    less = to_plain(figure, whole.bytes - 100_000)
    assert less.digits == 6
    assert less.bytes <= whole.bytes - 100_000
    drawn = json.loads(less.text)["data"][0]
    assert drawn["x"][-1] == 133_455
    np.testing.assert_allclose(drawn["y"], figure.data[0].y, rtol=5e-6)
    assert to_plain(figure, 1_000).bytes > 1_000


def test_the_same_figure_has_the_same_digest():
    """A repeat can be told from news."""
    assert to_plain(chart().figure).digest == to_plain(chart().figure).digest
    assert to_plain(chart("other").figure).digest != to_plain(chart().figure).digest
