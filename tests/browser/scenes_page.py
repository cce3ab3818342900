"""A page of small scenes for the tests of cameras and marks; the address says how many."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from viz3d.figures import style
from viz3d.figures.text import safe, scene_text
from viz3d.figures.wire import to_wire
from viz3d.ui.component import Focus, mount

STEPS, RATES = np.linspace(0.0, 90.0, 30), np.geomspace(1e-4, 1e-1, 30)
FOCUS: dict[str, Focus | None] = {
    "none": None,
    "point": {"x": 30.0, "y": 1e-3, "z": 4.5, "label": "spike of <b>a</b>"},
    "plane": {"x": 60.0, "y": None, "z": None, "label": "step 60"},
    "outside": {"x": 500.0, "y": 1e-3, "z": float("nan"), "label": "later"},
}

scenes = int(st.query_params.get("scenes", "2"))
RATE = "rate & <decay>, %"
others = st.query_params.get("others", RATE)
level = 3.0 + st.session_state.setdefault("grown", 0)
if st.button("Grow"):
    st.session_state.grown += 1
    st.rerun()
fewer = st.checkbox("Fewer")
chosen = st.radio("Focus", list(FOCUS))
loss = level + np.sin(STEPS / 15)[None, :] + np.cos(np.log(RATES))[:, None]


def titles(i: int) -> list[str]:
    return ["step", RATE if i == 0 else others, "loss"]


def scene(i: int) -> str:
    x, y, z = titles(i)
    axes = (
        style.axis(x, range=[0, 90]),
        style.axis(scene_text(y), type="log", range=[-4, -1]),
        style.axis(z, range=[0, 9]),
    )
    surface = go.Surface(x=STEPS, y=RATES, z=loss, showscale=False)
    return to_wire(style.figure([surface], style.layout(f"Scene {i}", scene=style.scene(*axes))))


def flat(i: int) -> str:
    x, y, _ = titles(i)
    axes = (style.axis(x, range=[0, 90]), style.axis(safe(y), type="log", range=[-4, -1]))
    heat = go.Heatmap(x=STEPS, y=RATES, z=loss, showscale=False)
    return to_wire(style.figure([heat], style.flat_layout(f"Scene {i}", "", *axes)))


columns = st.columns(2)
for i in range(scenes):
    if fewer and i == 1:
        continue
    with columns[i % 2]:
        mount(
            f"small-{i}", f"Scene {i}", "Small.", scene(i), flat(i),
            beside=i == 0, focus=FOCUS[chosen] if i == 0 else None,
        )  # fmt: skip
