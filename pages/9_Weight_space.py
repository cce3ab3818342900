from viz3d import ui

KIND = "weight-space"

page = ui.start_page(
    "Weight space", "Loss or reward measured around a checkpoint, on a plane through its weights."
)

found = ui.landscapes(page.runs)
if found:
    ui.show_landscapes(found)
else:
    ui.explain(
        page, KIND, "None of the selected runs has a landscape that was measured in weight space."
    )
