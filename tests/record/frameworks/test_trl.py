"""viz3d.HuggingFaceCallback in the real trainers of TRL."""

from __future__ import annotations

import math

import pytest
from datasets import Dataset
from transformers import LlamaForCausalLM
from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

import viz3d
from tests.record.frameworks.tiny import QUIET, language_model, words


@pytest.fixture
def model(tmp_path):
    """A model that was loaded from a folder, as its reference policy will be."""
    language_model().save_pretrained(tmp_path / "start")
    return LlamaForCausalLM.from_pretrained(tmp_path / "start")


def loaded(name):
    return viz3d.load_run(viz3d.open_source("runs"), name)


def test_grpo_gives_a_reward_landscape(model, rows):
    """Reward, divergence, length and loss have their roles, and the layers their true norms."""

    def reward(completions, **_):
        return [float(text.count("a")) for text in completions]

    settings = GRPOConfig(
        "out/grpo", num_generations=2, per_device_train_batch_size=4, max_completion_length=6,
        beta=0.1, max_grad_norm=0.01, max_steps=6, **QUIET,
    )  # fmt: skip
    GRPOTrainer(
        model=model, reward_funcs=reward, args=settings, processing_class=words(),
        train_dataset=Dataset.from_dict({"prompt": ["a b", "c d", "e f", "b a"]}),
        callbacks=[viz3d.HuggingFaceCallback(layers_every=2)],
    ).train()  # fmt: skip
    run = loaded("grpo")
    wanted = {"loss": "loss", "reward": "reward", "reward_std": "reward_std", "kl": "kl",
              "learning_rate": "learning_rate", "grad_norm": "grad_norm", "tokens": "num_tokens",
              "length": "completions/mean_length", "entropy": "entropy"}  # fmt: skip
    assert wanted.items() <= run.roles.items()
    assert "rewards/reward/mean" in run.history
    assert run.problems == ()
    assert viz3d.reward_landscape(run).data
    assert viz3d.gradient_flow(run).data
    layers = rows("runs/grpo/layers.jsonl")
    for step in (2, 4, 6):
        parts = [row["grad_norm"] for row in layers if row["step"] == step]
        assert math.hypot(*parts) == pytest.approx(run.history["grad_norm"][step], rel=1e-4)


def test_sft_gives_a_loss_landscape(model):
    """Loss on the training and the held-out data, accuracy and tokens have their roles."""
    text = Dataset.from_dict({"text": ["a b c d", "b c d e", "c d e f", "f e d c"] * 4})
    settings = SFTConfig(
        "out/sft", max_length=16, per_device_train_batch_size=2, max_steps=6,
        eval_strategy="steps", eval_steps=3, **QUIET,
    )  # fmt: skip
    SFTTrainer(
        model=model, args=settings, processing_class=words(), train_dataset=text,
        eval_dataset=text.select(range(4)), callbacks=[viz3d.HuggingFaceCallback()],
    ).train()  # fmt: skip
    run = loaded("sft")
    wanted = {"loss": "loss", "val_loss": "eval_loss", "accuracy": "mean_token_accuracy",
              "tokens": "num_tokens", "entropy": "entropy"}  # fmt: skip
    assert wanted.items() <= run.roles.items()
    assert run.problems == ()
    assert run.config["model"]["vocab_size"] == 9
    assert viz3d.loss_landscape([run]).data
