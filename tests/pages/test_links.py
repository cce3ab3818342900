"""A link that is opened: what it restores, what is told when its data changed, and junk in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import PAGES, SWEEP, charts, said
from viz3d.ui.link_text import brief

Open = Callable[..., AppTest]
LOSS = "pages/1_Loss_landscape.py"


def write(folder: Path, name: str, rows: int, first: float = 5.0) -> None:
    """Write a run of so many steps, 10 apart."""
    (folder / name).mkdir(exist_ok=True)
    lines = [{"step": 10 * i, "loss": first - i / 100, "learning_rate": 0.1} for i in range(rows)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / name / "metrics.jsonl").write_text(text, "utf-8")


def rewrite(folder: Path, name: str, rows: int, first: float = 5.0) -> None:
    """Write a run anew; the listing of its source is not believed any longer."""
    write(folder, name, rows, first)
    st.cache_resource.clear()


def copied(app: AppTest) -> dict[str, Any]:
    """Return what the browser gets to make a link from."""
    [sent] = [
        element.proto for element in app.get("bidi_component") if "state" in element.proto.json
    ]
    found: dict[str, Any] = json.loads(sent.json)
    return found


def told(app: AppTest) -> str:
    """Return the notice about changed data."""
    return " ".join(box.value for box in app.info).replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_offers_a_link(open_page: Open, page: str) -> None:
    """Its runs stand in it as the viewer has put them, each with its state."""
    link = copied(open_page(page, run=SWEEP))
    assert link["runs"] == SWEEP
    assert len(link["state"].split("_")) == len(SWEEP)
    assert {name: brief(name) for name in SWEEP}.items() <= dict(link["digests"]).items()


@pytest.mark.parametrize("page", PAGES)
def test_unchanged_data_is_not_mentioned(open_page: Open, page: str) -> None:
    """A link that is as true as on its first day says nothing, and leaves the address."""
    link = copied(open_page(page, run=SWEEP))
    app = open_page(page, run=link["runs"], data=link["state"])
    assert "link was made" not in told(app)
    assert "data" not in app.query_params


@pytest.mark.parametrize(
    ("rows", "first", "words"),
    [
        (120, 5.0, "a grew: 40 more steps since the link was made (now 120; last step then 790)."),
        (120, 6.0, "a grew: 40 more steps"),
        (60, 5.0, "a was rewritten since the link was made (80 steps then, 60 now)."),
        (80, 6.0, "a was rewritten since the link was made (80 steps then, 80 now)."),
    ],
    ids=["more", "more and other", "fewer", "other values"],
)
def test_changed_run_is_told(
    open_page: Open, tmp_path: Path, rows: int, first: float, words: str
) -> None:
    """Rows and last step say whether a run grew or was rewritten; its neighbour is not named."""
    write(tmp_path, "a", 80)
    write(tmp_path, "b", 80)
    link = copied(open_page(LOSS, source=str(tmp_path), run=["a", "b"]))
    rewrite(tmp_path, "a", rows, first)
    app = open_page(LOSS, source=str(tmp_path), run=link["runs"], data=link["state"])
    assert words in told(app).replace("**", "")
    assert "**b**" not in told(app)


def test_run_that_is_gone_is_told(open_page: Open, tmp_path: Path) -> None:
    """A run of the link that the source does not hold is named, until the selection changes."""
    write(tmp_path, "a", 80)
    write(tmp_path, "b", 80)
    link = copied(open_page(LOSS, source=str(tmp_path), run=["a", "b"]))
    runs = [name.replace("b", "c") for name in link["runs"]]
    app = open_page(LOSS, source=str(tmp_path), run=runs, data=link["state"])
    assert "**c** is gone." in told(app)
    assert app.session_state["run"] == ["a"]
    app.multiselect[0].set_value(["b"]).run()
    assert "is gone" not in told(app)


def test_run_that_is_not_selected_any_more_is_not_told(open_page: Open, tmp_path: Path) -> None:
    """The notice is about what is on the screen."""
    write(tmp_path, "a", 80)
    write(tmp_path, "b", 80)
    link = copied(open_page(LOSS, source=str(tmp_path), run=["a", "b"]))
    rewrite(tmp_path, "a", 90)
    app = open_page(LOSS, source=str(tmp_path), run=link["runs"], data=link["state"])
    assert "grew: 10 more steps" in told(app)
    app.multiselect[0].set_value(["b"]).run()
    assert "grew" not in told(app)


def test_another_source_is_not_compared(open_page: Open, tmp_path: Path) -> None:
    """A run of the same name elsewhere has nothing to do with the link."""
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        write(tmp_path / place, "a", 80 if place == "here" else 90)
    link = copied(open_page(LOSS, source=str(tmp_path / "here"), run=["a"]))
    app = open_page(LOSS, source=str(tmp_path / "here"), run=["a"], data=link["state"])
    app.text_input[0].set_value(str(tmp_path / "there")).run()
    app.multiselect[0].set_value(["a"]).run()
    assert charts(app) or app.info
    assert "grew" not in told(app)


def test_link_names_long_runs_by_digest(open_page: Open, tmp_path: Path) -> None:
    """Digests in a link are names again before anything is chosen, short names beside them too."""
    names = ["long-" + "x" * 200, "训练-" * 20, "short"]
    for name in names:
        write(tmp_path, name, 80)
    link = copied(open_page(LOSS, source=str(tmp_path), run=names))
    digests = dict(link["digests"])
    rewrite(tmp_path, names[0], 81)
    runs = [digests[name] if name != "short" else name for name in link["runs"]]
    app = open_page(LOSS, source=str(tmp_path), run=runs, data=link["state"])
    assert not app.exception
    assert set(app.session_state["run"]) == set(names)
    assert f"{names[0]}** grew: 1 more step since" in told(app)


def test_link_names_long_metrics_by_digest(open_page: Open, tmp_path: Path) -> None:
    """A role and an axis are found by digest, like a run."""
    metric = "a/very/long/path/" * 6 + "of a metric"
    rows = [{"step": i, "reward": i % 7, metric: 1 / (1 + i)} for i in range(50)]
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    short = brief(metric)
    app = open_page(
        "pages/3_Reward_landscape.py", source=str(tmp_path), run="r.jsonl",
        against=short, **{"role.loss": short},
    )  # fmt: skip
    assert not app.exception
    assert app.session_state["role.loss"] == metric
    assert [short in pair for pair in copied(app)["digests"]].count(True) == 1


def test_link_names_long_axes_by_digest(open_page: Open, tmp_path: Path) -> None:
    """So do the axes of the Explore page."""
    metric = "a/very/long/path/" * 6 + "of a metric"
    rows = [{"step": i, "loss": i % 7, metric: 1 / (1 + i)} for i in range(50)]
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    page = "pages/8_Explore.py"
    app = open_page(page, source=str(tmp_path), run="r.jsonl", z=brief(metric))
    assert not app.exception
    assert app.session_state["z"] == metric
    assert not app.warning


def test_digest_waits_for_a_source_that_is_away(open_page: Open, tmp_path: Path) -> None:
    """A link that was opened while its source could not be listed finds its run later."""
    name, away = "x" * 100, tmp_path / "away"
    app = open_page(LOSS, source=str(away), run=[brief(name)])
    assert app.session_state["run"] == [brief(name)]
    away.mkdir()
    write(away, name, 80)
    st.cache_resource.clear()
    app.run()
    assert not app.exception
    assert app.session_state["run"] == [name]


def test_unknown_digest_is_told(open_page: Open) -> None:
    """Nobody knows the name behind it, so the digest is what is told."""
    app = open_page(LOSS, run=["~0123456789ab", *SWEEP])
    assert not app.exception
    assert "No longer in this source: ~0123456789ab." in said(app)
    assert sorted(app.session_state["run"]) == SWEEP


def test_nothing_selected_stays_nothing(open_page: Open) -> None:
    """A link to an empty selection does not open on the runs of a first visit."""
    app = open_page(LOSS, run="")
    assert app.session_state["run"] == []
    assert copied(app)["runs"] == []


# Lone surrogates are not here: an address arrives as UTF-8, where there are none.
JUNK = [
    "", "~", "~~~~", "~0123456789ab", "\x00", "a\x00b", "\ufffd\uffff", "NaN", "-Infinity", "1e400",
    "\x1b[31m\u202e\u200b\n\r\t", "__proto__", "constructor", "[object Object]", "%F0%9F",
    "<script>alert(1)", "_" * 100_000, "x" * 100_000, ["", "", "~", "a", "a"], ["x"] * 300,
]  # fmt: skip
SOURCES = [
    "\x00", "gs://", "gs:///", "gs://\x00/x", "gs://" + "x" * 100_000,
    "wandb://", "file:///etc/passwd", "-" * 300 + "/" + "x" * 300,
]  # fmt: skip
KEYS = [
    "role.loss", "role.learning_rate", "role.", "rate", "strictness", "attempts", "layers",
    "against", "view", "kind", "by", "flat", "a", "b", "baseline", "seeds", "metric", "target",
    "x", "y", "z", "color", "xlog", "ylog", "zlog", "draw", "data", "cam", "embed",
    "embed_options", "__proto__",
]  # fmt: skip
VIEWS = {
    "pages/5_Compare.py": ("Overlaid", "Difference A − B"),
    "pages/8_Explore.py": ("Surface where the data support one",),
}


@pytest.mark.parametrize("page", PAGES)
def test_junk_in_a_link_never_raises(open_page: Open, page: str) -> None:
    """Each parameter with its own piece of junk, each piece in turn, beside runs that are good."""
    runs = [*SWEEP, "grpo", "speedrun"]
    for start in range(list(PAGES).index(page) % 3, len(JUNK), 3):
        address = {key: JUNK[(start + i) % len(JUNK)] for i, key in enumerate(KEYS)}
        app = open_page(page, run=runs, **address)
        assert not app.exception, (address, app.exception)
        assert app.title[0].value == PAGES[page]
        assert sorted(app.session_state["run"]) == sorted(runs)


@pytest.mark.parametrize(
    ("page", "view"), [(page, view) for page, views in VIEWS.items() for view in views]
)
def test_junk_in_a_link_never_raises_in_other_views(open_page: Open, page: str, view: str) -> None:
    """Views that a junk `view` never opens; no two neighbours get the same piece of junk."""
    for start in range(0, len(JUNK), 5):
        address = {key: JUNK[(start + i) % len(JUNK)] for i, key in enumerate(KEYS)}
        key = "draw" if "Explore" in page else "view"
        app = open_page(page, run=SWEEP, **address | {key: view})
        assert not app.exception, (address, app.exception)
        assert app.session_state[key] == view


@pytest.mark.parametrize("junk", range(len(JUNK)))
def test_junk_as_source_or_run_never_raises(open_page: Open, junk: int) -> None:
    """What cannot be opened is one error; of runs that are not there only some are named."""
    for address in ({"source": JUNK[junk]}, {"run": JUNK[junk]}):
        app = open_page("app.py", **address)
        assert not app.exception
        assert app.title[0].value == "Runs"
    assert len(said(app)) < 5_000


@pytest.mark.parametrize("source", SOURCES)
def test_source_that_cannot_be_is_one_sentence(open_page: Open, source: str) -> None:
    """No traceback for an address that nothing can stand at."""
    app = open_page("app.py", source=source)
    assert not app.exception
    assert len(app.error) == 1
