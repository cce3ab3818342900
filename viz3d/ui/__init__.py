"""The only package that imports Streamlit: the frame of the pages and how they show charts."""

from viz3d.ui.chart import chart
from viz3d.ui.charts import make, other_axes
from viz3d.ui.comparing import (
    config_differences,
    final_metrics,
    groupings,
    groups,
    panels,
    side_by_side,
)
from viz3d.ui.exploring import axes, drawing
from viz3d.ui.frame import Page, start_page
from viz3d.ui.missing import explain, has
from viz3d.ui.settings import choice, pick, switch
from viz3d.ui.tables import all_table, chart_links, how_to_open, selected_table
from viz3d.ui.text import safe

__all__ = [
    "Page",
    "all_table",
    "axes",
    "chart",
    "chart_links",
    "choice",
    "config_differences",
    "drawing",
    "explain",
    "final_metrics",
    "groupings",
    "groups",
    "has",
    "how_to_open",
    "make",
    "other_axes",
    "panels",
    "pick",
    "safe",
    "selected_table",
    "side_by_side",
    "start_page",
    "switch",
]
