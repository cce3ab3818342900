"""viz3d.LightningCallback in the real Trainer of Lightning, under both of its names."""

from __future__ import annotations

import logging
import math
from importlib import import_module

import lightning.pytorch as lightning
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from torch import nn

import viz3d
from tests.record.models import Block
from viz3d.errors import BadArgument


class _Steps:
    """What the modules of this file do; mixed into the LightningModule of either package."""

    def __init__(self, rate=0.05, fail_at=None):
        super().__init__()
        self.save_hyperparameters()
        self.fail_at = fail_at
        self.blocks = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(4, 1)
        self.norms = {}  # of the whole gradient before clipping, by the step that it leads to

    def forward(self, x):
        for block in self.blocks:
            x = x + block.mlp(block.attn(x))
        return self.head(x).square().mean()

    def training_step(self, batch, batch_idx):
        if batch_idx == self.fail_at:
            raise MemoryError("the machine is full")
        loss = self(batch)
        self.log("train_loss", loss, on_epoch=True, on_step=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self(batch), on_epoch=True, on_step=True)

    def test_step(self, batch, batch_idx):
        self.log("test_loss", self(batch), on_epoch=True, on_step=True)

    def on_before_optimizer_step(self, optimizer):
        parts = [p.grad.norm().item() for p in self.parameters() if p.grad is not None]
        self.norms[self.global_step + 1] = math.hypot(*parts)

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), self.hparams.rate)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)]  # per epoch


class _Module(_Steps, lightning.LightningModule):
    """The module, of ``lightning.pytorch``."""


class _Pair(lightning.LightningModule):
    """Two optimisers that take turns in each batch."""

    automatic_optimization = False

    def __init__(self):
        super().__init__()
        self.maker, self.judge = nn.Linear(4, 4), nn.Linear(4, 1)
        self.norms = {}

    def training_step(self, batch, batch_idx):
        for part, optimizer in zip((self.maker, self.judge), self.optimizers(), strict=True):
            self.zero_grad()
            self.manual_backward(self.judge(self.maker(batch)).square().mean())
            parts = [weight.grad.norm().item() for weight in part.parameters()]
            self.norms[self.global_step + 1] = math.hypot(*parts)
            optimizer.step()

    def configure_optimizers(self):
        return [torch.optim.SGD(part.parameters(), 0.01) for part in (self.maker, self.judge)]


@pytest.fixture
def fit():
    """Train a module on made-up vectors: 8 batches an epoch, 2 epochs."""

    def run(module, *callbacks, package=lightning, resume=None, **settings):
        package.seed_everything(0, verbose=False)
        data = torch.utils.data.DataLoader(torch.randn(16, 4), batch_size=2)
        held = torch.utils.data.DataLoader(torch.randn(8, 4), batch_size=2)
        settings = {
            "max_epochs": 2, "log_every_n_steps": 2, "accelerator": "cpu", "logger": False,
            "enable_progress_bar": False, "enable_model_summary": False,
            "enable_checkpointing": False,
        } | settings  # fmt: skip
        trainer = package.Trainer(callbacks=list(callbacks), **settings)
        trainer.fit(module, data, held, ckpt_path=resume)
        return trainer

    return run


@pytest.mark.parametrize("name", ["lightning.pytorch", "pytorch_lightning"])
def test_what_a_module_logs_is_recorded_at_its_steps(fit, rows, about, name):
    """Training, epochs and validation at the count of optimiser steps; with the app's roles."""
    package = import_module(name)
    assert issubclass(viz3d.LightningCallback, package.Callback)
    module = type("Own", (_Steps, package.LightningModule), {})()
    hook = viz3d.LightningCallback("runs/first", config={"note": "tiny"}, tags=["small"])
    fit(module, hook, package=package)
    recorded = rows("runs/first/metrics.jsonl")
    assert [row["step"] for row in recorded if "train_loss_step" in row] == [
        2,
        4,
        6,
        8,
        10,
        12,
        14,
        16,
    ]
    assert [row["step"] for row in recorded if "train_loss_epoch" in row] == [8, 16]
    assert [row["step"] for row in recorded if "val_loss_epoch" in row] == [8, 16]
    assert not any("val_loss_step" in row for row in recorded)
    rates = {row["step"]: row["learning_rate"] for row in recorded if "learning_rate" in row}
    assert rates == dict.fromkeys([2, 4, 6, 8], 0.05) | dict.fromkeys([10, 12, 14, 16], 0.025)
    said = about("runs/first")
    assert (said["status"], said["tags"]) == ("finished", ["small"])
    assert (said["config"]["rate"], said["config"]["note"]) == (0.05, "tiny")
    assert said["config"]["trainer"]["max_epochs"] == 2
    run = viz3d.load_run(viz3d.open_source("runs"), "first")
    wanted = {"loss": "train_loss_step", "val_loss": "val_loss_epoch", "epoch": "epoch",
              "learning_rate": "learning_rate"}  # fmt: skip
    assert wanted.items() <= run.roles.items()
    assert run.problems == ()
    assert hook.recorder.failures == hook.trouble.count == 0


