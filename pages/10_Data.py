import streamlit as st

from viz3d import ui

page = ui.start_page(
    "Data", "What was read from which file, what was left out and why, and how to read it again."
)

ui.offer_to_join(page.listed, page.runs)
if page.runs:
    st.header("Selected runs")
else:
    ui.explain(page, "data", "")
for run in page.runs:
    with ui.data_of(run, open_it=run is page.runs[0]):
        ui.files_read(run)
        ui.left_out(run)
        ui.roles_of(run)
        ui.read_again(page, run)
