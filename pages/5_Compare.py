import streamlit as st

from viz3d import ui

KINDS = {
    "loss-landscape": "Loss landscape",
    "gradient-flow": "Gradient flow",
    "reward-landscape": "Reward landscape",
    "training-dynamics": "Training dynamics",
    "weight-space": "Weight space",
}

page = ui.start_page("Compare", "Runs side by side, overlaid, or one minus the other.")

left, middle, right, last = st.columns(4, vertical_alignment="bottom")
with left:
    view = ui.choice("View", ui.VIEWS, "view")
with middle:
    kind = view if view == "curves" else ui.choice("Chart", KINDS, "kind")
with right:
    grouping = ui.pick(
        "One group for each",
        ui.groupings(page.runs),
        "by",
        "A run, a family of names, or a value of a setting in which the runs differ.",
    )

with last:
    along = ui.along(kind)
groups = ui.groups(page.runs, grouping)
if view == "overlaid":
    shown = ui.overlaid(page, kind, groups, **along)
elif view == "difference":
    shown = ui.difference(page, kind, groups, **along)
elif view == "curves":
    shown = ui.curves(page, **along)
else:
    flat = ui.switch("2D", "flat", "Flat panels instead of 3D scenes.")
    shown = ui.side_by_side(page, kind, groups, **along)
    ui.panels(shown, kind, flat=flat)

if len(page.runs) > 1:
    download = st.container()
    st.header("Settings in which the runs differ")
    ui.config_differences(page.runs)
    st.header("Final metrics")
    baseline = ui.baseline(page.runs)
    ui.final_metrics(page.runs, baseline)
    st.header("Seeds")
    charts, tables = ui.seeds(page.runs, groups, baseline)
    with download:
        ui.offer_comparison(page.runs, [*shown.items(), *charts.items()], baseline, tables)
