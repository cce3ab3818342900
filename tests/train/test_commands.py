"""viz3d.train.chat_rl and chat_sft: the record, the charts on the way, and where they go."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.export.wandb_charts import KEY
from tests.export.wandb_log import config, history
from viz3d.train import chat_rl, chat_sft

SIZE = ["depth=1", "width=8", "heads=2", "batch=8"]
SFT = [f"--{word}" for word in [*SIZE, "steps=23", "warmup=5", "learning_rate=0.01"]]
RL = [f"--start_{word}" for word in [*SIZE, "steps=2", "warmup=1"]]
RL += ["--steps", "23", "--prompts", "8", "--group", "4"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, without a key, a login or a browser."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("BROWSER_PATH", "none")
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT", "WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def rows(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def pages(run: Path) -> set[str]:
    """Return the charts that were saved, each a page that is whole."""
    found = list(run.rglob("*.html"))
    assert all(page.read_text("utf-8").rstrip().endswith("</html>") for page in found)
    return {page.relative_to(run / "charts").as_posix().removesuffix(".html") for page in found}


def counted(out: str) -> list[str]:
    """Return what was said of charts, in order."""
    return re.findall(r"^(?:Generating|Logged|Saved) .*", out, re.MULTILINE)


def test_the_rl_trainer_logs_rows_and_four_charts_to_wandb(place, monkeypatch, capfd):
    """At step 12 under ``3d/``, at the end under ``final/3d/``, with all that was recorded."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    chat_rl.main(["--run=demo", "--eval_every=12", *RL])
    out = capfd.readouterr().out
    logged = "Logged 4 3D visualizations to W&B"
    begun = [f"Generating 3D visualizations at step {step}..." for step in (12, 22)]
    assert counted(out) == [begun[0], logged, begun[1], logged]
    assert pages(place / "runs" / "demo") == set()
    [log] = place.rglob("*.wandb")
    assert f"wandb sync {log.parent}" in out
    sent = history(log)
    recorded = rows(place / "runs" / "demo")
    assert [row["_step"] for row in sent] == [row["step"] for row in recorded] == list(range(23))
    for ours, theirs in zip(recorded, sent, strict=True):
        assert theirs["loss"] == ours["loss"]
        assert theirs["reward"] == ours["reward"]
    kinds = {"loss_landscape", "gradient_flow", "reward_landscape", "training_dynamics"}
    figure_key = re.compile(r"(final/)?3d/[a-z_]+(?<!_html)")
    figures = {
        row["viz3d/step"]: {key for key in row if figure_key.fullmatch(key)}
        for row in sent if "viz3d/step" in row
    }  # fmt: skip
    assert figures == {
        12: {f"3d/{kind}" for kind in kinds},
        22: {f"final/3d/{kind}" for kind in kinds},
    }
    assert {f"final/3d/{kind}_html" for kind in kinds} < set(sent[22])
    assert not any(key.endswith("_html") for key in sent[12])
    assert config(log)["group"] == 4
    # The chart of step 12 shows what was recorded by then, not what came meanwhile.
    figure = json.loads((log.parent / "files" / sent[12]["3d/gradient_flow"]["path"]).read_text())
    assert max(max(trace["x"]) for trace in figure["data"] if trace["type"] == "surface") == 12


def test_without_a_key_the_sft_trainer_saves_three_charts(place, capfd, caplog):
    """A warning that says what to do; then the record, and pages beside it."""
    chat_sft.main(["--run", "show", "--eval_every", "12", *SFT])
    out, err = capfd.readouterr()
    run = Path("runs", "show")
    assert counted(out) == [
        "Generating 3D visualizations at step 12...",
        f"Saved 3 3D visualizations to {run / 'charts' / '3d'}",
        "Generating 3D visualizations at step 22...",
        f"Saved 3 3D visualizations to {run / 'charts' / 'final' / '3d'}",
    ]
    assert "WANDB_API_KEY" in caplog.text
    kinds = ("loss_landscape", "gradient_flow", "training_dynamics")
    assert pages(run) == {f"{at}/{kind}" for at in ("3d", "final/3d") for kind in kinds}
    assert err.count("reward-landscape was left out") == 1
    assert len(rows(run)) == 23
    about = json.loads((run / "run.json").read_text())
    assert about["status"] == "finished"
    assert about["config"]["command"].startswith("python -m viz3d.train.chat_sft --run show")


def test_a_dead_address_is_a_warning_and_a_short_wait(place, monkeypatch, capfd):
    """The cause in a sentence, the key in none, and the charts beside the record."""
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("VIZ3D_PATIENCE", "0.1")
    chat_sft.main(["--run=dead", "--eval_every=99", *SFT])
    out, err = capfd.readouterr()
    assert "cannot be reached" in err or "in time" in err
    assert KEY not in out + err
    assert counted(out)[1].startswith("Saved 3 ")
    assert len(pages(place / "runs" / "dead")) == 3
    assert len(rows(place / "runs" / "dead")) == 23
    assert list(place.rglob("*.wandb")) == []


def test_a_dummy_run_logs_nothing_to_wandb(place, monkeypatch, capfd):
    """Not even where it could; and a run of that name is left as it is."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    (place / "runs" / "dummy").mkdir(parents=True)
    chat_sft.main(["--eval_every=99", *SFT])
    out, err = capfd.readouterr()
    assert list(place.rglob("*.wandb")) == []
    assert "W&B" not in out + err
    assert counted(out)[1].startswith("Saved 3 ")
    assert len(rows(place / "runs" / "dummy-2")) == 23
    assert list((place / "runs" / "dummy").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--runs=a"], "there is no argument '--runs=a'"),
        (["--eval=3"], "there is no argument '--eval=3'"),
        (["--run=../a"], "'../a' cannot be the name of a folder"),
        (["--eval_every=0"], "'0' is not a whole number from 1 on"),
        (["--learning_rate=nan"], "'nan' is not a number from 0 on"),
        (["--width=10", "--heads=3"], "a width of 10 cannot be shared by 3 heads"),
    ],
)
def test_wrong_usage_is_one_sentence(place, capsys, words, said):
    """Exit 2, and nothing is begun."""
    with pytest.raises(SystemExit) as stop:
        chat_sft.main(words)
    assert stop.value.code == 2
    assert said in capsys.readouterr().err
    assert list(place.iterdir()) == []


def test_an_output_that_cannot_be_written_is_said_before_the_training(place, capsys):
    """And nothing is said to be recorded."""
    (place / "taken").touch()
    with pytest.raises(SystemExit, match=r"taken.dummy cannot be made \([A-Za-z ]+\); .*--output"):
        chat_sft.main(["--steps=2", "--output", str(place / "taken")])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("trainer", [chat_rl, chat_sft])
def test_help_names_the_command_of_the_guide(capsys, trainer):
    """And every option with its default."""
    with pytest.raises(SystemExit) as stop:
        trainer.main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert "--run=my_3d_" in out
    assert "--eval_every" in out
