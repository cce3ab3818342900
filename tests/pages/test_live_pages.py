"""Compare and Explore while their runs are written: nothing fails, and what was chosen stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.test_links import write
from tests.pages.test_pages import charts
from viz3d.ui import listing

Open = Callable[..., AppTest]
Chosen = dict[str, str]
VIEWS = [
    ("pages/5_Compare.py", {"view": "Side by side", "baseline": "b"}),
    ("pages/5_Compare.py", {"view": "Overlaid"}),
    ("pages/5_Compare.py", {"view": "Difference A − B", "a": "b", "b": "a"}),
    ("pages/8_Explore.py", {"x": "loss", "y": "step", "z": "learning_rate", "color": "loss"}),
]
GAINED = '{"step": 900, "loss": 1, "learning_rate": 0.1, "gained": 1}\n'


def digests(app: AppTest) -> set[str]:
    """Return those of the runs that are drawn."""
    drawn = [chart["flat"]["layout"]["meta"]["viz3d"]["runs"] for chart in charts(app)]
    return {run["digest"] for runs in drawn for run in runs}


@pytest.mark.parametrize(("page", "chosen"), VIEWS)
def test_what_was_chosen_outlives_what_becomes_of_the_runs(
    open_page: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    chosen: dict[str, str],
) -> None:
    """One grows, is rewritten, gains a metric, and is away for a moment."""
    monkeypatch.setattr(listing, "LISTING_AGE", 0.0)
    for name in "ab":
        write(tmp_path, name, 40)
    app = open_page(page, source=str(tmp_path), run=["a", "b"], **chosen)
    keys = [element.proto.id for element in app.get("bidi_component")]
    changes: dict[str, Callable[[], object]] = {
        "grows": lambda: write(tmp_path, "a", 60),
        "is rewritten": lambda: write(tmp_path, "a", 30, first=6.0),
        "gains": lambda: (tmp_path / "a" / "metrics.jsonl").open("a").write(GAINED),
    }
    for what, make in changes.items():
        before = digests(app)
        make()
        app.run()
        assert not app.exception, what
        assert len(digests(app)) == 2, what
        assert len(digests(app) & before) == 1, what
        assert [element.proto.id for element in app.get("bidi_component")] == keys, what
    assert {key: app.session_state[key] for key in chosen} == chosen
    shutil.rmtree(tmp_path / "a")
    app.run()
    assert not app.exception
    assert app.session_state["run"] == ["b"]
    write(tmp_path, "a", 50)
    app.run()
    assert not app.exception
    assert sorted(app.session_state["run"]) == ["a", "b"]
    assert len(digests(app)) == 2
    app.multiselect[0].set_value(["b"]).run()
    assert app.run().session_state["run"] == ["b"]
    st.cache_resource.clear()