def test_layers_are_read_before_clipping_and_once_a_step(fit, rows):
    """Their root of squares is the whole gradient's norm; the ratio is that of the step before."""
    module = _Module()
    hook = viz3d.LightningCallback("runs/first", layers_every=2)
    fit(module, hook, accumulate_grad_batches=2, gradient_clip_val=1e-3)
    layers = rows("runs/first/layers.jsonl")
    assert sorted(module.norms) == list(range(1, 9))
    assert min(module.norms.values()) > 1e-3
    for step, norm in module.norms.items():
        parts = [row["grad_norm"] for row in layers if row["step"] == step]
        assert math.hypot(*parts) == pytest.approx(norm if step % 2 == 0 else 0.0)
    head = {row["step"]: row for row in layers if row["name"] == "head"}
    assert sorted(head) == [2, 4, 6, 8]
    moved = [math.hypot(*(row["update_ratio"] * row["weight_norm"] for row in layers
                          if row["step"] == step)) for step in (2, 4, 6, 8)]  # fmt: skip
    # Of steps 1, 3, 5 and 7, clipped to 1e-3, at the rates of their epochs.
    assert moved == pytest.approx([5e-5, 5e-5, 2.5e-5, 2.5e-5], rel=1e-2)
    assert viz3d.gradient_flow(viz3d.load_run(viz3d.open_source("runs"), "first")).data
    assert hook.recorder.failures == hook.trouble.count == 0


def test_the_steps_of_two_optimisers_are_counted_apart(fit, rows):
    """Each has its steps, at which the layers are read: the odd ones of one, the even of the other.

    No rate is recorded, as there are two.
    """
    module = _Pair()
    hook = viz3d.LightningCallback("runs/first", layers_every=5)
    fit(module, hook)
    found = {(row["step"], row["name"]): row for row in rows("runs/first/layers.jsonl")}
    assert sorted({step for step, _ in found}) == [5, 10, 15, 20, 25, 30]
    for step in (5, 10, 15, 20, 25, 30):
        own = found[step, "maker" if step % 2 else "judge"]
        assert own["grad_norm"] == pytest.approx(module.norms[step])
    assert hook.recorder.failures == hook.trouble.count == 0
    assert not (hook.recorder.path / "metrics.jsonl").exists()


def test_a_run_that_raises_is_failed_and_goes_on_when_resumed(fit, rows, about):
    """The record goes on in its folder, at the step of the checkpoint."""
    keep = lightning.callbacks.ModelCheckpoint("kept", save_last=True)
    with pytest.raises(MemoryError):
        fit(_Module(fail_at=5), viz3d.LightningCallback("runs/first"))
    assert about("runs/first")["status"] == "failed"
    fit(
        _Module(),
        viz3d.LightningCallback("runs/first"),
        keep,
        enable_checkpointing=True,
        max_epochs=1,
    )
    fit(_Module(), viz3d.LightningCallback("runs/first"), resume="kept/last.ckpt")
    assert about("runs/first")["status"] == "finished"
    assert len(about("runs/first")["attempts"]) == 3
    steps = [row["step"] for row in rows("runs/first/metrics.jsonl") if "train_loss_step" in row]
    assert steps == [2, 4, 2, 4, 6, 8, 10, 12, 14, 16]


