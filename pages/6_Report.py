from viz3d import ui

page = ui.start_page("Report", "The results of each training stage, as nanochat reports them.")

if any(ui.has("report", run) for run in page.runs):
    chart = ui.make(page, "report")
    if chart:
        ui.chart(chart, "report")
else:
    ui.explain(page, "report", "None of the selected runs has a report.")
