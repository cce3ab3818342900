"""The only package that imports Streamlit: the frame of the pages and how they show charts."""

from viz3d.ui.chart import chart
from viz3d.ui.charts import make, other_axes
from viz3d.ui.comparing import groupings, groups, panels, side_by_side
from viz3d.ui.contrasting import VIEWS, curves, difference, overlaid
from viz3d.ui.data import data_of, files_read, left_out, read_again, roles_of
from viz3d.ui.differing import baseline, config_differences, final_metrics
from viz3d.ui.events import chart_with_events
from viz3d.ui.exploring import axes, drawing
from viz3d.ui.exporting import export_files, offer_comparison
from viz3d.ui.frame import Page, start_page
from viz3d.ui.joining import offer_to_join
from viz3d.ui.missing import explain, has
from viz3d.ui.seeding import seeds
from viz3d.ui.settings import along, choice, pick, strictness, switch
from viz3d.ui.tables import all_table, chart_links, how_to_open, selected_table
from viz3d.ui.text import safe
from viz3d.ui.wandb import export_wandb
from viz3d.ui.weights import landscapes, show_landscapes

__all__ = [
    "VIEWS",
    "Page",
    "all_table",
    "along",
    "axes",
    "baseline",
    "chart",
    "chart_links",
    "chart_with_events",
    "choice",
    "config_differences",
    "curves",
    "data_of",
    "difference",
    "drawing",
    "explain",
    "export_files",
    "export_wandb",
    "files_read",
    "final_metrics",
    "groupings",
    "groups",
    "has",
    "how_to_open",
    "landscapes",
    "left_out",
    "make",
    "offer_comparison",
    "offer_to_join",
    "other_axes",
    "overlaid",
    "panels",
    "pick",
    "read_again",
    "roles_of",
    "safe",
    "seeds",
    "selected_table",
    "show_landscapes",
    "side_by_side",
    "start_page",
    "strictness",
    "switch",
]
