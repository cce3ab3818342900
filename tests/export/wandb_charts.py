"""Small charts and runs for the tests of the W&B export."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from viz3d.figures.chart import Chart
from viz3d.run import Run

# Not a key of anybody: the form is what W&B's library asks for.
KEY = "5ec2e7" * 7


def chart(kind: str = "loss-landscape") -> Chart:
    """Return a chart with typed arrays of every kind that figures have, holes among them."""
    z = np.linspace(0, 1, 12).reshape(3, 4).astype(np.float32)
    z[1, 2] = np.nan
    surface = go.Surface(x=np.arange(4), y=np.geomspace(1e-4, 1e-1, 3).astype(np.float32), z=z)
    line = go.Scatter3d(x=np.array([2**24 + 1.0, 7.0]), y=[1.5, None], z=[1, 2], name="a \u00e9")
    figure = go.Figure([surface, line])
    figure.layout.meta = {
        "viz3d": {
            "kind": kind,
            "runs": [{"name": "a", "source": "tests", "digest": "d" * 64}],
            "settings": {"rate": "peak"},
            "summary": {"best": 0.5},
            "version": "0",
        }
    }
    table = pd.DataFrame({"run": ["a"], "loss": [2.5]})
    return Chart(kind, kind.capitalize(), figure, figure, table, "One run.", lambda: table)


def run(name: str = "a", last: int = 60) -> Run:
    """Return a run whose last step is `last`."""
    steps = pd.Index(np.linspace(0, last, 21).astype("int64"), name="step")
    columns = {"loss": np.geomspace(3, 2, 21), "lr": np.full(21, 1e-3)}
    roles = {"loss": "loss", "learning_rate": "lr"}
    history = pd.DataFrame(columns, index=steps)
    return Run(name, "tests", history, roles=roles, digest="d" * 64)


def without_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no image be drawn: a browser takes longer than all else."""
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
