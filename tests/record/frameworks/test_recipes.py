"""docs/recording.md: every block of code in it runs and leaves a run that opens."""

from __future__ import annotations

import itertools
import re

import lightning.pytorch as lightning
import pytest
import torch
from datasets import Dataset
from torch import nn
from transformers import TrainingArguments
from trl import GRPOConfig

import viz3d
from tests.conftest import ROOT
from tests.record.frameworks.tiny import QUIET, language_model, tokens, words
from tests.record.models import Block

RECIPES = re.findall(r"```python\n(.*?)```", (ROOT / "docs/recording.md").read_text("utf-8"), re.S)


def square(model, batch):
    return model(batch).square().mean()


def plain():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), 1e-2)
    return {
        "model": model, "optimizer": optimizer, "loss_of": square,
        "batches": itertools.cycle(torch.randn(16, 2, 4)),
        "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 10),
        "evaluate": lambda model: square(model, torch.ones(2, 4)).item(),
    }  # fmt: skip


def hugging_face():
    args = TrainingArguments("out/hugging-face", max_steps=20, **QUIET)
    return {"model": language_model(), "args": args, "data": tokens()}


def trl():
    args = GRPOConfig(
        "out/rl", num_generations=2, per_device_train_batch_size=4, max_completion_length=4,
        max_steps=5, **QUIET,
    )  # fmt: skip
    return {
        "model": language_model(), "args": args, "tokenizer": words(),
        "reward": lambda completions, **_: [float(text.count("a")) for text in completions],
        "prompts": Dataset.from_dict({"prompt": ["a b", "c d", "e f", "b a"]}),
    }  # fmt: skip


class _Module(lightning.LightningModule):
    """A module that logs a loss."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])

    def training_step(self, batch, batch_idx):
        x = batch
        for block in self.blocks:
            x = block.mlp(block.attn(x))
        self.log("train_loss", loss := x.square().mean())
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 1e-2)


def of_lightning():
    return {
        "module": _Module(),
        "data": torch.utils.data.DataLoader(torch.randn(80, 4), batch_size=2),
    }


@pytest.mark.parametrize(
    ("recipe", "given", "name"),
    [
        (0, plain, "plain"),
        (1, hugging_face, "hugging-face"),
        (2, trl, "rl"),
        (3, of_lightning, "lightning"),
    ],
)
def test_a_recipe_records_a_run(about, recipe, given, name):
    """Loss, rate and layers are there, nothing is told, and the run is finished."""
    exec(RECIPES[recipe], given())
    [info] = viz3d.list_runs(viz3d.open_source("runs"))
    run = viz3d.load_run(viz3d.open_source("runs"), name)
    assert info.name == name
    assert {"loss", "learning_rate"} <= run.roles.keys()
    assert run.problems == ()
    assert about(f"runs/{name}")["status"] == "finished"
    assert viz3d.loss_landscape([run]).data
    assert viz3d.gradient_flow(run).data


def test_every_recipe_is_tested():
    """A block that is added needs a test."""
    assert len(RECIPES) == 4
