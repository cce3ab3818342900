import streamlit as st

from viz3d import ui

KIND = "reward-landscape"

page = ui.start_page("Reward landscape", "How the reward went along with the loss during training.")

having = [run for run in page.runs if ui.has(KIND, run)]
if having:
    axes = ui.other_axes(having)
    left, right = st.columns(2)
    with left:
        against = ui.pick(
            "Against",
            axes,
            "against",
            "The other axis: the loss where there is one, else your choice.",
        )
    with right:
        along = ui.along(KIND)
    chart = ui.make(page, KIND, against=against, **along)
    if chart:
        ui.chart_with_events(chart, KIND)
else:
    ui.explain(page, KIND, "None of the selected runs logged a reward.")
