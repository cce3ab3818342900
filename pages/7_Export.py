from viz3d import ui

page = ui.start_page("Export", "The selected runs as files that others can open without viz3d.")

ui.export_files(page)
