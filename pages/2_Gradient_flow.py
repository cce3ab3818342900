import streamlit as st

from viz3d import ui

KIND = "gradient-flow"

page = ui.start_page("Gradient flow", "How large the gradients are, layer by layer, over time.")

having = {run.name: run for run in page.runs if ui.has(KIND, run)}
if having:
    left, right = st.columns(2)
    with left:
        name = ui.pick("Run", list(having), "layers", "Selected runs that logged norms per layer.")
    with right:
        along = ui.along(KIND)
    chart = ui.make(page, KIND, [having[name]], **along)
    if chart:
        ui.chart(chart, KIND)
else:
    ui.explain(page, KIND, "None of the selected runs logged gradient norms per layer.")
