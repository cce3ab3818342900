"""Turn a figure into the JSON that the app sends to the browser."""

from __future__ import annotations

import json

import plotly.graph_objects as go
from plotly.utils import PlotlyJSONEncoder


def to_wire(figure: go.Figure) -> str:
    """Return the figure as JSON without Plotly's escapes.

    Plotly writes every ``/`` as six characters, for JSON that stands inside a page. Arrays are sent
    as base64, which is full of them where a surface has holes: a quarter of the figure's size.
    """
    return json.dumps(figure.to_dict(), cls=PlotlyJSONEncoder, separators=(",", ":"))
