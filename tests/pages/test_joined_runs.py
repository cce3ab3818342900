"""Joined runs while what they are made of changes: parts that go, come back, grow and disagree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_links import copied
from tests.pages.test_pages import charts, said
from viz3d.ui import listing

Open = Callable[..., AppTest]

RUNS = ["a · here", "a · there"]
APART = "Not joined now, for there are no two selected runs of that name: a."


@pytest.fixture
def joined(
    open_page: Open, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AppTest]:
    """Open a page by a link that joins ``a`` of both folders, whose listings are always new."""
    monkeypatch.setattr(listing, "LISTING_AGE", 0.0)
    here, there = map(str, two)

    def opened(page: str = "app.py", **more: object) -> AppTest:
        address = {"source": here, "also": [there], "run": RUNS, "join": ["a"], **more}
        app = open_page(page, **address)
        assert not app.exception
        return app

    return opened


def names(app: AppTest) -> list[str]:
    return app.dataframe[0].value["run"].tolist()


def test_a_part_that_goes_is_told_and_comes_back(
    joined: Callable[..., AppTest], two: tuple[Path, Path]
) -> None:
    """The other part is shown by itself, and the link still asks for both."""
    app = joined()
    assert names(app) == ["a"]
    shutil.move(two[1] / "a", two[1] / "renamed")
    app.run()
    assert not app.exception
    assert names(app) == ["a · here"]
    assert APART in said(app)
    assert app.query_params["join"] in ("a", ["a"])
    assert copied(app)["runs"] == ["a · here"]
    shutil.move(two[1] / "renamed", two[1] / "a")
    app.run()
    assert names(app) == ["a"]
    assert "Not joined now" not in said(app)


def test_a_link_to_joined_runs_waits_for_a_source_that_is_away(
    joined: Callable[..., AppTest], two: tuple[Path, Path]
) -> None:
    """One source fails by itself; once it is there, the link means what it meant."""
    away = two[1].with_name("away")
    shutil.move(two[1], away)
    app = joined("pages/5_Compare.py", view="Curves")
    assert len(app.error) == 1
    assert APART in said(app)
    assert [run["name"] for run in made_of(app)] == ["a · here"]
    shutil.move(away, two[1])
    app.run()
    app.run()
    assert [run["name"] for run in made_of(app)] == ["a"]


def made_of(app: AppTest) -> list[dict[str, object]]:
    return charts(app)[0]["flat"]["layout"]["meta"]["viz3d"]["runs"]


def test_a_copied_link_opens_the_same(joined: Callable[..., AppTest]) -> None:
    """On another page too: sources, runs and what is joined stand in the address."""
    app = joined("pages/5_Compare.py", view="Curves", along="Time")
    app.switch_page("pages/8_Explore.py").run()
    first = made_of(app)
    link, address = copied(app), dict(app.query_params)
    again = joined("pages/8_Explore.py", **{**address, "run": link["runs"], "data": link["state"]})
    assert made_of(again) == first
    assert "link was made" not in said(again)


def test_both_parts_grow_on_the_page(
    joined: Callable[..., AppTest], two: tuple[Path, Path]
) -> None:
    """Rows of either are there at the next look, and the link that was made before says so."""
    app = joined()
    link = copied(app)
    assert app.dataframe[0].value["steps"].tolist() == [4]
    for step, folder, metric in ((7, two[0], "loss"), (9, two[1], "held")):
        with (folder / "a" / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"step": step, metric: 0.5}) + "\n")
    app.run()
    assert app.dataframe[0].value["steps"].tolist() == [6]
    again = joined(data=link["state"])
    told = " ".join(box.value for box in again.info).replace("\\", "")
    assert told.count("grew: 1 more step since the link was made") == 2


def test_exported_data_says_which_source_gave_which_series(joined: Callable[..., AppTest]) -> None:
    """In the figure, and so in the page, the tables and what goes to W&B."""
    (run,) = made_of(joined("pages/8_Explore.py"))
    assert (run["name"], run["source"]) == ("a", "here + there")
    assert run["series"] == {"here": ["loss", "lr"], "there": ["held", "lr"]}


def test_junk_in_a_link_is_named_and_harms_nothing(joined: Callable[..., AppTest]) -> None:
    """A name that no run has joins nothing, whatever it holds."""
    app = joined(join=["a", "<b>*x*</b>"])
    assert names(app) == ["a"]
    assert "no two selected runs of that name: <b>*x*</b>." in said(app)
