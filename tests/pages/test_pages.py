"""Every page: its title, what it shows, and what it says when there is nothing to show."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]

SWEEP = ["sweep-0.0001", "sweep-0.0003", "sweep-0.001", "sweep-0.003"]
PAGES = {
    "app.py": "Runs",
    "pages/1_Loss_landscape.py": "Loss landscape",
    "pages/2_Gradient_flow.py": "Gradient flow",
    "pages/3_Reward_landscape.py": "Reward landscape",
    "pages/4_Training_dynamics.py": "Training dynamics",
    "pages/5_Compare.py": "Compare",
    "pages/6_Report.py": "Report",
    "pages/7_Export.py": "Export",
    "pages/8_Explore.py": "Explore",
    "pages/9_Weight_space.py": "Weight space",
    "pages/10_Data.py": "Data",
}


def charts(app: AppTest) -> list[dict[str, Any]]:
    """Return what the browser is sent for each chart."""
    sent = [element.proto for element in app.get("bidi_component")]
    return [json.loads(proto.bytes) for proto in sent if proto.WhichOneof("data") == "bytes"]


def said(app: AppTest) -> str:
    """Return the words on the page."""
    parts = [*app.markdown, *app.info, *app.caption, *app.warning, *app.error]
    return " ".join(str(part.value) for part in parts).replace("\\", "").replace("\u200b", "")


@pytest.mark.parametrize(("page", "title"), PAGES.items())
def test_page_opens_with_its_title(open_page: Open, page: str, title: str) -> None:
    """No page fails on an ordinary selection, and each says which page it is."""
    app = open_page(page, run=SWEEP)
    assert not app.exception
    assert app.title[0].value == title
    assert app.session_state["run"] == SWEEP


@pytest.mark.parametrize(("page", "title"), PAGES.items())
def test_page_explains_an_empty_source(
    open_page: Open, tmp_path: Path, page: str, title: str
) -> None:
    """A folder without runs is no error: the page opens and says that nothing is there."""
    app = open_page(page, source=str(tmp_path))
    assert not app.exception
    assert app.title[0].value == title
    assert said(app).count("No run") == len(app.info) == 1


@pytest.mark.parametrize("page", PAGES)
def test_page_survives_a_source_that_is_not_there(open_page: Open, page: str) -> None:
    """A wrong path is one plain sentence, on every page."""
    app = open_page(page, source="/no/such/folder")
    assert not app.exception
    assert len(app.error) == 1


@pytest.mark.parametrize(
    ("page", "runs", "kind"),
    [
        ("pages/1_Loss_landscape.py", SWEEP, "loss-landscape"),
        ("pages/2_Gradient_flow.py", SWEEP, "gradient-flow"),
        ("pages/3_Reward_landscape.py", ["grpo"], "reward-landscape"),
        ("pages/4_Training_dynamics.py", SWEEP, "training-dynamics"),
    ],
)
def test_chart_is_sent_with_its_origin(
    open_page: Open, page: str, runs: list[str], kind: str
) -> None:
    """A page with data sends a scene, its flat twin and the words that go with them."""
    [chart] = charts(open_page(page, run=runs))
    about = chart["figure"]["layout"]["meta"]["viz3d"]
    assert about["kind"] == kind
    assert {run["name"] for run in about["runs"]} <= set(runs)
    assert chart["figure"]["data"]
    assert chart["flat"]["data"]
    assert chart["summary"]


@pytest.mark.parametrize(
    ("page", "runs", "has_it"),
    [
        ("pages/1_Loss_landscape.py", ["speedrun"], "sweep-0.001"),
        ("pages/2_Gradient_flow.py", ["grpo"], "sweep-0.001"),
        ("pages/3_Reward_landscape.py", SWEEP, "grpo"),
        ("pages/4_Training_dynamics.py", ["speedrun"], "sweep-0.001"),
        ("pages/6_Report.py", SWEEP, "speedrun"),
    ],
)
def test_page_without_what_it_needs_points_to_it(
    open_page: Open, page: str, runs: list[str], has_it: str
) -> None:
    """The page says what is missing and which runs have it, and a button selects those."""
    app = open_page(page, run=runs)
    assert not app.exception
    assert not charts(app)
    assert has_it in said(app)
    app.button[0].click().run()
    assert not app.exception
    assert has_it in app.session_state["run"]
    assert charts(app)


def test_button_that_selects_some_of_the_named_runs_says_which(
    open_page: Open, tmp_path: Path
) -> None:
    """Of runs of several kinds it takes one kind, by its name."""
    for name in ("a_sweep-1", "a_sweep-2", "other", "none"):
        metric = "held" if name == "none" else "loss"
        rows = "".join(f"{step},{step},{9 - step}\n" for step in range(9))
        (tmp_path / f"{name}.csv").write_text(f"step,lr,{metric}\n{rows}", "utf-8")
    app = open_page("pages/1_Loss_landscape.py", source=str(tmp_path), run=["none.csv"])
    assert all(f"{name}.csv" in said(app) for name in ("a_sweep-1", "a_sweep-2", "other"))
    assert app.button[0].label.replace("\\", "") == "Select 2 runs called a_sweep-…"


def test_run_that_lacks_something_else_is_not_pointed_to(open_page: Open, tmp_path: Path) -> None:
    """A loss alone makes no loss landscape, however it is drawn; the page says so once."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("step,loss\n0,2\n1,1\n", "utf-8")
    for page in ("pages/1_Loss_landscape.py", "pages/5_Compare.py"):
        app = open_page(page, source=str(tmp_path), run=["a.csv", "b.csv"])
        assert not app.exception
        assert said(app).count("needs a learning rate") == 1
        assert "No run in this source has it" in said(app)


