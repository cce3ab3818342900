from viz3d import ui

KIND = "gradient-flow"

page = ui.start_page("Gradient flow", "How large the gradients are, layer by layer, over time.")

having = {run.name: run for run in page.runs if ui.has(KIND, run)}
if having:
    name = ui.pick("Run", list(having), "layers", "Selected runs that logged norms per layer.")
    chart = ui.make(page, KIND, [having[name]])
    if chart:
        ui.chart(chart, KIND)
else:
    ui.explain(page, KIND, "None of the selected runs logged gradient norms per layer.")
