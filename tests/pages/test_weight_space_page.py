"""The Weight space page: one landscape whole, two beside each other, and how to measure one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]

PAGE = "pages/9_Weight_space.py"


def charts(app: AppTest) -> list[dict[str, Any]]:
    """Return what the browser is sent for each chart."""
    sent = [element.proto for element in app.get("bidi_component")]
    return [json.loads(one.bytes) for one in sent if one.WhichOneof("data") == "bytes"]


def settings(drawn: dict[str, Any]) -> dict[str, Any]:
    """Return the settings a chart was made with."""
    found: dict[str, Any] = (drawn["figure"] or drawn["flat"])["layout"]["meta"]["viz3d"]
    return found["settings"]


def said(app: AppTest) -> str:
    """Return the words on the page."""
    parts = [*app.markdown, *app.info, *app.caption, *app.warning]
    return " ".join(str(part.value) for part in parts).replace("\\", "").replace("\u200b", "")


def test_the_first_landscape_is_shown_with_its_caveats(open_page: Open, measured: Path) -> None:
    """Its scene, its twin, the table and the notes; and nothing stands beside it."""
    app = open_page(PAGE, source=str(measured), run=["trained"])
    assert not app.exception
    [drawn] = charts(app)
    assert settings(drawn) == {"landscape": "plane", "quantity": "loss", "scale": "auto"}
    assert drawn["figure"]["data"]
    assert drawn["flat"]["data"]
    assert app.selectbox(key="landscape").options == ["plane", "random", "along"]
    assert "Dinh et al. 2017" in said(app)
    assert "checkpoint" in set(app.dataframe[0].value["what"])


def test_two_stand_beside_each_other_on_one_scale(open_page: Open, measured: Path) -> None:
    """By a link, too; both get the same ranges, their notes and their tables."""
    app = open_page(PAGE, source=str(measured), run=["trained"], landscape="random", beside="plane")
    assert not app.exception
    first, second = charts(app)
    assert [settings(one)["landscape"] for one in (first, second)] == ["random", "plane"]
    for axis in ("xaxis", "yaxis", "zaxis"):
        assert (
            first["figure"]["layout"]["scene"][axis]["range"]
            == (second["figure"]["layout"]["scene"][axis]["range"])
        )
    assert "alpha and beta of the one are not those of the other" in said(app)
    assert len(app.dataframe) == 2


def test_problems_of_the_measurement_are_warned_of(open_page: Open, tmp_path: Path) -> None:
    """Above the chart; beside another with the name of the one that has them."""
    axis = np.linspace(-1, 1, 3)
    for name, problems in (("a", ["step-3.pt is damaged."]), ("b", [])):
        meta = json.dumps({"kind": "random", "problems": problems, "centre_loss": 1.0})
        file = tmp_path / "run" / "landscape" / f"{name}.npz"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, alpha=axis, beta=axis, loss=np.ones((3, 3)), meta=np.array(meta))
    app = open_page(PAGE, source=str(tmp_path))
    assert "When it was measured: step-3.pt is damaged." in said_in_warnings(app)
    app = open_page(PAGE, source=str(tmp_path), landscape="b", beside="a")
    assert "a: When it was measured: step-3.pt is damaged." in said_in_warnings(app)
    app = open_page(PAGE, source=str(tmp_path), landscape="b")
    assert charts(app)
    assert "When it was measured" not in said_in_warnings(app)


def said_in_warnings(app: AppTest) -> str:
    """Return the words of all warnings."""
    words = " ".join(str(one.value) for one in app.warning)
    return words.replace("\\", "").replace("\u200b", "")


def test_the_bundled_runs_have_some(open_page: Open) -> None:
    """Whoever opens the page first sees a measured plane with a path, without choosing anything."""
    app = open_page(PAGE, source="sample")
    assert not app.exception
    [drawn] = charts(app)
    assert settings(drawn)["landscape"] == "pca"
    assert "The path of 21 checkpoints" in said(app)
    assert not app.warning


def test_a_line_is_one_flat_chart(open_page: Open, measured: Path) -> None:
    """It has no third axis, so there is no scene."""
    app = open_page(PAGE, source=str(measured), run=["trained"], landscape="along")
    [drawn] = charts(app)
    assert not drawn["figure"]
    assert settings(drawn)["landscape"] == "along"


def test_a_scale_that_cannot_be_is_said(open_page: Open, tmp_path: Path) -> None:
    """A reward below zero has no logarithm; the page says so and what to choose."""
    rows = "".join(f"{a},{b},{a - b}\n" for a in (0, 1) for b in (0, 1))
    (tmp_path / "rewards.csv").write_text(f"dim0,dim1,reward\n{rows}", "utf-8")
    app = open_page(PAGE, source=str(tmp_path), run=["rewards.csv"], scale="Logarithmic")
    assert not app.exception
    assert not charts(app)
    assert "choose the scale linear" in said(app)


def test_without_one_it_says_how_to_measure_one(open_page: Open, measured: Path) -> None:
    """The code is there to copy, and the run of the source that has some is named."""
    app = open_page(PAGE, source=str(measured), run=["bare"])
    assert not app.exception
    assert "None of the selected runs has a landscape" in said(app)
    assert "viz3d.landscape(model, loss_fn, batches" in app.code[0].value
    app.button[0].click().run()
    assert app.session_state["run"] == ["trained"]
    assert charts(app)


def test_they_can_be_exported(open_page: Open, measured: Path) -> None:
    """The Export page offers one chart for each landscape."""
    app = open_page(
        "pages/7_Export.py", source=str(measured), run=["trained"], charts=["Weight space"]
    )
    assert not app.exception
    labels = [one.label for one in app.expander]
    assert [one for one in labels if "Weight space" in one] == [
        f"Weight space, {name}" for name in ("plane", "random", "along")
    ]
