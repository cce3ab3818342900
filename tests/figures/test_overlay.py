"""Groups in one scene keep their colours, their holes and one frame."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from viz3d.errors import BadArgument, ChartError
from viz3d.figures import overlay
from viz3d.figures.loss_landscape import chart as loss_chart
from viz3d.figures.loss_landscape import compute_each


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