def test_plain_axes_point_to_runs_that_have_all_three(open_page: Open) -> None:
    """No run of the folder has both a reward and a gradient norm."""
    app = open_page("pages/4_Training_dynamics.py", run=SWEEP, view="Loss, gradient norm, reward")
    assert "needs reward" in said(app)
    assert "No run in this source has it" in said(app)


def test_missing_metric_comes_with_the_lines_that_record_it(open_page: Open) -> None:
    """The advice is code that can be copied, with the recorder's real names in it."""
    app = open_page("pages/2_Gradient_flow.py", run=["grpo"])
    assert "viz3d.Recorder(" in app.code[0].value
    assert "recorder.log_layers(step)" in app.code[0].value


def test_runs_page_lists_everything_and_what_was_read(open_page: Open) -> None:
    """All runs of the source are listed; the selected ones with steps and final loss."""
    app = open_page("app.py", run=["sweep-0.001"])
    assert [frame.proto.placeholder for frame in app.dataframe] == ["", ""], "nothing, not None"
    assert all(frame.proto.HasField("placeholder") for frame in app.dataframe)
    selected, everything = app.dataframe[0].value, app.dataframe[1].value
    assert list(selected["run"]) == ["sweep-0.001"]
    assert selected["steps"][0] == 60
    assert selected["layers"][0] == 3
    assert set(everything["run"]) == {*SWEEP, "grpo", "speedrun"}


def test_first_visit_selects_the_sweep(open_page: Open) -> None:
    """A first visit opens on the largest family of runs, so that there is a surface to see."""
    app = open_page("pages/1_Loss_landscape.py")
    assert set(app.session_state["run"]) == set(SWEEP)
    assert len(charts(app)) == 1


@pytest.mark.parametrize(
    ("good", "selected"), [(True, ["a.jsonl"]), (False, ["b.json"])], ids=["one", "none"]
)
def test_first_visit_selects_what_can_be_read(
    open_page: Open, tmp_path: Path, good: bool, selected: list[str]
) -> None:
    """Where nobody can read the newest file the page does not open empty; else it tells why."""
    row = '{"step": 0, "loss": 1}\n' if good else "junk\n"
    files = {"b.json": "[[]]", "a.jsonl": row, "c.jsonl": "junk\n"}
    for age, (name, text) in enumerate(files.items()):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (2e9 - age, 2e9 - age))
    app = open_page("app.py", source=str(tmp_path))
    assert list(app.session_state["run"]) == selected


