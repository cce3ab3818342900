from viz3d import ui

page = ui.start_page("Report", "The results of each training stage, as nanochat reports them.")

having = [run for run in page.runs if ui.has("report", run)]
if having:
    chart = ui.make(page, "report", having)
    if chart:
        ui.chart(chart, "report")
else:
    ui.explain(page, "report", "None of the selected runs has a report.")
