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
    ui.explain(
        page,
        KIND,
        "The selected runs hold one metric over the step and nothing for a third axis."
        if any(run.metrics for run in page.runs)
        else "None of the selected runs logged anything step by step.",
    )
