"""Links in a real browser: copied in one, opened in another, the same view."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE, ROOT, finished, visit
from tests.browser.test_app_browser import (
    address,
    choose,
    expect_in_address,
    go_to,
    scene,
    settings,
)

pytestmark = pytest.mark.browser

TURNED = {"x": 0.4126, "y": 2.1004, "z": -0.3}
RUNS = ["gpt-lr-0.003-seed-0", "gpt-lr-0.01-seed-0"]


@pytest.fixture
def visitors(page: Page, browser: Browser) -> Iterator[list[BrowserContext]]:
    """Two visitors: what one has in his storage, the other does not."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with visit(browser) as second:
        yield [page.context, second]


def copy(page: Page) -> str:
    """Press the button and return what the clipboard holds then."""
    finished(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    link: str = page.evaluate("navigator.clipboard.readText()")
    return link


def turn(page: Page, eye: dict[str, float], which: int = 0) -> None:
    page.locator(".viz3d-scene[aria-busy=false]").nth(which).evaluate(
        "(div, eye) => Plotly.relayout(div, {'scene.camera.eye': eye})", eye
    )


def eyes(page: Page) -> list[dict[str, float]]:
    found: list[dict[str, float]] = page.evaluate(
        "[...document.querySelectorAll('.viz3d-scene[aria-busy=false]')]"
        ".map(div => div.layout.scene.camera.eye)"
    )
    return found


def test_copied_link_restores_the_view_and_its_camera(
    visitors: list[BrowserContext], server: str
) -> None:
    """Runs, a role, settings and the camera; a later turn is not undone by a reload."""
    page = visitors[0].new_page()
    page.goto(f"{server}/Loss_landscape?run={RUNS[0]}&run={RUNS[1]}&role.loss=val_loss")
    scene(page)
    choose(page, "Learning rate axis", "Rate at that step")
    expect_in_address(page, "rate")
    turn(page, TURNED)
    link = copy(page)
    assert len(link) < 2000
    assert parse_qs(urlsplit(link).query)["cam"][0].startswith("loss-landscape*413_2100_-300")

    other = visitors[1].new_page()
    other.goto(link)
    finished(other)
    assert settings(other) == settings(page)
    assert eyes(other) == [pytest.approx(TURNED, abs=1e-3)]
    found = address(other)
    assert found["run"] == RUNS
    assert found["role.loss"] == ["val_loss"]
    assert not {"cam", "data"} & set(found)
    assert other.get_by_text("link was made").count() == 0
    turn(other, {"x": 1.0, "y": 1.0, "z": 1.0})
    other.reload()
    scene(other)
    assert eyes(other) == [pytest.approx({"x": 1.0, "y": 1.0, "z": 1.0})]


def test_link_carries_the_cameras_of_its_page_alone(
    visitors: list[BrowserContext], server: str
) -> None:
    """On Compare all panels turn together and share one camera in the link."""
    page = visitors[0].new_page()
    runs = "&".join(f"run={name}" for name in [*RUNS, "gpt-lr-0.03-seed-0"])
    page.goto(f"{server}/Gradient_flow?{runs}")
    scene(page)
    turn(page, {"x": 1.0, "y": 2.0, "z": 3.0})
    go_to(page, "Compare")
    choose(page, "Chart", "Gradient flow")
    # Those of the chart before have to be gone, too.
    three = """((scenes) => scenes.length === 3 && scenes.every((div) => div.ariaBusy === 'false'
        && div.viz3dKey.startsWith('gradient-flow-')))(
        [...document.querySelectorAll('.viz3d-scene')])"""
    page.wait_for_function(three)
    turn(page, TURNED, 1)
    page.wait_for_function(
        "[0, 1, 2].every((i) => window.viz3d.cameras.has(`gradient-flow-${i}/scene`))"
    )
    link = copy(page)
    [cameras] = parse_qs(urlsplit(link).query)["cam"]
    panels = "gradient-flow-0*gradient-flow-1*gradient-flow-2"
    assert cameras.startswith(f"{panels}*413_2100_-300")
    assert "~" not in cameras
    other = visitors[1].new_page()
    other.goto(link)
    other.wait_for_function(three)
    assert eyes(other) == 3 * [pytest.approx(TURNED, abs=1e-3)]


def test_link_restores_cameras_that_are_not_linked(
    visitors: list[BrowserContext], server: str
) -> None:
    """Each panel stands where it stood, the switch is off, and turning one leaves the other."""
    page = visitors[0].new_page()
    page.goto(f"{server}/Compare?kind=Gradient+flow&run={RUNS[0]}&run={RUNS[1]}")
    two = "document.querySelectorAll('.viz3d-scene[aria-busy=false]').length >= 2"
    page.wait_for_function(two)
    page.get_by_role("switch", name="Link cameras").uncheck()
    turn(page, TURNED, 0)
    turn(page, {"x": -1.0, "y": 1.5, "z": 0.5}, 1)
    link = copy(page)
    [cameras] = parse_qs(urlsplit(link).query)["cam"]
    assert cameras.startswith("apart~")

    other = visitors[1].new_page()
    other.goto(link)
    other.wait_for_function(two)
    expect(other.get_by_role("switch", name="Link cameras")).not_to_be_checked()
    second = pytest.approx({"x": -1.0, "y": 1.5, "z": 0.5}, abs=1e-3)
    assert eyes(other)[:2] == [pytest.approx(TURNED, abs=1e-3), second]
    turn(other, {"x": 1.0, "y": 1.0, "z": 1.0}, 0)
    assert eyes(other)[1] == second


def test_data_that_grew_since_is_told(
    visitors: list[BrowserContext], server: str, tmp_path: Path
) -> None:
    """The run of a folder that grew is named with how much it grew."""
    name = "训练-" * 30
    write(tmp_path / name, 40)
    page = visitors[0].new_page()
    page.goto(f"{server}/Training_dynamics?source={quote(str(tmp_path))}")
    scene(page)
    link = copy(page)
    assert parse_qs(urlsplit(link).query)["run"][0].startswith("~")
    write(tmp_path / name, 1240)
    other = visitors[1].new_page()
    other.goto(link)
    scene(other)
    words = "grew: 1,200 more steps since the link was made (now 1,240; last step then 39)."
    # The listing of a moment ago is believed for a while; then the page says so by itself.
    expect(other.get_by_text(words)).to_be_visible(timeout=PATIENCE * 1000)
    assert address(other)["run"] == [name]


def write(folder: Path, rows: int) -> None:
    folder.mkdir(exist_ok=True)
    lines = [{"step": i, "loss": 3 - i % 5, "kl": i * i % 7, "lr": 0.1} for i in range(rows)]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n", "utf-8")


def test_without_a_clipboard_the_link_can_be_taken_from_a_field(page: Page, server: str) -> None:
    """No clipboard over plain HTTP: the link stands selected in a field, reached by keyboard."""
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto(f"{server}/?run={RUNS[0]}")
    finished(page)
    button = page.get_by_role("button", name="Copy link")
    button.focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("Link to this view")
    expect(field).to_be_focused()
    link = field.input_value()
    assert link.startswith(f"{server}/?run={RUNS[0]}&data=")
    assert field.evaluate("field => field.selectionEnd - field.selectionStart") == len(link)


def test_junk_for_a_camera_is_ignored(page: Page, server: str) -> None:
    """The scene stands as the chart has it, and no script fails."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    junk = "~*~loss-landscape*NaN_1_2~__proto__*1_2_3~loss-landscape*0_0_0~x"
    page.goto(f"{server}/Loss_landscape?run={RUNS[0]}&run={RUNS[1]}&cam={junk}&data={junk}")
    home = scene(page).evaluate("div => div.viz3dHome.scene.eye")
    assert eyes(page) == [home]
    assert "cam" not in address(page)
    assert errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_button_reads_well(page: Page, server: str, scheme: Any) -> None:
    """Its text stands out from its ground as WCAG's level AA asks for."""
    page.emulate_media(color_scheme=scheme)
    page.goto(server)
    button = page.get_by_role("button", name="Copy link")
    button.wait_for()
    text, ground = button.evaluate(
        """button => ['color', 'backgroundColor'].map(part => getComputedStyle(button)[part]
            .match(/[\\d.]+/g).map(Number))"""
    )
    assert len(ground) == 3, "a ground that hides what is behind it"
    assert contrast(text, ground) >= 4.5


def contrast(one: list[float], other: list[float]) -> float:
    """Return the contrast ratio of two sRGB colours, after WCAG 2."""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: list[float]) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# --- the script alone, without the app around it ---


