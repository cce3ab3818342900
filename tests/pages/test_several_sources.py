"""Several sources open at once: listed together, failing apart, and one run of two joined."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import viz3d
from tests.pages.test_pages import charts, said
from viz3d.cli import main
from viz3d.ui import listing

Open = Callable[..., AppTest]

DATA = "pages/10_Data.py"


def options(app: AppTest) -> set[str]:
    return set(app.multiselect(key="run").options)


def test_runs_of_all_sources_are_listed_with_their_source(
    open_page: Open, two: tuple[Path, Path]
) -> None:
    """Names are unique, and charts take runs of both."""
    here, there = two
    runs = ["a · here", "a · there"]
    app = open_page("app.py", source=str(here), also=[str(there)], run=runs)
    assert not app.exception
    assert options(app) == {"a · here", "b · here", "a · there"}
    assert {frame.value["run"].iloc[0] for frame in app.dataframe} <= options(app)
    app.switch_page("pages/8_Explore.py").run()
    assert not app.exception
    assert options(app) == {"a · here", "b · here", "a · there"}
    assert sorted(app.session_state["run"]) == runs
    assert {
        run["name"] for run in charts(app)[0]["figure"]["layout"]["meta"]["viz3d"]["runs"]
    } <= set(runs)


def test_selection_stays_when_a_source_is_added_and_closed(
    open_page: Open, two: tuple[Path, Path]
) -> None:
    """A link to one source opens as ever; the selected runs keep their place under a new name."""
    here, there = two
    app = open_page("app.py", source=str(here), run=["b"])
    assert app.session_state["run"] == ["b"]
    app.multiselect(key="also").set_value([str(there)]).run()
    assert not app.exception
    assert app.session_state["run"] == ["b · here"]
    app.multiselect(key="run").set_value(["b · here", "a · there"]).run()
    app.multiselect(key="also").set_value([]).run()
    assert app.session_state["run"] == ["b"]
    assert options(app) == {"a", "b"}


@pytest.mark.parametrize("away", [0, 1])
def test_each_source_fails_by_itself(open_page: Open, two: tuple[Path, Path], away: int) -> None:
    """A source that is not there is told in one sentence; the runs of the other are shown."""
    sources = [str(two[0]), str(two[0])]
    sources[away] = "/no/such/place"
    app = open_page("app.py", source=sources[0], also=[sources[1]], run=["b · here"])
    assert not app.exception
    assert len(app.error) == 1
    assert options(app) == {"a · here", "b · here"}
    assert app.session_state["run"] == ["b · here"]
    assert "Selected" in [header.value for header in app.header]


def test_the_data_page_joins_one_run_of_two_sources(
    open_page: Open, two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is offered, done by a click, told on every page, and read again by code and command."""
    here, there = two
    runs = ["a · here", "b · here", "a · there"]
    app = open_page(DATA, source=str(here), also=[str(there)], run=runs)
    assert "a is in here and there. Is it one run?" in said(app)
    next(button for button in app.button if button.label == "Join a").click().run()
    assert not app.exception
    assert "a is joined from here and there." in said(app)
    assert (
        "4 values were logged in both places with different numbers (lr); 'here' was taken."
        in said(app)
    )
    labels = sorted(box.label.replace("\\", "").split("**")[1] for box in app.main.expander)
    assert labels == ["a", "b · here"]
    boxes = {box.label.split("**")[1]: box for box in app.main.expander}
    metrics = boxes["a"].dataframe[1].value.set_index("metric")
    assert metrics["from"]["held"] == "there: a/metrics.jsonl"
    assert metrics["steps"]["loss"] == metrics["steps"]["held"] == 4
    python, terminal = (block.value for block in boxes["a"].code)
    found: dict[str, viz3d.Run] = {}
    exec(python, {}, found)
    assert found["run"].metrics == ("loss", "lr", "held")
    assert main([*shlex.split(terminal)[3:], "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["digest"] == found["run"].digest
    app.switch_page("app.py").run()
    assert "a is joined from here and there." in said(app)
    assert set(app.dataframe[0].value["run"]) == {"a", "b · here"}


def test_a_link_opens_joined_runs(open_page: Open, two: tuple[Path, Path]) -> None:
    """``also`` and ``join`` in the address are enough."""
    here, there = two
    runs = ["a · here", "a · there"]
    app = open_page("app.py", source=str(here), also=[str(there)], run=runs, join=["a"])
    assert not app.exception
    assert "a is joined from here and there." in said(app)
    assert app.dataframe[0].value["run"].tolist() == ["a"]


def test_a_run_of_the_second_source_grows_on_the_page(
    open_page: Open, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is appended to it is read at the next look, joined or not."""
    monkeypatch.setattr(listing, "LISTING_AGE", 0.0)
    here, there = two
    runs = ["b · here", "a · there"]
    app = open_page("app.py", source=str(here), also=[str(there)], run=runs)
    steps = app.dataframe[0].value.set_index("run")["steps"]
    assert steps["a · there"] == 4
    with (there / "a" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 9, "held": 0}\n')
    app.run()
    assert app.dataframe[0].value.set_index("run")["steps"].to_dict() == {
        "b · here": 4, "a · there": 5
    }  # fmt: skip
    looks = [caption.value for caption in app.sidebar.caption if "Last change" in caption.value]
    assert len(looks) == 2


def test_runs_of_two_sources_are_laid_along_what_both_logged(
    open_page: Open, tmp_path: Path
) -> None:
    """Along tokens a run that logged none is named; along the step both are drawn."""
    for place, more in (("here", {}), ("there", {"total_tokens": 512})):
        (tmp_path / place / "a").mkdir(parents=True)
        rows = [
            {"step": s, "loss": 3 - s, **{k: v * (s + 1) for k, v in more.items()}}
            for s in range(4)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / place / "a" / "metrics.jsonl").write_text(text, "utf-8")
    address = {"source": str(tmp_path / "here"), "also": [str(tmp_path / "there")]}
    runs = ["a · here", "a · there"]
    app = open_page("pages/5_Compare.py", **address, run=runs, view="Curves")
    assert not app.exception
    drawn = [trace["name"] for trace in charts(app)[0]["flat"]["data"]]
    assert sorted(drawn) == runs
    app.selectbox(key="along").set_value("Tokens").run()
    assert not app.exception
    made = charts(app)[0]
    assert [run["name"] for run in made["flat"]["layout"]["meta"]["viz3d"]["runs"]] == ["a · there"]
    assert "a · here was left out. It did not log tokens." in said(app)