def test_role_said_by_the_viewer_changes_the_chart(open_page: Open) -> None:
    """The metric that the address names as the loss is the one that is drawn."""
    page = "pages/1_Loss_landscape.py"
    [plain] = charts(open_page(page, run=SWEEP))
    [other] = charts(open_page(page, run=SWEEP, **{"role.loss": "held"}))
    assert "held" not in json.dumps(plain["figure"]["layout"])
    assert plain["figure"]["data"] != other["figure"]["data"]


def test_settings_come_from_the_address(open_page: Open) -> None:
    """A copied link opens the view with its settings."""
    app = open_page("pages/1_Loss_landscape.py", run=SWEEP, rate="Rate at that step")
    [chart] = charts(app)
    assert chart["figure"]["layout"]["meta"]["viz3d"]["settings"]["rate"] == "current"


def test_nonsense_in_the_address_is_ignored(open_page: Open) -> None:
    """Unknown runs, roles and settings fall back to the defaults without an error."""
    address = {"run": ["nobody"], "rate": "<b>", "role.loss": "x" * 5000, "attempts": "perhaps"}
    app = open_page("pages/1_Loss_landscape.py", **address)
    assert not app.exception
    assert app.session_state["run"] == []


def test_one_broken_run_does_not_spoil_the_others(open_page: Open, folder: Path) -> None:
    """A run that no format can read is named, and the rest is drawn."""
    broken = folder / "broken" / "trainer_state.json"
    broken.parent.mkdir()
    broken.write_bytes(b"{")
    try:
        app = open_page("pages/1_Loss_landscape.py", run=[*SWEEP, "broken"])
        assert not app.exception
        assert "broken was left out" in said(app)
        assert len(charts(app)) == 1
    finally:
        broken.unlink()
        broken.parent.rmdir()


def test_what_reading_had_to_tell_is_on_the_page(open_page: Open, tmp_path: Path) -> None:
    """Rows that were left out are told beside the run, in words."""
    rows = '{"step": 1, "loss": 2.0}\n{"step": 2, "loss": 1.0}\n{"step": 3, "lo'
    (tmp_path / "torn.jsonl").write_text(rows, "utf-8")
    app = open_page("app.py", source=str(tmp_path), run="torn.jsonl")
    assert "torn.jsonl:3" in said(app)


def test_compare_sends_one_panel_for_each_run(open_page: Open) -> None:
    """Side by side means one panel a run, all on one range of the loss axis."""
    app = open_page("pages/5_Compare.py", run=SWEEP[:3])
    panels = charts(app)
    assert len(panels) == 3
    ranges = {json.dumps(panel["figure"]["layout"]["scene"]["zaxis"]["range"]) for panel in panels}
    assert len(ranges) == 1
    # What is the same for all of them is said once, above them.
    captions = [caption.value for caption in app.caption]
    assert sum("The paths show all 60 points" in text for text in captions) == 1
    assert sum("Loss of 1 run" in text for text in captions) == 3


def test_compare_overlays_groups_in_one_scene(open_page: Open) -> None:
    """One chart with the list of its events; a sentence where no run has what it needs."""
    app = open_page("pages/5_Compare.py", run=SWEEP[:2], view="Overlaid")
    assert not app.exception
    [chart] = charts(app)
    assert chart["figure"]["layout"]["meta"]["viz3d"]["settings"]["overlaid"].keys() == set(
        SWEEP[:2]
    )
    assert "Events: no spike" in said(app)
    other = open_page("pages/5_Compare.py", run=SWEEP[:2], view="Overlaid", kind="Gradient flow")
    assert not other.exception
    assert len(charts(other)) == 1
    assert "Events:" not in said(other)
    none = open_page("pages/5_Compare.py", run=SWEEP[:2], view="Overlaid", kind="Reward landscape")
    assert not none.exception
    assert "needs a reward" in said(none)


