"""States of the Hugging Face trainers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import hf_trainer

from .conftest import Reader, joined, said


def state(*losses: float) -> str:
    """Return a state with one row per loss, from step 1."""
    rows = [{"step": at, "loss": loss, "epoch": at / 10} for at, loss in enumerate(losses, 1)]
    return json.dumps({"max_steps": 9, "global_step": len(rows), "log_history": rows})


def test_training_and_evaluation_rows_are_joined(read: Reader) -> None:
    """The evaluation of a step stands in the row of that step; settings are the config."""
    document = json.loads(state(3.0, 2.0))
    document["log_history"].append({"step": 2, "eval_loss": 2.5, "epoch": 0.2})
    (parsed,) = read(hf_trainer, {"trainer_state.json": json.dumps(document)})
    history = joined(parsed).history
    assert history.index.tolist() == [1, 2]
    assert history["eval_loss"].loc[2] == 2.5
    assert dict(parsed.config) == {"max_steps": 9}


def test_the_newest_checkpoint_holds_the_history(read: Reader) -> None:
    """Of several checkpoints the last is read, by number and not by name, and that is told."""
    files = {
        f"out/checkpoint-{step}/trainer_state.json": state(*range(step)) for step in (5, 10, 9)
    }
    assert {hf_trainer.claim(name).run for name in files} == {"out"}  # type: ignore[union-attr]
    (parsed,) = read(hf_trainer, files)
    assert len(joined(parsed).history) == 10
    assert parsed.used == ("out/checkpoint-10/trainer_state.json",)
    assert "2 older states were not read" in said(parsed)


def test_a_broken_newest_checkpoint_falls_back_to_the_one_before(read: Reader) -> None:
    """A state that was cut while it was written does not cost the run."""
    files = {
        "checkpoint-2/trainer_state.json": state(1.0, 2.0),
        "checkpoint-4/trainer_state.json": state(1.0, 2.0, 3.0, 4.0)[:50],
    }
    (parsed,) = read(hf_trainer, files)
    assert len(joined(parsed).history) == 2


def test_a_state_is_as_old_as_the_step_it_tells(read: Reader) -> None:
    """That of the folder is left from before where a checkpoint goes further."""
    files = {
        "out/trainer_state.json": state(5.0, 4.0),
        "out/checkpoint-2/trainer_state.json": state(5.0, 4.0),
        "out/checkpoint-3/trainer_state.json": state(5.0, 4.0, 3.0),
    }
    (parsed,) = read(hf_trainer, files)
    assert parsed.used == ("out/checkpoint-3/trainer_state.json",)
    assert "2 older states were not read: the newest one holds the whole" in said(parsed)


def test_what_the_newest_state_does_not_hold_is_told(read: Reader) -> None:
    """A checkpoint of an earlier training that went further hides none of the present one."""
    files = {
        "out/checkpoint-2/trainer_state.json": state(9.0, 8.0),
        "out/checkpoint-1/trainer_state.json": state(5.0),
        "out/checkpoint-3/trainer_state.json": state(5.0, 4.0, 3.0),
        "out/trainer_state.json": state(9.0)[:50],
    }
    (parsed,) = read(hf_trainer, files)
    assert "out/trainer_state.json: The file was not read" in said(parsed)
    assert "1 older state was not read" in said(parsed)
    assert "2 values of older states (out/checkpoint-2/trainer_state.json) are not" in said(parsed)


@pytest.mark.parametrize("content", ["{}", "[1]", '{"log_history": 3}'])
def test_it_declines_with_a_reason(read: Reader, content: str) -> None:
    """A document without a log is declined in words."""
    with pytest.raises(NotMine, match="no log_history"):
        read(hf_trainer, {"trainer_state.json": content})


def test_real_fine_tuning(real_data: Path) -> None:
    """216 rows at 31 steps: 30 with a loss, and six evaluations at each step."""
    path = real_data / "hf-trainer" / "sft" / "trainer_state.json"
    (parsed,) = hf_trainer.read({"trainer_state.json": path})
    history = joined(parsed).history
    assert len(history) == 31
    assert history["loss"].count() == 30
    assert [history[f"eval_g{group}_loss"].count() for group in range(6)] == [31] * 6
    assert (history.index[0], history.index[-1]) == (0, 12030)


def test_real_grpo(real_data: Path) -> None:
    """250 rows of 13 metrics, the reward functions among them."""
    path = real_data / "hf-trainer" / "grpo-unsloth" / "trainer_state.json"
    (parsed,) = hf_trainer.read({"trainer_state.json": path})
    history = joined(parsed).history
    assert history.shape == (250, 13)
    assert history["reward"].iloc[-1] == 1.3333333730697632
    assert history["rewards/correctness_reward_func"].iloc[-1] == 1.0
    assert parsed.config["max_steps"] == 250
