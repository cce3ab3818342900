"""The W&B section of the export page: whose key, what is sent where, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from viz3d.export.wandb.outcome import WandbExport

Open = Callable[..., AppTest]
PAGE = "pages/7_Export.py"
KEY = "5ec2e7" * 7


def said(app: AppTest) -> str:
    """Return the words on the page."""
    parts = [*app.markdown, *app.info, *app.caption, *app.warning, *app.error, *app.code]
    return " ".join(str(part.value) for part in parts).replace("\\", "").replace("\u200b", "")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, no login, no settings of whoever runs the tests."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the page hands to the export, which is not carried out."""
    calls: list[dict[str, Any]] = []

    def export(charts: Any, runs: Any, settings: Any, **to: Any) -> WandbExport:
        calls.append({"kinds": [chart.kind for chart in charts], **to})
        logged = tuple(("3d/" + chart.kind.replace("-", "_"), 59) for chart in charts)
        done = WandbExport(to["mode"], to["project"], to["entity"], "abc", logged=logged)
        return WandbExport(
            **vars(done) | {"folder": "/there", "sync": "wandb sync /there"}
            if to["mode"] == "offline"
            else vars(done) | {"url": "https://wandb.ai/me/p/runs/abc", "new": True}
        )

    monkeypatch.setattr("viz3d.ui.wandb.export_charts", export)
    return calls


def press(app: AppTest) -> AppTest:
    """Press the button of the form."""
    [button] = [b for b in app.button if b.label == "Send to W&B"]
    return button.click().run()


def test_without_a_key_it_offers_the_folder_and_gives_the_line(open_page: Open, sent: list) -> None:
    """Kinds that the run cannot fill are left out with a word; the command can be copied."""
    app = open_page(PAGE, run=["sweep-0.001"])
    assert "There is no W&B key on this server" in said(app)
    app = press(app)
    assert not app.exception
    [call] = sent
    assert call["mode"] == "offline"
    assert call["kinds"] == ["loss-landscape", "gradient-flow"]
    assert "training-dynamics was left out" in said(app)
    assert "wandb sync /there" in [code.value for code in app.code]


def test_with_a_key_it_says_whose_and_links_to_the_run(
    open_page: Open, sent: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Project, entity and run id go where they were typed; the key is on no page."""
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    app = open_page(PAGE, run=["grpo"])
    assert "the key of whoever runs this app" in said(app)
    app.text_input(key="wandb-project").input(" mine ")
    app.text_input(key="wandb-id").input("abc")
    app = press(app)
    [call] = sent
    assert (call["mode"], call["project"], call["run_id"]) == ("online", "mine", "abc")
    assert app.get("link_button")[0].proto.url == "https://wandb.ai/me/p/runs/abc"
    assert "which is new" in said(app)
    assert KEY not in said(app)
    assert all(KEY not in str(field.value) for field in app.text_input)


def test_a_name_that_wandb_refuses_is_one_sentence(
    open_page: Open, sent: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is drawn or sent."""
    app = open_page(PAGE, run=["grpo"])
    app.text_input(key="wandb-project").input("a/b")
    app = press(app)
    assert "W&B takes no project 'a/b'" in said(app)
    assert sent == []


def test_no_chart_chosen_sends_none(open_page: Open, sent: list) -> None:
    """An empty choice is no choice of all."""
    app = open_page(PAGE, run=["sweep-0.001"])
    app.multiselect(key="wandb-kinds").set_value([])
    app = press(app)
    assert sent == []
    assert "Choose a chart to send" in said(app)


def test_settings_that_cannot_be_read_are_told_and_nothing_is_offered(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may switch the export off."""
    app = open_page(PAGE, run=["grpo"])
    (tmp_path / ".env").write_bytes(b"VIZ3D_SOURCE=\xff\n")
    monkeypatch.chdir(tmp_path)
    app = app.run()
    assert not app.exception
    assert ".env" in said(app)
    assert "Send to W&B" not in [button.label for button in app.button]


def test_whoever_runs_the_app_can_switch_it_off(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then there is no form, and the reason is said."""
    monkeypatch.setenv("WANDB_MODE", "disabled")
    app = open_page(PAGE, run=["grpo"])
    assert "switched off here by WANDB_MODE=disabled" in said(app)
    assert "Send to W&B" not in [button.label for button in app.button]