def test_what_is_tested_after_training_belongs_to_its_last_step(fit, rows, about):
    """By the same trainer: the means, and not the single batches."""
    module = _Module()
    trainer = fit(module, viz3d.LightningCallback("runs/first"))
    trainer.test(
        module, torch.utils.data.DataLoader(torch.randn(8, 4), batch_size=2), verbose=False
    )
    tested = [row for row in rows("runs/first/metrics.jsonl") if any("test_" in key for key in row)]
    assert [(row["step"], "test_loss_step" in row) for row in tested] == [(16, False)]
    assert about("runs/first")["status"] == "finished"


def test_loggers_and_checkpoints_of_the_user_stay_as_they_are(fit, tmp_path, rows):
    """The user's logger stays the first, and checkpoints lie where they would without a record."""
    hook = viz3d.LightningCallback("runs/first")
    own = CSVLogger("logs")
    trainer = fit(_Module(), hook, logger=own, enable_checkpointing=True)
    assert trainer.logger is own
    assert (tmp_path / "logs/lightning_logs/version_0/metrics.csv").exists()
    assert list((tmp_path / "logs/lightning_logs/version_0/checkpoints").iterdir())
    module = _Module()
    module.on_train_start = lambda: module.logger.experiment.add_text(
        "a", "b"
    )  # of the only logger
    trainer = fit(module, viz3d.LightningCallback("runs/second"), enable_checkpointing=True)
    assert trainer.log_dir == str(tmp_path)
    assert list((tmp_path / "checkpoints").iterdir())
    assert len(rows("runs/second/metrics.jsonl")) == len(rows("runs/first/metrics.jsonl"))


def test_the_monitor_of_learning_rates_and_two_trainings_with_one_callback(fit, rows, about):
    """A second training is a second attempt, counted from its own start; a third goes on."""
    hook = viz3d.LightningCallback("runs/first", layers_every=None)
    fit(_Module(), hook, lightning.callbacks.LearningRateMonitor("step"))
    module = _Module()
    trainer = fit(module, hook, lightning.callbacks.LearningRateMonitor("step"))
    recorded = rows("runs/first/metrics.jsonl")
    assert [row["step"] for row in recorded if "lr-SGD" in row] == [1, 3, 5, 7, 9, 11, 13, 15] * 2
    assert [row["step"] for row in recorded if "train_loss_step" in row] == [
        2,
        4,
        6,
        8,
        10,
        12,
        14,
        16,
    ] * 2
    trainer.fit_loop.max_epochs = 3
    trainer.fit(module, torch.utils.data.DataLoader(torch.randn(16, 4), batch_size=2))
    steps = [row["step"] for row in rows("runs/first/metrics.jsonl") if "train_loss_step" in row]
    assert steps[16:] == [18, 20, 22, 24]
    assert len(about("runs/first")["attempts"]) == 3


def test_only_the_first_process_records_and_no_dry_run(fit, tmp_path, monkeypatch):
    """Others make no folder, and fast_dev_run is no run."""
    hook = viz3d.LightningCallback("runs/first")
    fit(_Module(), hook, fast_dev_run=True)
    monkeypatch.setattr(lightning.Trainer, "is_global_zero", False)
    fit(_Module(), hook)
    assert hook.recorder is None
    assert not (tmp_path / "runs").exists()


def test_nothing_is_raised_into_training(fit, tmp_path, caplog):
    """No folder, layers that cannot be read, a value that is none: training goes on."""
    (tmp_path / "taken").write_text("a file", "utf-8")
    hook = viz3d.LightningCallback("taken/run", layers_every=0)
    with caplog.at_level(logging.WARNING):
        assert fit(_Module(), hook).global_step == 16
    assert hook.recorder.failures > 0
    assert hook.trouble.count == 1
    assert "every is 0; it has to be 1 step or more" in caplog.text


@pytest.mark.parametrize("path", [None, ""])
def test_a_path_that_is_not_set_is_told_at_once(path):
    """Nothing is recorded into the working folder."""
    with pytest.raises(BadArgument, match="name the run folder"):
        viz3d.LightningCallback(path)
