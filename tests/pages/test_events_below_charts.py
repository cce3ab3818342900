"""The list of events below a chart, and what selecting one sends to the chart."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]

PAGE = "pages/1_Loss_landscape.py"


def write(folder: Path, name: str, at: int) -> None:
    """A run whose loss spikes at one step, is NaN later, and whose reward drops in between."""
    rows = [
        {
            "step": step,
            "loss": 2 + math.exp(-step / 90) + 0.02 * math.sin(7 * step * step),
            "learning_rate": 1e-3,
            "reward": 0.01 * math.sin(5 * step * step),
        }
        for step in range(300)
    ]
    rows[at]["loss"] = 9.0
    rows[at + 20]["reward"] = -1.0
    rows[at + 40]["loss"] = math.nan
    (folder / name).mkdir()
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / name / "metrics.jsonl").write_text(text, "utf-8")


@pytest.fixture
def eventful(tmp_path: Path) -> Path:
    """A source of two such runs."""
    write(tmp_path, "one", 150)
    write(tmp_path, "two", 200)
    return tmp_path


def focus(app: AppTest) -> dict[str, Any] | None:
    """Return where the chart on the page is told to look."""
    sent = [element.proto for element in app.get("bidi_component")]
    (chart,) = [json.loads(p.bytes) for p in sent if p.WhichOneof("data") == "bytes"]
    return chart.get("focus")


def listed(app: AppTest) -> Any:
    """Return the list of events."""
    (frame,) = [f.value for f in app.dataframe if list(f.value.columns[:2]) == ["run", "kind"]]
    return frame


def select(app: AppTest, row: int) -> None:
    """Select a row of the list, as a click does."""
    (key,) = ["events-" + f.proto.id.split("-events-")[1] for f in app.dataframe if f.proto.id]
    app.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    app.run()


@pytest.mark.parametrize(
    ("page", "kinds"),
    [
        (PAGE, ["spike", "NaN"]),
        ("pages/3_Reward_landscape.py", ["spike", "drop", "NaN"]),
        ("pages/4_Training_dynamics.py", ["spike", "drop", "NaN"]),
    ],
)
def test_events_are_listed_below_the_chart(
    open_page: Open, eventful: Path, page: str, kinds: list[str]
) -> None:
    """One row each, by step; nothing is selected at first."""
    app = open_page(page, source=str(eventful), run="one")
    assert not app.exception
    found = listed(app)
    assert [kind for kind in found["kind"] if kind != "plateau"] == kinds
    assert list(found["step"]) == sorted(found["step"])
    assert focus(app) is None


def test_a_selected_event_is_where_the_chart_looks(open_page: Open, eventful: Path) -> None:
    """Its place in data units and its words; it stays selected when the page runs again."""
    app = open_page(PAGE, source=str(eventful), run="one")
    select(app, list(listed(app)["kind"]).index("spike"))
    sent = focus(app)
    assert sent is not None
    assert (sent["x"], sent["y"], sent["z"]) == (150, 1e-3, pytest.approx(9.0, rel=0.8))
    assert "step 150: loss spiked to 9" in sent["label"]
    app.run()
    assert focus(app) == sent


def test_another_selection_of_runs_ends_that_of_an_event(open_page: Open, eventful: Path) -> None:
    """A row number means another event then; none is selected."""
    app = open_page(PAGE, source=str(eventful), run="one")
    select(app, 0)
    assert focus(app) is not None
    app.session_state["run"] = ["two"]
    app.run()
    assert set(listed(app)["run"]) == {"two"}
    assert focus(app) is None


def test_a_selected_event_stays_selected_when_its_row_moves(
    open_page: Open, eventful: Path
) -> None:
    """Other events come before it in the list; the chart looks where it looked."""
    app = open_page(PAGE, source=str(eventful), run=["two"])
    select(app, 0)
    before = focus(app)
    assert before is not None
    assert before["x"] == 200
    app.session_state["run"] = ["one", "two"]
    app.run()
    assert listed(app)["step"].iloc[0] == 150
    for _ in range(2):
        sent = focus(app)
        assert sent is not None
        assert (sent["x"], sent["label"]) == (200, before["label"])
        app.run()
    select(app, 0)
    assert focus(app)["x"] == 150


def test_kinds_can_be_chosen(open_page: Open, eventful: Path) -> None:
    """The list keeps the chosen kinds alone, and what is selected then is of that list."""
    app = open_page(PAGE, source=str(eventful), run="one")
    app.session_state["kinds-loss-landscape"] = ["NaN"]
    app.run()
    assert list(listed(app)["kind"]) == ["NaN"]
    select(app, 0)
    sent = focus(app)
    assert sent is not None
    assert sent["x"] == 190


def test_chosen_kinds_that_are_gone_are_forgotten(open_page: Open, eventful: Path) -> None:
    """Runs without any event of the chosen kind show all they have."""
    page = "pages/4_Training_dynamics.py"
    text = (eventful / "one" / "metrics.jsonl").read_text("utf-8").replace("NaN", "2.0")
    (eventful / "sound").mkdir()
    (eventful / "sound" / "metrics.jsonl").write_text(text, "utf-8")
    app = open_page(page, source=str(eventful), run=["one", "sound"])
    app.session_state["kinds-training-dynamics"] = ["NaN"]
    app.run()
    app.session_state["run"] = ["sound"]
    app.run()
    assert not app.exception
    assert {"spike", "drop"} <= set(listed(app)["kind"])


def test_no_event_is_said(open_page: Open) -> None:
    """An empty list would leave the question open."""
    app = open_page(PAGE, run=["sweep-0.001"])
    assert not app.exception
    assert any("was found" in caption.value for caption in app.caption)
