"""A project on W&B in the app: chosen in the Source field, listed, opened, and away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import charts, said
from tests.storage.conftest import one_service, service
from tests.storage.wandb_service import KEY, Fault, Service, StoredRun, rows

__all__ = ["one_service", "service"]
Open = Callable[..., AppTest]
PROJECT = "wandb://team/nano"


@pytest.fixture(autouse=True)
def logged_in(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """The key stands in the environment, the cache is of the test."""
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("VIZ3D_CACHE_DIR", str(tmp_path / "cache"))


def test_a_project_is_opened_and_its_runs_drawn(open_page: Open, service: Service) -> None:
    """The list has rows, state and beginning; a chart is drawn; a name is no markup."""
    name = "<b>[x](javascript:alert(1))"
    loss = [{**row, "lr": 0.1 + row["_step"]} for row in rows(40)]
    service.add(StoredRun("eee", name, loss))
    app = open_page("app.py", source=PROJECT, run=[name])
    assert not app.exception
    table = next(frame.value for frame in app.dataframe if "state" in frame.value.columns)
    assert sorted(table["run"]) == sorted(["live", "rl", "sweep", name])
    assert set(table["state"]) == {"running", "finished"}
    assert "size" in table.columns
    assert "javascript" not in "".join(part.value for part in app.markdown if "](j" in part.value)
    app = open_page("pages/1_Loss_landscape.py", source=PROJECT, run=[name])
    assert not app.exception
    assert charts(app)
    assert KEY not in said(app)


def test_a_project_that_is_away_is_told(open_page: Open, service: Service) -> None:
    """In the main area, with what to do; so is an address that is none."""
    service.fault = Fault("403")
    app = open_page("app.py", source=PROJECT)
    assert not app.exception
    assert "may not read" in app.main.error[0].value
    app = open_page("app.py", source="wandb://team")
    assert not app.exception
    assert "ENTITY/PROJECT" in app.main.error[0].value


def test_the_data_page_says_what_was_read(open_page: Open, service: Service) -> None:
    """Rows and metrics of the history, what is missing of it, and how to read it elsewhere."""
    service.runs["bbb"].counted = 63
    app = open_page("pages/10_Data.py", source=PROJECT, run=["rl"])
    assert not app.exception
    [row] = app.dataframe[0].value.to_dict("records")
    assert (row["read as"], row["rows"], row["steps"]) == ("W&B history", 60, "0 to 29")
    assert row["metrics"] == "reward, sequence_length, lrm"
    assert "3 more rows of this run than it handed out" in said(app)
    code = " ".join(block.value for block in app.code)
    assert PROJECT in code
    assert KEY not in code + said(app)
