"""The Export page: what it offers, what the files hold, and what it says when one cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import SWEEP, said
from viz3d.errors import ExportError
from viz3d.export import images, page
from viz3d.figures.chart import Chart
from viz3d.ui import exporting, files
from viz3d.ui.files import KINDS, file_name

Open = Callable[..., AppTest]

PAGE = "pages/7_Export.py"


def offered(app: AppTest) -> dict[str, Any]:
    """Return the download buttons by their labels."""
    return {button.proto.label: button.proto for button in app.get("download_button")}


def test_every_format_is_offered_with_what_it_is_for(open_page: Open) -> None:
    """One button and one line for each, and one file with everything."""
    app = open_page(PAGE, run=SWEEP)
    assert not app.exception
    labels = {*offered(app), *(button.label for button in app.button)}
    assert "Download as one HTML file" in labels
    for kind in KINDS.values():
        assert labels & {kind.label, f"Draw {kind.label}"}
        assert kind.purpose in said(app)


def test_a_format_has_a_writer_and_a_line() -> None:
    """What the page lists and what can be written is one list."""
    from viz3d.export.files import FORMATS

    assert list(KINDS) == list(FORMATS)


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each download button hands out, by its label."""
    found: dict[str, Any] = {}
    button = exporting.st.download_button

    def catch(label: str, data: Any, **more: Any) -> bool:
        found[label] = data
        return button(label, data, **more)

    monkeypatch.setattr(exporting.st, "download_button", catch)
    return found


@pytest.mark.parametrize(
    ("view", "headings"),
    [
        ("Side by side", SWEEP[:3]),
        ("Overlaid", ["Loss landscape, overlaid"]),
        ("Difference A − B", ["Difference A − B"]),
    ],
)
def test_compare_offers_what_it_shows_as_one_file(
    open_page: Open, caught: dict[str, Any], view: str, headings: list[str]
) -> None:
    """Every panel under its title, the settings that differ, and the metrics from the baseline."""
    app = open_page("pages/5_Compare.py", run=SWEEP[:3], view=view, baseline=SWEEP[1])
    assert not app.exception
    text = caught["Download this comparison"]().decode()
    assert sorted(re.findall(r'id="viz3d-heading-\d">(.*)</h2>', text)) == sorted(headings)
    assert "Settings in which the runs differ" in text
    assert f"differ from those of {SWEEP[1]}" in text


def test_compare_offers_its_seeds_too_and_all_of_it_as_markdown(
    open_page: Open, caught: dict[str, Any]
) -> None:
    """As many charts and tables as are on the page, in the page's order."""
    app = open_page(
        "pages/5_Compare.py",
        run=SWEEP[:3],
        view="Overlaid",
        seeds="As grouped at the top",
        baseline=SWEEP[0],
    )
    assert not app.exception
    text = caught["Download this comparison"]().decode()
    headings = re.findall(r"<h2.*?>(.*)</h2>", text)
    assert headings[:-1] == [
        "Loss landscape, overlaid",
        "Seeds",
        "Settings in which the runs differ",
        f"Final metrics, and how they differ from those of {SWEEP[0]}",
        f"Each group against {SWEEP[0]}",
    ]
    markdown = app.code[0].value
    assert re.findall("^## (.*)", markdown, re.M) == [
        heading.replace("_", "\\_") for heading in headings[:-1]
    ]
    assert "| `learning_rate` |" in markdown


def test_explore_is_offered_and_seeds_only_where_there_are_some(open_page: Open) -> None:
    """The runs of the sweep differ in their rate, so no two of them are one setting."""
    app = open_page(PAGE, run=SWEEP[:2], charts=["Explore"])
    assert not app.exception
    assert "Explore" in app.multiselect(key="charts").options
    assert "Seeds" not in app.multiselect(key="charts").options
    assert {"HTML", "GLB", "CSV"} <= set(offered(app))


def test_the_one_file_holds_the_whole_comparison(
    open_page: Open, caught: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All chosen charts, and how the runs differ; made by a click and not before."""
    made: list[str] = []
    make = page.to_html_page

    def note(charts: Sequence[Chart], title: str, **more: Any) -> bytes:
        made.append(title)
        return make(charts, title, **more)

    monkeypatch.setattr(page, "to_html_page", note)
    kinds = ["Loss landscape", "Gradient flow", "Training dynamics"]
    app = open_page(PAGE, run=SWEEP[:3], charts=kinds)
    assert not app.exception
    assert made == []
    text = caught["Download as one HTML file"]().decode()
    assert made == ["Comparison of 3 runs"]
    assert text.count('class="chart"') == 1 + 3 + 1
    assert "Gradient flow of sweep-0.001" in text
    assert "Settings in which the runs differ" in text
    assert "learning_rate" in text
    assert "Final metrics" in text


def test_markdown_can_be_copied(open_page: Open) -> None:
    """The text of the chart with its table and its origin."""
    app = open_page(PAGE, run=SWEEP)
    assert "| run | peak learning rate |" in app.code[0].value
    assert "SHA-256" in app.code[0].value


def test_without_a_browser_it_says_how_to_get_one(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture's button is off, with a sentence; the other files are there."""
    monkeypatch.setenv("BROWSER_PATH", "no-such-browser")
    app = open_page(PAGE, run=SWEEP)
    assert [button.label for button in app.button if button.disabled] == ["PNG", "SVG"]
    assert "install one, set BROWSER_PATH" in said(app)
    assert "GLB" in offered(app)


def test_a_drawing_that_fails_is_one_sentence(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback and no button that downloads nothing."""

    def fail(*_: Any) -> bytes:
        raise ExportError("The browser 'x' could not draw the png; set BROWSER_PATH to another.")

    monkeypatch.setattr(images, "find_browser", lambda: "x")
    app = open_page(PAGE, run=SWEEP)
    monkeypatch.setattr(files, "make", fail)
    [draw] = [button for button in app.button if button.label == "Draw PNG"]
    draw.click().run()
    assert not app.exception
    assert "could not draw the png" in said(app)
    assert "Download PNG" not in offered(app)


def test_a_flat_chart_offers_no_model(open_page: Open) -> None:
    """A report has no scene; its table of scores can be had."""
    app = open_page(PAGE, run=["speedrun"])
    assert not app.exception
    assert {"GLB", "PLY"} <= {button.label for button in app.button if button.disabled}
    assert "CSV" in offered(app)


def test_a_chart_page_offers_its_own_view(open_page: Open) -> None:
    """With the settings that are chosen there."""
    app = open_page("pages/1_Loss_landscape.py", run=SWEEP, rate="Rate at that step")
    assert {"HTML", "GLB", "Parquet"} <= set(offered(app))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Loss landscape", "Loss-landscape.md"),
        ("../../etc/passwd", "etc-passwd.md"),
        ("🦙", "chart.md"),
        ("a" * 300, "a" * 80 + ".md"),
        ('x"\r\ny', "x-y.md"),
    ],
)
def test_file_names_are_good_everywhere(text: str, name: str) -> None:
    """Names of runs become names of files that no system stumbles over."""
    assert file_name(text, ".md") == name
