"""The charts that all tests of files share."""

from __future__ import annotations

import pytest
from drawn import make_charts, make_report, make_runs

from viz3d.figures.chart import Chart


@pytest.fixture(scope="session")
def charts() -> dict[str, Chart]:
    """One chart of each kind that has a scene, and "plain" for whatever fits all."""
    return make_charts(make_runs())


@pytest.fixture(scope="session")
def every(charts: dict[str, Chart]) -> dict[str, Chart]:
    """One chart of each kind, the flat one too."""
    return charts | {"report": make_report()}
