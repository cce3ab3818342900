"""viz3d.HuggingFaceCallback in the real Trainer of transformers."""

from __future__ import annotations

import gc
import logging
import math

import pytest
import transformers
from transformers import Trainer, TrainerCallback, TrainingArguments

import viz3d
from tests.record.frameworks.tiny import QUIET, language_model, tokens

LAYERS = ["model.embed_tokens", "model.layers.0", "model.layers.1", "model.norm", "lm_head"]


@pytest.fixture
def make():
    """Build a Trainer of a tiny model on made-up text; dropped at the end, callbacks too."""

    def trainer(*callbacks, **settings):
        transformers.set_seed(0)
        settings = QUIET | {
            "output_dir": "out/first", "max_steps": 20, "logging_steps": 5,
            "per_device_train_batch_size": 4,
        } | settings  # fmt: skip
        return Trainer(
            model=language_model(), args=TrainingArguments(**settings), train_dataset=tokens(),
            eval_dataset=tokens(8), callbacks=list(callbacks),
        )  # fmt: skip

    return trainer


class _StopAt(TrainerCallback):
    """Raise out of the loop once a step is counted."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.step:
            raise MemoryError("the machine is full")


def test_the_rows_of_the_trainer_are_recorded_at_its_steps(make, rows, about):
    """Loss, norm, rate, tokens and evaluation, as the Trainer's own history has them."""
    trainer = make(
        viz3d.HuggingFaceCallback(config={"note": "tiny"}, tags=["small"]),
        eval_strategy="steps", eval_steps=10, include_num_input_tokens_seen="all",
    )  # fmt: skip
    trainer.train()
    recorded = [
        {k: v for k, v in row.items() if k != "time"} for row in rows("runs/first/metrics.jsonl")
    ]
    assert recorded == trainer.state.log_history
    assert [row["step"] for row in recorded if "loss" in row] == [5, 10, 15, 20]
    said = about("runs/first")
    assert (said["status"], said["tags"]) == ("finished", ["small"])
    config = said["config"]
    assert (config["learning_rate"], config["note"]) == (1e-2, "tiny")
    assert config["model"]["hidden_size"] == 8
    assert "hub_token" not in config
    run = viz3d.load_run(viz3d.open_source("runs"), "first")
    wanted = {
        "loss": "loss", "val_loss": "eval_loss", "learning_rate": "learning_rate",
        "grad_norm": "grad_norm", "tokens": "num_input_tokens_seen", "epoch": "epoch",
    }  # fmt: skip
    assert wanted.items() <= run.roles.items()
    trainer.evaluate()  # by hand, afterwards
    assert "eval_loss" in rows("runs/first/metrics.jsonl")[-1]
    assert about("runs/first")["status"] == "finished"


@pytest.mark.parametrize("limit", [0.0, 0.05, 1000.0])
def test_the_norms_of_layers_are_those_before_clipping(make, rows, limit):
    """Their root of squares is the norm that the Trainer measured before it clipped, each time."""
    hook = viz3d.HuggingFaceCallback("runs/clipped", layers_every=2)
    trainer = make(hook, max_grad_norm=limit, logging_steps=2, gradient_accumulation_steps=2)
    trainer.train()
    whole = {
        row["step"]: row["grad_norm"] for row in rows("runs/clipped/metrics.jsonl") if "loss" in row
    }
    assert min(whole.values()) > 0.05
    layers = rows("runs/clipped/layers.jsonl")
    assert [row["name"] for row in layers] == LAYERS * 10
    for step, norm in whole.items():
        parts = [row["grad_norm"] for row in layers if row["step"] == step]
        assert math.hypot(*parts) == pytest.approx(norm, rel=1e-4)
    assert all("update_ratio" in row for row in layers if row["step"] > 2)
    assert hook.recorder.failures == hook.trouble.count == 0
    run = viz3d.load_run(viz3d.open_source("runs"), "clipped")
    assert run.problems == ()
    assert viz3d.gradient_flow(run).data


def test_layers_meet_the_steps_that_are_logged(make, rows):
    """Every 4th step and every 6th logged: the norm before clipping is known each 12th."""
    make(viz3d.HuggingFaceCallback(layers_every=4), logging_steps=6, max_steps=25).train()
    layers = rows("runs/first/layers.jsonl")
    assert {row["step"] for row in layers} == {12, 24}
    assert all("grad_norm" in row for row in layers)


def test_a_norm_that_was_clipped_by_an_unknown_factor_is_called_that(make, rows):
    """Where only the ends of epochs are logged, the factor in between is not known."""
    make(viz3d.HuggingFaceCallback(layers_every=8), logging_strategy="epoch", max_steps=24).train()
    layers = rows("runs/first/layers.jsonl")
    assert [row["step"] for row in layers if "clipped_grad_norm" in row] == [8] * 5
    assert [row["step"] for row in layers if "grad_norm" in row] == [16] * 5 + [24] * 5  # the ends