@pytest.fixture
def script(page: Page) -> Page:
    """A blank page that has the functions of the script as `window.link`."""
    source = (ROOT / "viz3d/ui/link.js").read_text("utf-8")
    page.goto("about:blank")
    page.evaluate(
        """async source => {
            window.link = await import('data:text/javascript,' + encodeURIComponent(source));
        }""",
        source,
    )
    return page


def compose(script: Page, choices: dict[str, str], runs: list[str], cameras: Any) -> dict[str, str]:
    """Make the link of a comparison with these choices, as the page does."""
    from viz3d.ui.link_text import State, brief, encode

    made: dict[str, str] = script.evaluate(
        "([href, data, cameras]) => link.compose(href, data, cameras)",
        [
            "http://viz3d.a-department.example.com:8501/Compare?"
            + "&".join(f"{quote(key)}={quote(value)}" for key, value in choices.items()),
            {
                "runs": runs,
                "state": encode(State("0123456789ab", 9_999_999, 9_999_999) for _ in runs),
                "digests": [[name, brief(name)] for name in runs],
            },
            cameras,
        ],
    )
    return made


CHOICES = {
    "source": "gs://a-bucket-of-some-team/and/a/prefix/of/sixty/characters/",
    "role.loss": "validation/cross_entropy/mean",
    "role.learning_rate": "optimizer/param_group_0/lr",
    "role.grad_norm": "optimizer/global_grad_norm",
    "role.reward": "environment/episode_reward_mean",
    "kind": "Reward landscape",
    "by": "optimizer.learning_rate_schedule",
    "flat": "false",
}
NAMES = {
    "plain": "a-run_of.some/model-size-and-date-2025-10-23T14:30:22-seed-0",
    "chinese": "训练" * 30,
    "emoji": "🦙" * 60,
    "hostile": "<&=+%#?'\"()!*~[]{}|\\^` >" * 3,
    "very long": "x" * 5000,
}


