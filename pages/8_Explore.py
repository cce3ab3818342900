from viz3d import ui

KIND = "explore"

page = ui.start_page(
    "Explore", "Any three metrics or settings on three axes, and a fourth as colour."
)

if any(ui.has(KIND, run) for run in page.runs):
    chart = ui.make(page, KIND, **ui.axes(page.runs), **ui.drawing())
    if chart:
        ui.chart(chart, KIND)
else:
    ui.explain(page, KIND, "None of the selected runs logged anything step by step.")