def test_layers_of_the_last_step_are_recorded_where_nothing_is_logged(make, rows):
    """No row comes after them; their norm stays that after clipping."""
    make(viz3d.HuggingFaceCallback(layers_every=8), logging_strategy="no", max_steps=8).train()
    layers = rows("runs/first/layers.jsonl")
    assert [row["step"] for row in layers if "clipped_grad_norm" in row] == [8] * 5


def test_what_was_infinite_leaves_no_norm_of_the_others():
    """Clipping by an infinite norm makes zeros: what was there before cannot be told."""
    from viz3d.record.huggingface import unclipped

    assert unclipped({"grad_norm": 0.0, "weight_norm": 2.0}, math.inf, 1.0) == {"weight_norm": 2.0}
    assert math.isnan(unclipped({"grad_norm": math.nan}, math.inf, 1.0)["grad_norm"])


def test_a_run_that_raises_is_failed_and_goes_on_when_resumed(make, rows, about):
    """Transformers tells of no exception: the run is noted as failed when its callback goes."""
    trainer = make(viz3d.HuggingFaceCallback(), _StopAt(13), save_strategy="steps", save_steps=10)
    with pytest.raises(MemoryError):
        trainer.train()
    assert about("runs/first")["status"] == "running"
    del trainer
    gc.collect()
    assert about("runs/first")["status"] == "failed"
    make(viz3d.HuggingFaceCallback()).train(resume_from_checkpoint="out/first/checkpoint-10")
    assert about("runs/first")["status"] == "finished"
    assert len(about("runs/first")["attempts"]) == 2
    steps = [row["step"] for row in rows("runs/first/metrics.jsonl") if "loss" in row]
    assert steps == [5, 10, 15, 20]


def test_the_same_trainer_may_train_again(make, about):
    """An attempt that raised has failed when the next one begins, and that one finishes."""
    hook = viz3d.HuggingFaceCallback()
    stop = _StopAt(3)
    trainer = make(hook, stop)
    with pytest.raises(MemoryError):
        trainer.train()
    stop.step = None
    trainer.train()
    assert hook.recorder.failures == 0  # nobody else holds the folder
    assert about("runs/first")["status"] == "finished"
    assert len(about("runs/first")["attempts"]) == 2


@pytest.mark.parametrize("path", [None, "kept/search"])
def test_each_trial_of_a_search_is_a_run(make, rows, path):
    """Their steps all begin at 0: in one folder they would stand for restarts of one run."""
    trainer = make(viz3d.HuggingFaceCallback(path), max_steps=5)
    for trial in ({"learning_rate": 1e-3}, {"learning_rate": 1e-4}):
        trainer.train(trial=trial)
    for number in (1, 2):
        steps = [
            row["step"] for row in rows(f"{path or 'runs/first'}-trial-{number}/metrics.jsonl")
        ]
        assert steps[0] == 5
        assert len(set(steps)) == 1


def test_only_the_first_process_records(make, tmp_path, monkeypatch):
    """Others make no folder, whatever the environment says."""
    hook = viz3d.HuggingFaceCallback()
    trainer = make(hook)
    monkeypatch.setattr(trainer, "is_world_process_zero", lambda: False)
    trainer.train()
    assert hook.recorder is None
    assert not (tmp_path / "runs").exists()


def test_nothing_is_raised_into_training(make, tmp_path, caplog):
    """No folder, layers that cannot be read: training goes on."""
    (tmp_path / "taken").write_text("a file", "utf-8")
    hook = viz3d.HuggingFaceCallback("taken/run", layers_every=0)
    trainer = make(hook)
    with caplog.at_level(logging.WARNING):
        trainer.train()
    assert trainer.state.global_step == 20
    assert hook.recorder.failures > 0
    assert hook.trouble.count == 1
    assert "every is 0; it has to be 1 step or more" in caplog.text


def test_it_is_a_callback_that_names_itself():
    """One class, a TrainerCallback, that can be pickled by its name."""
    import pickle

    assert issubclass(viz3d.HuggingFaceCallback, TrainerCallback)
    assert pickle.loads(pickle.dumps(viz3d.HuggingFaceCallback)) is viz3d.HuggingFaceCallback
    with pytest.raises(AttributeError, match="has no attribute 'Callback'"):
        _ = viz3d.record.huggingface.Callback


@pytest.mark.parametrize(("said", "name"), [(".", "here"), ("..", "above"), ("/", "run")])
def test_a_folder_without_a_name_of_its_own_makes_no_run_beside_runs(
    make, tmp_path, monkeypatch, said, name
):
    """The record has a folder of its own among the runs."""
    (tmp_path / "above/here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "above/here")
    callback = viz3d.HuggingFaceCallback()
    make(callback, run_name=said, max_steps=1).train()
    assert callback.recorder.path.as_posix() == f"runs/{name}"
