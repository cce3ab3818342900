from viz3d import ui

KIND = "training-dynamics"
VIEWS = {"pca": "Principal components of all metrics", "plain": "Loss, gradient norm, reward"}

page = ui.start_page("Training dynamics", "How the whole state of training moved.")

view = ui.choice(
    "Axes",
    VIEWS,
    "view",
    "Principal components are compared with those of random walks, which look orderly as well.",
)
chart = ui.make(page, KIND, view=view)
if chart:
    ui.chart_with_events(chart, KIND)
