from viz3d import ui

page = ui.start_page("Export", "Take the charts of the selected runs elsewhere.")

ui.export_files(page)
ui.export_wandb(page)