def test_compare_subtracts_the_second_group_from_the_first(open_page: Open) -> None:
    """A is the first in the list, B the next; the viewer may choose others."""
    view = {"run": SWEEP[:3], "view": "Difference A − B"}
    app = open_page("pages/5_Compare.py", **view)
    assert not app.exception
    settings = charts(app)[0]["flat"]["layout"]["meta"]["viz3d"]["settings"]
    (first,) = [box for box in app.selectbox if box.key == "a"]
    assert (settings["a"], settings["b"]) == (first.options[:1], first.options[1:2])
    app = open_page("pages/5_Compare.py", **view, a=SWEEP[2], b=SWEEP[0])
    settings = charts(app)[0]["flat"]["layout"]["meta"]["viz3d"]["settings"]
    assert (settings["a"], settings["b"]) == ([SWEEP[2]], [SWEEP[0]])


def test_compare_tells_in_which_settings_the_runs_differ(open_page: Open) -> None:
    """The learning rates of a sweep stand in the table of differences."""
    app = open_page("pages/5_Compare.py", run=SWEEP[:2])
    assert any("learning_rate" in frame.value.to_string() for frame in app.dataframe)


def test_final_values_keep_their_digits(open_page: Open, tmp_path: Path) -> None:
    """The table shows a learning rate of 4.378e-5 as that."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("step,loss,lr\n0,3,0.1\n1,2,4.378e-5\n", "utf-8")
    app = open_page("pages/5_Compare.py", source=str(tmp_path), run=["a.csv", "b.csv"])
    (final,) = [frame for frame in app.dataframe if "loss" in frame.value.index]
    shown = convert_arrow_bytes_to_pandas_df(final.proto.arrow_data.styler.display_values)
    assert shown.loc["learning_rate"].iloc[0] == "4.378e-5"


def test_report_shows_the_stages(open_page: Open) -> None:
    """A run with nothing but a report shows its tasks and scores."""
    app = open_page("pages/6_Report.py", run=["speedrun"])
    assert not app.exception
    [chart] = charts(app)
    assert "GSM8K" in json.dumps(chart["flat"])


@pytest.mark.parametrize(
    ("page", "drawn", "says"),
    [
        (
            "pages/3_Reward_landscape.py",
            "grpo",
            "Not drawn, for want of a reward and a finite loss at the same step: ",
        ),
        ("pages/6_Report.py", "speedrun", "Without a report that holds scores: "),
    ],
)
def test_selected_runs_that_are_not_in_the_chart_are_named(
    open_page: Open, page: str, drawn: str, says: str
) -> None:
    """Where one run has what the chart needs, the others are not left out without a word."""
    app = open_page(page, run=[drawn, SWEEP[0]])
    assert f"{says}{SWEEP[0]}." in said(app)


def test_the_reward_is_offered_only_what_was_logged_with_it(open_page: Open) -> None:
    """No choice that ends in "missing", and no metric under two names."""
    app = open_page("pages/3_Reward_landscape.py", run="grpo")
    (against,) = [box for box in app.selectbox if box.key == "against"]
    assert sorted(against.options) == ["kl", "loss"]


def test_compare_leaves_out_a_run_that_does_not_fit(open_page: Open) -> None:
    """One run without a learning rate does not keep the others from being compared."""
    app = open_page("pages/5_Compare.py", run=[*SWEEP[:2], "speedrun"])
    assert len(charts(app)) == 2
    assert any("speedrun was left out" in warning.value for warning in app.warning)


@pytest.mark.parametrize(("page", "title"), PAGES.items())
def test_page_runs_by_itself(page: str, title: str) -> None:
    """A page opens without the app around it; only the links to its siblings are missing."""
    app = AppTest.from_file(f"../../{page}", default_timeout=60).run()
    assert not app.exception
    assert app.title[0].value == title
