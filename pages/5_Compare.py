import streamlit as st

from viz3d import ui

KINDS = {
    "loss-landscape": "Loss landscape",
    "gradient-flow": "Gradient flow",
    "reward-landscape": "Reward landscape",
    "training-dynamics": "Training dynamics",
}

page = ui.start_page("Compare", "Runs side by side, overlaid, or one minus the other.")

first, left, middle, right = st.columns(4, vertical_alignment="bottom")
with first:
    view = ui.choice("View", ui.VIEWS, "view")
with left:
    kind = ui.choice("Chart", KINDS, "kind")
with middle:
    grouping = ui.pick(
        "One panel for each",
        ui.groupings(page.runs),
        "by",
        "A run, a family of names, or a value of a setting in which the runs differ.",
    )
with right:
    flat = ui.switch("2D", "flat", "Flat panels instead of 3D scenes.")

groups = ui.groups(page.runs, grouping)
if view == "overlaid":
    shown = ui.overlaid(page, kind, groups)
elif view == "difference":
    shown = ui.difference(page, kind, groups)
else:
    shown = ui.side_by_side(page, kind, groups)
    ui.panels(shown, kind, flat=flat)

if len(page.runs) > 1:
    download = st.container()
    st.header("Settings in which the runs differ")
    ui.config_differences(page.runs)
    st.header("Final metrics")
    baseline = ui.baseline(page.runs)
    ui.final_metrics(page.runs, baseline)
    with download:
        ui.offer_comparison(page.runs, shown, baseline)
    st.header("Seeds")
    ui.seeds(page.runs, groups, baseline)
