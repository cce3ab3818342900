"""The page: one file that needs nothing else, with everything of every chart."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from viz3d.export.page import FLAT_ONLY, MOST_SCENES, to_html, to_html_page
from viz3d.figures.chart import Chart

VOID = {"meta", "input", "br", "img", "link", "hr"}


class Reader(HTMLParser):
    """Collects tags, scripts and text of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note a tag and that it is open."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Close the last tag: it must be this one."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Keep scripts and text, each for itself."""
        if self.open and self.open[-1] == "script":
            self.scripts.append((self.tags[-1][1], data))
        elif self.open and self.open[-1] != "style":
            self.text += data

    def ids(self, start):
        """Return the ids that begin so."""
        return [a["id"] for _, a in self.tags if (a.get("id") or "").startswith(start)]


@pytest.fixture(scope="module")
def shown(charts):
    """As many charts as a page can draw in 3D, one of each kind."""
    drawn = (c for kind, c in charts.items() if kind != "plain" and "overlay of" not in kind)
    return list(drawn)[:MOST_SCENES]


@pytest.fixture(scope="module")
def several(shown):
    """A page of all kinds with a further table."""
    tables = {"Differs <b>": pd.DataFrame({"a": ["<i>"]}, index=["k"])}
    return Reader(to_html_page(shown, "All <u>", tables=tables))


def test_it_holds_scenes_twins_tables_words_and_origin(several, shown):
    """Fixed ids, one for each picture; every summary, note, run and digest can be read."""
    n = len(shown)
    pictures = [*several.ids("viz3d-figure-"), *several.ids("viz3d-flat-")]
    names = [name for name in pictures if not name.endswith("-data")]
    assert sorted(names) == sorted(
        f"viz3d-{kind}-{i}" for kind in ("figure", "flat") for i in range(1, n + 1)
    )
    for chart in shown:
        assert chart.summary in several.text
        for note in chart.notes:
            assert note in several.text
    for i in range(4):
        assert str(i) * 64 in several.text
    assert "rate = peak" in several.text
    assert several.open == []


def test_nothing_of_another_host_is_asked_for_or_allowed(several):
    """No address in any tag, and a policy that lets these scripts run and nothing else."""
    for tag, attributes in several.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "img"}
        assert not {"src", "href", "action", "onload", "onclick"} & set(attributes)
    [policy] = [a["content"] for _, a in several.tags if "http-equiv" in a]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data: blob:"
    run = [text for attributes, text in several.scripts if "type" not in attributes]
    digests = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in run]
    assert rules["script-src"] == " ".join(f"'sha256-{d}'" for d in digests)
    assert len(run) == 2
    assert len(run[0]) > 4_000_000


def test_names_from_data_are_no_markup(several):
    """Every tag of the page is one of ours, and the data are whole JSON."""
    ours = "html head meta title style body main h1 noscript p label input section h2 div table"
    more = "thead tbody tr th td ul li script"
    assert {tag for tag, _ in several.tags} <= {*ours.split(), *more.split()}
    assert "All <u>" in several.text
    assert "Differs <b>" in several.text
    data = [json.loads(t) for a, t in several.scripts if a.get("type") == "application/json"]
    assert all({"data", "layout"} <= figure.keys() for figure in data)


def test_pictures_have_words_and_can_be_reached_by_keyboard(several):
    """Each says what it shows; pictures and tables take the focus."""
    pictures = [a for _, a in several.tags if a.get("class") == "picture"]
    assert all(len(a["aria-label"]) > 40 and a["tabindex"] == "0" for a in pictures)
    assert all(a["aria-label"] for _, a in several.tags if a.get("class") == "table")
    assert several.ids("viz3d-link") == ["viz3d-link"]


def test_scenes_beyond_what_a_browser_can_draw_are_flat_and_say_so(charts):
    """Eight scenes; the ninth chart is there with its flat twin and a sentence."""
    chart = charts["plain"]
    page = Reader(to_html_page([chart] * (MOST_SCENES + 1), "Many"))
    assert len(page.ids("viz3d-figure-")) == 2 * MOST_SCENES
    assert len(page.ids("viz3d-flat-")) == 2 * (MOST_SCENES + 1)
    assert page.text.count(FLAT_ONLY) == 1


def test_a_single_chart_has_nothing_to_link(charts):
    """One chart goes through the same code, without the checkbox."""
    page = Reader(to_html(charts["plain"]))
    assert page.ids("viz3d-link") == []
    assert len(page.ids("viz3d-figure-")) == 2


def test_a_chart_without_a_scene_has_one_figure(charts):
    """Where the flat figure is all there is, the page shows it once and promises no keys."""
    flat, table = charts["plain"].flat, pd.DataFrame({"at": pd.array([pd.NA], "Int64")})
    page = Reader(to_html(Chart("report", "Report", flat, flat, table, "s", lambda: table)))
    assert page.ids("viz3d-figure-") == []
    assert "arrow keys" not in page.text
    assert "<NA>" not in page.text


def test_headings_and_charts_go_together(charts):
    """A wrong number of headings, or no chart, is the caller's mistake."""
    with pytest.raises(ValueError, match="2 headings for 1 charts"):
        to_html_page([charts["plain"]], "T", headings=["a", "b"])
    with pytest.raises(ValueError, match="no chart"):
        to_html_page([], "T")


def test_the_text_of_a_number_is_short(charts):
    """Tables on the page round to four digits; the exact ones are in the data."""
    page = to_html(charts["loss-landscape"]).decode()
    cells = re.findall(r"<td>(\d+\.\d+)</td>", page)
    assert cells
    assert all(len(cell.replace(".", "").strip("0")) <= 4 for cell in cells)
