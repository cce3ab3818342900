import streamlit as st

from viz3d import ui

KIND = "loss-landscape"
RATES = {
    "auto": "Automatic",
    "peak": "Peak rate of each run",
    "current": "Rate at that step",
}

page = ui.start_page("Loss landscape", "How the loss depends on the step and the learning rate.")

left, beside, middle, right = st.columns(4, vertical_alignment="bottom")
with left:
    rate = ui.choice(
        "Learning rate axis",
        RATES,
        "rate",
        "Automatic takes the peak rate once three different ones are selected. A loss depends on "
        "all rates before it, not on the rate of its step alone.",
    )
with beside:
    along = ui.along(KIND)
with middle:
    strictness = ui.strictness()
with right:
    attempts = ui.switch(
        "Superseded rows", "attempts", "Rows that a restart logged again, as dashed lines."
    )

chart = ui.make(page, KIND, rate=rate, strictness=strictness, attempts=attempts, **along)
if chart:
    ui.chart_with_events(chart, KIND)
