"""Runs: choose a source, see its runs, select some."""

import streamlit as st

from viz3d import ui

page = ui.start_page(
    "Runs", "See in 3D what the flat charts of your training runs hide, and nothing they do not."
)

if page.runs:
    st.header("Selected")
    ui.selected_table(page.runs)
    ui.chart_links()

if not page.failed:
    st.header(f"All runs in {ui.safe(page.name)}")
    ui.all_table(page.infos)
ui.how_to_open(expanded=not page.infos)
