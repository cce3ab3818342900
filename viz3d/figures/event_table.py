"""The list of a chart's events, and where in the chart each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from html import unescape
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.figures.event_words import told_size
from viz3d.figures.pins import Pin
from viz3d.figures.text import scene_text

if TYPE_CHECKING:
    import pandas as pd


def event_table(events: Sequence[Pin]) -> pd.DataFrame:
    """Return one row per event, in the order given.

    Columns ``run``, ``kind``, ``step``, ``size`` (in words), ``value`` (NaN where nothing finite
    was logged) and ``metric``.
    """
    import pandas as pd

    rows = [
        (
            pin.run,
            pin.event.kind,
            pin.event.step,
            told_size(pin.event),
            np.nan if pin.event.value is None else pin.event.value,
            pin.event.metric,
        )
        for pin in events
    ]
    return pd.DataFrame(rows, columns=["run", "kind", "step", "size", "value", "metric"])


def focus(pin: Pin) -> dict[str, Any]:
    """Return where the scene is to look for an event: ``x``, ``y``, ``z`` in data units, ``label``.

    The label is plain text, with neither tags nor entities.
    """
    x, y, z = pin.place
    said = unescape(pin.text.replace("<br>", " "))
    label = f"{scene_text(pin.run)}, step {pin.event.step:,}: {said}"
    return {"x": x, "y": y, "z": z, "label": scene_text(label, 240)}
