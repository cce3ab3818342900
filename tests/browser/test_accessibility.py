"""The pages for everyone: axe finds nothing, the keyboard reaches everything, nothing must move."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import finished

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]

# Two runs draw quickly and show all there is.
TWO = "run=gpt-lr-0.003-seed-0&run=gpt-lr-0.01-seed-0"
# Page, what stands in its address, and whether it shows a chart.
PAGES = (
    ("", TWO, False),
    ("Loss_landscape", TWO, True),
    ("Gradient_flow", TWO, True),
    ("Reward_landscape", "run=grpo-addition", True),
    ("Training_dynamics", TWO, True),
    ("Compare", TWO, True),
    ("Report", "source={reports}", True),
    ("Export", TWO, False),
    ("Explore", TWO, True),
    ("Weight_space", "source={measured}&run=trained", True),
    ("Data", TWO, False),
    # A run that lacks what the page needs: the sentences and the code stand there instead.
    ("Loss_landscape", "source={reports}", False),
)
REPORT = """\
# nanochat training report

## Summary

| Metric   | BASE | MID    | SFT    |
|----------|------|--------|--------|
| ARC-Easy | -    | 0.3561 | 0.3876 |
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

AUDIT = """
async ([source, rules]) => {
    if (!window.axe) (0, eval)(source);
    const options = {
        runOnly: rules, resultTypes: ["violations"],
        rules: {"heading-order": {enabled: true}, "page-has-heading-one": {enabled: true}},
    };
    const {violations} = await axe.run(options);
    return violations.flatMap(({id, nodes}) => nodes.map((node) => ({
        rule: id,
        target: node.target.join(" "),
        why: node.failureSummary,
    })));
}
"""


PICTURES = """
() => {
    const words = (text) => text.replace(/[\\s\u200b]+/g, "");
    const main = words(document.querySelector("[data-testid=stMain]").innerText);
    return [...document.querySelectorAll(".viz3d-panel")].map((panel) => {
        const label = panel.getAttribute("aria-label") ?? "";
        const summary = label.replace(/^.*?, [23]D\\. /, "");
        return {label, role: panel.getAttribute("role"), told: main.includes(words(summary))};
    });
}
"""
# What plotly.js draws inside a chart fades its own mode bar; that is no movement.
MOVING = """
() => [...document.querySelectorAll(".viz3d-chart, .viz3d-chart *")]
    .filter((one) => !one.closest(".plot-container"))
    .filter((one) => one.getAnimations().length
        || getComputedStyle(one).transitionDuration.split(", ").some((time) => time !== "0s"))
    .map((one) => one.className)
"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report."""
    folder = tmp_path_factory.mktemp("reports")
    report = folder / "speedrun" / "report" / "report.md"
    report.parent.mkdir(parents=True)
    report.write_text(REPORT, "utf-8")
    return folder


# In this theme, and no colour still on its way to it.
CALM = """
theme => {
    const [r] = getComputedStyle(document.querySelector("[data-testid=stApp]"))
        .backgroundColor.match(/\\d+/g);
    const moving = document.getAnimations()
        .some((one) => one.effect.getComputedTiming().endTime !== Infinity);
    return !moving && (r > 127) === (theme === "light");
}
"""


def settled(page: Page, *, charts: bool) -> None:
    """Wait until the page has run to its end and its charts are drawn."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if charts:
        page.locator(".viz3d-panel[aria-busy=false]").first.wait_for()
    finished(page)


def unfold(page: Page) -> None:
    """Open what is folded away, so that it is looked at too."""
    page.evaluate(
        "document.querySelectorAll('details:not([open]) > summary').forEach(s => s.click())"
    )


def audit(page: Page) -> list[dict[str, Any]]:
    """Return what axe finds."""
    found: list[dict[str, Any]] = page.evaluate(AUDIT, [Axe().axe_script, RULES])
    return found


def test_every_page_is_looked_at() -> None:
    """A new page must stand in the list."""
    names = {re.sub(r"^\d+_", "", path.stem) for path in (ROOT / "pages").glob("*.py")}
    assert {name for name, _, _ in PAGES} == names | {""}


@pytest.mark.parametrize(("name", "choice", "charts"), PAGES)
def test_a_page_is_for_everyone(
    page: Page, server: str, reports: Path, measured: Path, name: str, choice: str, charts: bool
) -> None:
    """With all that folds unfolded, in both themes and on a phone."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    folders = {"reports": quote(str(reports)), "measured": quote(str(measured))}
    page.goto(f"{server}/{name}?{choice.format(**folders)}")
    settled(page, charts=charts)
    unfold(page)
    for theme, width in (("light", 1280), ("dark", 1280), ("dark", 390)):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(CALM, arg=theme)
        axe_finds_nothing(page, f"{theme}, {width}")
        every_picture_has_its_text(page, charts=charts)
        assert page.evaluate(MOVING) == [], "whoever asked for calm sees no chart move"


def axe_finds_nothing(page: Page, how: str) -> None:
    """WCAG 2.1 A and AA and the order of headings."""
    told = {f"{one['rule']} ({how}): {one['target']}\n    {one['why']}" for one in audit(page)}
    assert not told, "\n".join(sorted(told))


def every_picture_has_its_text(page: Page, *, charts: bool) -> None:
    """Scene and flat twin say which they are, and then the summary that stands on the page."""
    pictures = page.evaluate(PICTURES) if charts else []
    assert bool(pictures) == charts
    for picture in pictures:
        assert picture["role"]
        assert re.match(r".+, [23]D\. .{20,}", picture["label"])
        assert picture["told"], picture["label"]


def test_tab_reaches_source_runs_settings_and_chart(page: Page, server: str) -> None:
    """In the order in which they stand on the page."""
    page.goto(f"{server}/Loss_landscape?{TWO}")
    settled(page, charts=True)
    wanted = ["stTextInput", "stMultiSelect", "stSelectbox", "viz3d-panel"]
    for _ in range(80):
        if not wanted:
            break
        page.keyboard.press("Tab")
        if page.evaluate(
            "name => !!document.activeElement.closest(`[data-testid=${name}], .${name}`)", wanted[0]
        ):
            wanted.pop(0)
    assert not wanted
