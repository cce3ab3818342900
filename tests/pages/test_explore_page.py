"""The Explore page: its choices come from the runs and stand in the address."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]

PAGE = "pages/8_Explore.py"
SWEEP = ["sweep-0.0001", "sweep-0.0003", "sweep-0.001", "sweep-0.003"]


def settings(app: AppTest) -> dict[str, Any]:
    """Return the settings of the chart that the browser is sent."""
    sent = [element.proto for element in app.get("bidi_component")]
    [chart] = [json.loads(one.bytes) for one in sent if one.WhichOneof("data") == "bytes"]
    found: dict[str, Any] = chart["figure"]["layout"]["meta"]["viz3d"]["settings"]
    return found


def said(app: AppTest) -> str:
    """Return the words on the page."""
    parts = [*app.markdown, *app.info, *app.caption, *app.warning]
    return " ".join(str(part.value) for part in parts).replace("\\", "").replace("\u200b", "")


def test_a_first_visit_shows_loss_over_step_and_learning_rate(open_page: Open) -> None:
    """As paths on linear axes; nothing is offered twice, and texts are not offered as height."""
    app = open_page(PAGE, run=SWEEP)
    assert not app.exception
    found = settings(app)
    assert [found[name] for name in "xyz"] == ["step", "learning_rate", "loss"]
    assert found["draw"] == "path"
    assert found["color"] is None
    options = app.selectbox(key="x").options
    assert options == ["step", "loss", "learning_rate", "grad_norm", "held", "config.learning_rate"]


def test_a_link_restores_everything(open_page: Open) -> None:
    """Axes, colour, scales, drawing and strictness come from the address."""
    app = open_page(
        PAGE, run=SWEEP, x="held", y="config.learning_rate", z="grad_norm", color="loss",
        xscale="Logarithmic", yscale="Logarithmic", zscale="Linear",
        draw="Surface where the data support one", strictness="Loose",
    )  # fmt: skip
    assert not app.exception
    assert settings(app) == {
        "x": "held", "y": "config.learning_rate", "z": "grad_norm", "color": "loss",
        "x_scale": "log", "y_scale": "log", "z_scale": "linear",
        "draw": "surface", "strictness": "loose",
    }  # fmt: skip


def test_a_choice_changes_the_chart(open_page: Open) -> None:
    """And strictness is offered for a surface alone."""
    app = open_page(PAGE, run=SWEEP)
    assert "strictness" not in {box.key for box in app.selectbox}
    app.selectbox(key="z").select("grad_norm")
    app.selectbox(key="zscale").select("Logarithmic")
    app.selectbox(key="draw").select("Surface where the data support one").run()
    assert not app.exception
    assert settings(app)["z"] == "grad_norm"
    assert settings(app)["z_scale"] == "log"
    assert "strictness" in {box.key for box in app.selectbox}


def test_what_these_runs_do_not_have_falls_back_and_says_so(open_page: Open) -> None:
    """Junk in the address, and a metric that the runs chosen next lack."""
    app = open_page(PAGE, run=SWEEP, y="<b>moon</b>", color="held", draw="fog")
    assert not app.exception
    assert settings(app)["y"] == "learning_rate"
    assert "y axis: <b>moon</b> is no choice for these runs; learning_rate stands in" in said(app)
    app.multiselect(key="run").set_value(["grpo"]).run()
    assert not app.exception
    assert settings(app)["color"] is None
    assert "Colour: held is no choice for these runs; none stands in for it." in said(app)


def test_a_loss_alone_is_no_three_axes(open_page: Open, tmp_path: Path) -> None:
    """Nothing is invented for the third: it says what to log; a setting, a text too, will do."""
    rows = "".join(json.dumps({"step": i, "loss": 1 / (1 + i)}) + "\n" for i in range(50))
    for name in ("alone", "with-a-text"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.jsonl").write_text(rows, "utf-8")
    about = {"schema": 1, "name": "with-a-text", "config": {"optimizer": "muon"}}
    (tmp_path / "with-a-text" / "run.json").write_text(json.dumps(about), "utf-8")
    app = open_page(PAGE, source=str(tmp_path), run=["alone"])
    assert "hold one metric over the step and nothing for a third axis" in said(app)
    assert "recorder.log(" in app.code[0].value
    assert not app.get("selectbox") or "y" not in {box.key for box in app.selectbox}
    app.multiselect(key="run").set_value(["with-a-text"]).run()
    assert not app.exception
    assert [settings(app)[name] for name in "xyz"] == ["step", "config.optimizer", "loss"]


def test_a_run_with_nothing_but_a_report_is_explained(open_page: Open) -> None:
    """It has no history; the page names runs that have one and how to record it."""
    app = open_page(PAGE, run=["speedrun"])
    assert not app.exception
    assert "logged anything step by step" in said(app)
    assert "sweep-0.001" in said(app)
    assert "recorder.log(" in app.code[0].value
    app.button[0].click().run()
    assert settings(app)["z"] == "loss"


@pytest.mark.parametrize("address", [{"x": "step", "y": "step"}, {"x": "loss", "z": "loss"}])
def test_the_same_on_two_axes_is_no_fault(open_page: Open, address: dict[str, str]) -> None:
    """It is a flat path in space."""
    for draw in ("Paths", "Surface where the data support one"):
        app = open_page(PAGE, run=SWEEP, draw=draw, **address)
        assert not app.exception
        assert settings(app)["x"] == address["x"]
