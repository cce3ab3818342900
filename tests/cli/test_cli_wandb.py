"""`python -m viz3d wandb`: its defaults, its refusals, and what it prints."""

from __future__ import annotations

from typing import Any

import pytest

from viz3d.cli import main
from viz3d.export.wandb.outcome import WandbExport


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> list[dict[str, Any]]:
    """What the command hands to the export, which answers as told under ``"answer"``."""
    calls: list[dict[str, Any]] = []

    def export(charts: Any, runs: Any, settings: Any, **to: Any) -> WandbExport:
        calls.append({"kinds": [chart.kind for chart in charts], **to})
        failed = "W&B does not accept the key (401)." if to["run_id"] == "bad" else ""
        return WandbExport(
            "offline", "p", "", "abc", folder="/there", sync="wandb sync /there", failed=failed,
            logged=(("3d/loss_landscape", 299),),
        )  # fmt: skip

    monkeypatch.setattr("viz3d.export.wandb.send.export_charts", export)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return calls


def test_offline_prints_the_line_to_type(sent: list, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output the command alone; all kinds that the run can fill are sent."""
    assert main(["wandb", "grpo-addition", "--source", "sample", "--mode", "offline"]) == 0
    out, err = capsys.readouterr()
    assert out == "wandb sync /there\n"
    assert "3d/loss_landscape at step 299" in err
    [call] = sent
    assert {"loss-landscape", "reward-landscape", "training-dynamics"} <= set(call["kinds"])


def test_without_a_key_it_is_one_sentence(sent: list, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, before anything is read."""
    assert main(["wandb", "no-such-run", "--source", "sample"]) == 1
    assert "There is no W&B key here" in capsys.readouterr().err
    assert sent == []


def test_a_failure_is_exit_1_and_what_was_kept_is_told(
    sent: list, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cause, the folder and the line that sends it."""
    words = ["wandb", "grpo-addition", "--source", "sample", "--mode", "offline", "--id", "bad"]
    assert main([*words, "--kind", "loss-landscape", "--final"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "401" in err
    assert "Nothing is lost: send them with: wandb sync /there" in err
    [call] = sent
    assert (call["kinds"], call["final"]) == (["loss-landscape"], True)


def test_an_unknown_kind_is_wrong_usage(sent: list, capsys: pytest.CaptureFixture[str]) -> None:
    """The choices are named."""
    with pytest.raises(SystemExit) as stop:
        main(["wandb", "a", "--kind", "pie"])
    assert stop.value.code == 2
    assert "training-dynamics" in capsys.readouterr().err
