"""What metrics are, from their names."""

from __future__ import annotations

import pandas as pd
import pytest

from viz3d.analysis.roles import ROLES, peak_learning_rate, recognise
from viz3d.run import Run


@pytest.mark.parametrize(
    ("metric", "role"),
    [
        ("train/loss", "loss"),
        ("train_loss", "loss"),
        ("lm_loss", "loss"),
        ("losses", "loss"),
        ("train_mean_nll", "loss"),
        ("trl", "loss"),
        ("train_loss_step", "loss"),
        ("val_loss_epoch", "val_loss"),
        ("val_acc_epoch", "accuracy"),
        ("train_acc_step", "accuracy"),
        ("actor/pg_loss", "loss"),
        ("val_loss", "val_loss"),
        ("eval/loss", "val_loss"),
        ("tel", "val_loss"),
        ("validation/loss", "val_loss"),
        ("val/bpb", "val_bpb"),
        ("lr", "learning_rate"),
        ("train/learning_rate", "learning_rate"),
        ("learning_rates", "learning_rate"),
        ("lr-AdamW", "learning_rate"),
        ("charts/learning_rate", "learning_rate"),
        ("lrm", "lr_multiplier"),
        ("train/lrm", "lr_multiplier"),
        ("lr_mult", "lr_multiplier"),
        ("lr_scale", "lr_multiplier"),
        ("learning_rate_multiplier", "lr_multiplier"),
        ("lr/group_0", "learning_rate"),
        ("objective/policy_loss", "loss"),
        ("grad_norm", "grad_norm"),
        ("train/grad_norm", "grad_norm"),
        ("norm", "grad_norm"),
        ("gnorm", "grad_norm"),
        ("reward", "reward"),
        ("mean_reward", "reward"),
        ("rollout/ep_rew_mean", "reward"),
        ("critic/rewards/mean", "reward"),
        ("reward_std", "reward_std"),
        ("objective/kl", "kl"),
        ("train/approx_kl", "kl"),
        ("entropy", "entropy"),
        ("completions/mean_length", "length"),
        ("time/total_timesteps", "timesteps"),
        ("train/tok_per_sec", "tokens_per_second"),
        ("Train/Loss", "loss"),
        ("dpo_loss", "loss"),
        ("loss/policy_avg", "loss"),
        ("reward/total", "reward"),
        ("kl_policy_base", "kl"),
        ("timing_s/step", "step_time"),
        ("tok/s", "tokens_per_second"),
    ],
)
def test_names_of_the_field_are_recognised(metric: str, role: str) -> None:
    """Each name plays one role and no other."""
    assert recognise([metric]) == {role: metric}


@pytest.mark.parametrize(
    "metric",
    [
        "glossy",
        "aux_loss_weight",
        "train/entropy_loss",
        "actor/entropy_loss",
        "actor/kl_loss",
        "kl/coef",
        "lr_decay",
        "rewards/format_func",
        "perf/total_num_tokens",
        "env/all/total_ac_tokens",
        "timing_s/gen",
        "S0",
        "",
    ],
)
def test_other_names_play_no_role(metric: str) -> None:
    """A guess that may be wrong is not made; SB3's entropy loss is minus an entropy."""
    assert recognise([metric]) == {}


def test_training_comes_before_evaluation_and_plain_before_qualified() -> None:
    """Of several candidates the choice does not depend on the order of the columns."""
    metrics = ["train/loss", "validation/accuracy", "loss", "test/loss", "validation/loss",
               "train/accuracy", "eval_loss"]  # fmt: skip
    found = recognise(metrics)
    assert found["loss"] == recognise(metrics[::-1])["loss"] == "loss"
    assert found["val_loss"] == "validation/loss"
    assert found["accuracy"] == "train/accuracy"


def test_a_metric_without_values_gives_way() -> None:
    """An empty column is no loss while another one has values, and is one if there is none."""
    history = pd.DataFrame({"loss": [float("nan")] * 2, "train_loss": [2.0, 1.0]})
    assert recognise(["loss", "train_loss"], history)["loss"] == "train_loss"
    assert recognise(["loss"], history[["loss"]]) == {"loss": "loss"}


def test_a_count_of_each_step_is_no_total() -> None:
    """TRL's ``num_tokens`` grows, Tinker's is that of a batch; one value alone does not tell."""
    counts = {"total": [10, 20, 20, 30], "falls": [10, 9, 11, 12], "same": [5, 5, 5, 5]}
    for name, expected in {"total": True, "falls": False, "same": False}.items():
        history = pd.DataFrame({"num_tokens": counts[name]}, dtype=float)
        assert ("tokens" in recognise(["num_tokens"], history)) is expected
    both = pd.DataFrame(
        {"num_tokens": counts["falls"], "tokens_seen": counts["total"]}, dtype=float
    )
    assert recognise(list(both), both) == {"tokens": "tokens_seen"}
    assert recognise(["num_tokens"], both.iloc[:1]) == {"tokens": "num_tokens"}


def test_every_role_is_described() -> None:
    """What is found is told in words, so each role has a line."""
    found = recognise(["loss", "lrm", "tok/sec", "bf16_mfu", "dt_ms", "_runtime"])
    assert set(found) == {
        "loss", "lr_multiplier", "tokens_per_second", "mfu", "step_time", "time",
    }  # fmt: skip
    assert all(ROLES[role] for role in found)


def run(config: dict[str, object], rates: list[float] | None) -> Run:
    """Return a run with a config and logged learning rates."""
    history = pd.DataFrame({} if rates is None else {"lr": rates})
    return Run(
        "r", "s", history, config=config, roles={} if rates is None else {"learning_rate": "lr"}
    )


@pytest.mark.parametrize(
    ("config", "rates", "peak"),
    [
        ({}, [0.0, 0.01, 0.005], 0.01),
        ({"learning_rate": 0.1}, None, 0.1),
        ({"lr": "3e-4"}, None, 3e-4),
        ({"optim": {"peak_lr": 0.2}}, None, 0.2),
        ({"learning_rate": 0.1}, [0.01, 0.02], 0.1),
        ({"learning_rate": 0.1}, [0.1, 0.3], 0.3),
        ({"lr": "cosine"}, [0.5], 0.5),
        ({}, [float("nan"), float("inf"), 0.25], 0.25),
        ({}, [0.0, 0.0], None),
        ({}, None, None),
    ],
)
def test_the_peak_rate(
    config: dict[str, object], rates: list[float] | None, peak: float | None
) -> None:
    """The config's rate counts, unless the history went higher; nothing is made up."""
    assert peak_learning_rate(run(config, rates)) == peak
