"""Text from data in a real browser: nothing of it runs, loads or leads anywhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import finished
from tests.browser.payloads import PAYLOADS, write_runs
from viz3d.export.page import to_html_page
from viz3d.figures.kinds import make_chart
from viz3d.load import list_runs, load_run, open_source
from viz3d.ui.frame import PAGES

pytestmark = pytest.mark.browser

# Elements that only data can have made: they lead or ask elsewhere, or run something.
MADE = """() => {
    const elsewhere = (each) => ["href", "src", "action", "data"].some((name) => {
        const said = each.getAttribute(name);
        if (!said) return false;
        const { protocol, host } = new URL(said, location.href);
        return protocol === "javascript:" || (protocol.startsWith("http") && host !== location.host)
            || (protocol === "data:" && each.matches("a, iframe, object, embed"));
    });
    const found = [...document.body.querySelectorAll("*")].filter((each) => elsewhere(each)
        || [...each.attributes].some((one) => one.name.startsWith("on"))
        || each.matches("base, form, meta")
        || (each.matches("script:not([type]), style") && each.textContent.includes("__x")));
    return [...found, ...document.querySelectorAll(".js-plotly-plot a")]
        .map((each) => each.outerHTML.slice(0, 200));
}"""


# Metrics that are drawn where a viewer chooses them.
AXES = {"x": 2, "y": 29, "z": 57, "color": 58}


class Watched:
    """A page, and the hosts that it asked for something."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.hosts: set[str] = set()
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def expect_harmless(self, host: str) -> None:
        """Nothing ran, nothing was asked of others, and no element came of data."""
        assert self.page.evaluate("window.__x") is None
        assert self.hosts <= {"", host}
        assert self.page.evaluate(MADE) == []


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder of runs that carry each payload as metric, layer, config and in a report."""
    folder = tmp_path_factory.mktemp("hostile")
    return folder, write_runs(folder)


def test_there_are_sixty() -> None:
    """As many as promised, and none twice."""
    assert len(set(PAYLOADS)) == len(PAYLOADS) == 60


@pytest.mark.parametrize("path", [path for path, _ in PAGES])
def test_no_page_takes_text_from_data_for_anything_else(
    page: Page, server: str, hostile: tuple[Path, list[str]], path: str
) -> None:
    """Every page, with all runs selected, shows the payloads as text."""
    folder, names = hostile
    watched = Watched(page)
    name = "" if path == "app.py" else Path(path).stem.partition("_")[2]
    choice = [("source", str(folder)), *[("run", run) for run in names]]
    choice += [(axis, PAYLOADS[at]) for axis, at in AXES.items()] if name == "Explore" else []
    page.goto(f"{server}/{name}?{urlencode(choice, quote_via=quote)}")
    expect(page.locator("body")).to_contain_text("window.__x")
    finished(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    watched.expect_harmless(urlsplit(server).netloc)


def test_an_address_is_text_too(page: Page, server: str, hostile: tuple[Path, list[str]]) -> None:
    """What a link says of runs, roles and settings is shown as text, or not at all."""
    folder, _ = hostile
    watched = Watched(page)
    said = [("source", str(folder)), *[("run", text) for text in PAYLOADS]]
    said += [("role.loss", PAYLOADS[0]), ("role.reward", PAYLOADS[38]), ("x", PAYLOADS[2]),
             ("rate", PAYLOADS[3]), ("view", PAYLOADS[4]), ("link", PAYLOADS[5])]  # fmt: skip
    page.goto(f"{server}/Explore?{urlencode(said, quote_via=quote)}")
    finished(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    watched.expect_harmless(urlsplit(server).netloc)


def test_an_exported_page_holds_text_only(
    page: Page, hostile: tuple[Path, list[str]], tmp_path: Path
) -> None:
    """The file that is sent around does no more with the payloads than the app."""
    folder, names = hostile
    source = open_source(folder)
    runs = [load_run(source, info.name) for info in list_runs(source)]
    assert {run.name for run in runs} == set(names)
    charts = [make_chart("loss-landscape", runs), make_chart("gradient-flow", runs[:1]),
              make_chart("training-dynamics", runs), make_chart("report", runs)]  # fmt: skip
    path = tmp_path / "page.html"
    path.write_bytes(to_html_page(charts, PAYLOADS[0], headings=PAYLOADS[2:6]))
    watched = Watched(page)
    page.goto(path.as_uri())
    pictures = page.locator(".picture")
    expect(page.locator(".picture[aria-busy=false]")).to_have_count(pictures.count())
    watched.expect_harmless("")