def cameras(distinct: int) -> list[Any]:
    """Return eight panels, panned and turned, of which so many differ."""
    return [
        [
            f"training-dynamics-{i}/scene",
            {
                "eye": {"x": -1.23456 - i % distinct, "y": -1.5, "z": 1.75},
                "center": {"x": -0.123, "y": -0.2222, "z": -0.3},
                "up": {"x": 0, "y": 0, "z": 1},
                "projection": {"type": "perspective"},
            },
        ]
        for i in range(8)
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("distinct", [1, 8])
def test_eight_runs_fit_into_a_link(script: Page, name: str, distinct: int) -> None:
    """Under 2,000 characters with everything in it, whatever the names are made of."""
    runs = [NAMES[name][:-1] + str(i) for i in range(8)]
    made = compose(script, CHOICES, runs, cameras(distinct))
    assert len(made["link"]) < 2000
    assert made["remark"] == ""
    found = parse_qs(urlsplit(made["link"]).query)
    assert {key: values[0] for key, values in found.items()}.items() >= CHOICES.items()
    assert len(found["data"][0].split("_")) == 8
    assert len(found["cam"][0].split("~")) == distinct
    if name == "plain":
        assert len(runs[0]) == 60
        assert found["run"] == runs
    else:
        assert all(value.startswith("~") and len(value) == 13 for value in found["run"])


def test_many_runs_go_by_digest_before_anything_is_left_out(script: Page) -> None:
    """Twenty ordinary names do not fit; their digests and the cameras do."""
    runs = [NAMES["plain"][:-2] + f"{i:02}" for i in range(20)]
    made = compose(script, CHOICES, runs, cameras(1))
    assert len(made["link"]) < 2000
    assert "&run=~" in made["link"]
    assert "&cam=" in made["link"]


def test_link_that_cannot_be_short_says_so(script: Page) -> None:
    """First the cameras go; what is too long all the same is told with its length."""
    runs = [f"run-{i}" for i in range(200)]
    made = compose(script, CHOICES, runs, cameras(1))
    assert "&cam=" not in made["link"]
    assert made["remark"].startswith("The cameras were left out. It is ")


def test_cameras_come_back_to_three_decimals(script: Page) -> None:
    """What is written is read again, pan and roll included; what is no camera is dropped."""
    sent = [
        *cameras(8),
        ["a/scene2", {"eye": {"x": 1, "y": 2, "z": 3}, "up": {"x": 0.5, "y": 0, "z": -0.5}}],
    ]
    back = script.evaluate("sent => [...link.decodeCameras(link.encodeCameras(sent))]", sent)
    assert [chart for chart, _ in back] == [chart for chart, _ in sent]
    for (_, before), (_, after) in zip(sent, back, strict=True):
        for part, axes in before.items():
            if part != "projection":
                assert after[part] == pytest.approx(axes, abs=5.01e-4)
    broken = [["a/scene", {"eye": {"x": eye, "y": 1, "z": 1}}] for eye in (1e9, "x")]
    broken += [["a/scene", {}], ["<b>/scene", sent[0][1]]]
    assert script.evaluate("broken => link.encodeCameras(broken)", broken) == ""


@pytest.mark.parametrize(
    "junk",
    [
        "", "~", "*", "~*~*", "a", "a*", "*1_2_3", "a*1_2", "a*1_2_3_4_5_6_7_8_9_10", "a*NaN_1_2",
        "a*Infinity_1_2", "a*1e400_1_2", "a*1e3_1_2", "a*0_0_0", "a*100_0_0_100_0_0",
        "a*1000_1_1_0_0_0_0_0_0", "a*9999999_1_1", "a*1.5_1_2", "a*١_٢_٣", "a/b*1000_1_1",
        "a/scene/scene*1000_1_1", "<b>*1000_1_1", "\x00*1000_1_1", "x" * 100_000, "*" * 100_000,
        "~" * 100_000, "_" * 100_000,
    ],
)  # fmt: skip
def test_junk_is_no_camera(script: Page, junk: str) -> None:
    """Whatever is not a chart with three to nine sound numbers is ignored without a word."""
    assert script.evaluate("junk => [...link.decodeCameras(junk)]", junk) == []


def test_prototype_is_not_touched(script: Page) -> None:
    """A chart may have any name: names are kept in a map and are never keys of an object."""
    found = script.evaluate("junk => [...link.decodeCameras(junk)].length", "__proto__*1000_1_1")
    assert found == 1
    assert script.evaluate("({}).scene === undefined && ({}).eye === undefined")
