"""What every export says about itself: version, settings, runs and digests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from viz3d.figures.chart import Chart
from viz3d.version import __version__

KEY = "viz3d"
"""Under this name the provenance stands in every format that has names."""


def about(chart: Chart) -> dict[str, Any]:
    """Return the provenance of a chart with its title, as JSON knows it."""
    found = (chart.figure.layout.meta or {}).get(KEY, {})
    return {"kind": chart.kind, "version": __version__, "title": chart.title, **found}


def about_json(chart: Chart) -> str:
    """Return the provenance in ASCII, on one line and always in one order."""
    return to_json_line(about(chart))


def to_json_line(value: Any) -> str:
    """Return a value as JSON in ASCII on one line, so that it fits any file's comments."""
    return json.dumps(value, sort_keys=True)


def series_text(run: Mapping[str, Any]) -> str:
    """Say for people which source gave which series of a joined run; empty for any other."""
    series: Mapping[str, list[str]] = run.get("series", {})
    parts = [f"{', '.join(names)} from {source}" for source, names in series.items() if names]
    return f"{run['name']}: {'; '.join(parts)}" if parts else ""


def settings_text(found: Mapping[str, Any]) -> str:
    """Return the settings of a provenance for people: ``rate = peak, strictness = default``."""
    settings = found.get("settings") or {}
    return ", ".join(f"{name} = {_plain(value)}" for name, value in sorted(settings.items()))


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return value if isinstance(value, str) else json.dumps(value)
