"""What a metric is, from the names that the field uses.

A role is found by patterns in order of preference: a training metric before one of evaluation, a
plain name before a qualified one. The result is shown to the user and can be overridden. It depends
on the names, and on the values only where a column is empty, or is called like a total and is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.run import Run

ROLES: dict[str, str] = {
    "loss": "training loss",
    "val_loss": "loss on held-out data",
    "val_bpb": "bits per byte on held-out data",
    "learning_rate": "learning rate of the step",
    "lr_multiplier": "factor by which the schedule scales every learning rate",
    "grad_norm": "global gradient norm",
    "weight_norm": "norm of the weights",
    "reward": "mean reward of the step",
    "reward_std": "standard deviation of the rewards of the step",
    "kl": "divergence from the reference policy",
    "entropy": "entropy of the policy",
    "length": "mean length of completions or episodes",
    "value_loss": "loss of the value function",
    "accuracy": "share that was right",
    "tokens": "tokens seen so far",
    "flops": "floating-point operations so far",
    "timesteps": "environment steps so far",
    "epoch": "passes over the data so far",
    "time": "time of the step, by the clock or since the start",
    "step_time": "time that the step took",
    "tokens_per_second": "throughput",
    "mfu": "share of the hardware's peak that was used",
}

LOWER_IS_BETTER = frozenset({"loss", "val_loss", "val_bpb"})
HIGHER_IS_BETTER = frozenset({"reward", "accuracy", "tokens_per_second", "mfu"})

# Metrics of training may stand below any of these.
_TRAIN = r"(?:train|training|actor|policy|optim|optimizer|charts|global|model|stats|losses)[/_.]"
# Behind "lr" in the name of something that scales a learning rate and is none.
_FACTOR = r"(?:mult(?:iplier)?|scale|factor)"
_EVAL = r"(?:val|valid|validation|eval|evaluation|dev)"


def _train(*names: str) -> tuple[str, ...]:
    """Return patterns for `names`, plain and below a training prefix."""
    return tuple(pattern for name in names for pattern in (name, _TRAIN + name))


_PATTERNS: dict[str, tuple[str, ...]] = {
    "loss": (
        *_train(
            "loss", "lm_loss", "losses", "loss_mean", "mean_loss", "loss/mean", "ce_loss",
            "cross_entropy(?:_loss)?", "(?:mean_)?nll(?:_loss)?", "total_loss", "loss_total",
            "dpo_loss",
        ),
        *_train("loss_step"),  # Lightning's, beside loss_epoch
        "loss/train", "loss_train", "train_losses", "trl", "(?:pg|policy|policy_gradient)_loss",
        _TRAIN + "(?:pg|policy|policy_gradient)_loss", "loss/policy_avg",
        "(?:objective|actor)/(?!.*(?:entropy|kl|value|vf)).*loss",
    ),
    "val_loss": (
        rf"{_EVAL}[/_.](?:lm_|ce_|mean_)?(?:loss|losses|nll|loss_mean|mean_nll)(?:_epoch)?",
        rf"loss[/_.]{_EVAL}", "tel", rf"{_EVAL}[/_.].*[/_.]loss",
        r"test[/_.](?:loss|losses|nll)",
    ),
    "val_bpb": (rf"{_EVAL}[/_.]bpb", "bpb"),
    "learning_rate": (
        *_train("learning_rate", "lr", "learning_rates", "lrs", "learning-rate"),
        # Of the rates of several optimizers, Muon's is that of the transformer's matrices.
        "lr/muon", rf"(?:lr|learning_rate)[-_/.](?!{_FACTOR}|decay).*",
        r".*[/.](?:lr|learning_rate)",
    ),
    "lr_multiplier": _train("lrm", rf"(?:lr|learning_rate)_{_FACTOR}"),
    "grad_norm": (
        *_train(
            "grad_norm", "grad_norms", "gradient_norm", "global_grad_norm", "grad_global_norm",
            "total_grad_norm", "grad_norm_total", "gnorm", "global_norm", "total_norm",
        ),
        r"grad_norm[/_.](?:total|global|mean)", r"grad_2(?:\.0)?_norm_total", "norm",
        r".*[/.]grad(?:ient)?_norm",
    ),
    "weight_norm": _train("weight_norm", "param_norm", "params_norm", "parameter_norm"),
    "reward": (
        *_train(
            "reward", "mean_reward", "reward_mean", "avg_reward", "average_reward", "rewards",
            "reward/mean", "rewards/mean", "episode_reward", "episodic_return", "ep_rew_mean",
        ),
        "rollout/ep_rew_mean", "critic/rewards/mean", "critic/score/mean",
        "objective/(?:scores|rlhf_reward)", "env/all/reward/(?:mean|total)", "reward/total",
        "env/.*reward/(?:mean|total)", rf"{_EVAL}[/_.](?:mean_)?reward",
    ),
    "reward_std": _train("reward_std", "rewards?/std", "std_reward", "rewards_std"),
    "kl": (
        *_train("kl", "approx_kl", "kl_mean", "mean_kl", "kl_div(?:ergence)?", "ppo_kl"),
        "objective/kl", "kl_policy_base", "kl/(?!coef|beta|target).*", "old_approx_kl",
        "policy/approxkl_avg", "optim/kl_sample_train_v1",
    ),
    "entropy": (*_train("entropy", "policy_entropy", "mean_entropy"), "policy/entropy.*",
                "objective/entropy"),
    "length": (
        *_train("completion_length", "mean_completion_length", "sequence_length",
                "response_length", "ep_len_mean", "episode_length"),
        "completions?/mean_length", "rollout/ep_len_mean", "response_length/mean",
        "charts/episodic_length", "env/all/ac_tokens_per_turn",
    ),
    "value_loss": (*_train("value_loss", "vf_loss"), "critic/(?:vf_)?loss", "loss/value.*"),
    "accuracy": (
        *_train("accuracy", "acc", "mean_token_accuracy", "token_accuracy", "acc(?:uracy)?_step"),
        rf"{_EVAL}[/_.](?:accuracy|acc|mean_token_accuracy)(?:_epoch)?",
        rf"{_EVAL}[/_.].*[/_.]accuracy", "rewards/accuracies",
        r"test[/_.](?:accuracy|acc)",
    ),
    "tokens": _train(
        "tokens", "num_tokens", "total_tokens", "tokens_seen", "num_input_tokens_seen",
        "consumed_tokens", "n_tokens",
    ),
    "flops": _train("total_training_flops", "total_flops", "training_flops", "flops", "total_flos"),
    "timesteps": ("time/total_timesteps", *_train("total_timesteps", "timesteps", "env_steps")),
    "epoch": _train("epoch", "epochs"),
    "time": (
        *_train("time", "wall_time", "elapsed", "elapsed_time", "wall_clock",
                "total_training_time"),
        "_runtime", "time/time_elapsed", "total_duration", "total_time(?:_min)?",
        "train_time(?:_ms)?", "_timestamp",
    ),
    "step_time": (
        *_train("dt", "dt_ms", "step_times?", "time_per_step", "step_avg_ms"),
        "perf/time_per_step", "timing_s/step", "time/(?:total|step)",
    ),
    "tokens_per_second": (
        *_train("tok/sec", "tokens?_per_sec(?:ond)?", "tok_per_sec", "tok/s", "tps",
                "tokens/sec(?:ond)?", "train_tokens_per_second"),
        "perf/throughput",
    ),
    "mfu": (*_train("mfu", "bf16_mfu"), "perf/mfu/actor"),
}  # fmt: skip

# Totals by their meaning. Under the same names some trainers log the count of each step.
_TOTALS = frozenset({"tokens", "timesteps"})

_COMPILED = {
    role: [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    for role, patterns in _PATTERNS.items()
}
_RATE_KEYS = ("learning_rate", "lr", "peak_lr", "max_lr", "peak_learning_rate")


def recognise(metrics: Sequence[str], history: pd.DataFrame | None = None) -> dict[str, str]:
    """Say which metric plays which role.

    Parameters
    ----------
    metrics : sequence of str
        Names, in the order in which they were logged; of two equally good names the first counts.
    history : pandas.DataFrame, optional
        A metric without a finite value in it is taken only where there is no other, and one that
        falls or stays the same is no total.

    Returns
    -------
    dict of {role: metric}
        In the order of `ROLES`; a role that nothing plays has no key.
    """
    roles = {}
    for role in ROLES:
        found = [
            metric for pattern in _COMPILED[role] for metric in metrics if pattern.fullmatch(metric)
        ]
        if role in _TOTALS:
            found = [metric for metric in found if _never_falls(history, metric)]
        if found:
            logged = (metric for metric in found if _has_values(history, metric))
            roles[role] = next(logged, found[0])
    return roles


def said_roles(run: Run) -> dict[str, str]:
    """Return the roles of a run that are not as its names say: a user gave them."""
    found = recognise(run.metrics, run.history)
    return {role: metric for role, metric in run.roles.items() if found.get(role) != metric}


def _has_values(history: pd.DataFrame | None, metric: str) -> bool:
    return history is None or bool(np.isfinite(history[metric].to_numpy()).any())


def _never_falls(history: pd.DataFrame | None, metric: str) -> bool:
    values = np.empty(0) if history is None else history[metric].dropna().to_numpy()
    return len(values) < 2 or bool((np.diff(values) >= 0).all() and values[-1] > values[0])


def peak_learning_rate(run: Run) -> float | None:
    """Return the highest learning rate of a run.

    The config says what was asked for, the history what was used. The config's counts, unless the
    history went higher.

    Parameters
    ----------
    run : Run

    Returns
    -------
    float or None
        None when neither the config nor the history has a positive one.
    """
    logged = run.role("learning_rate")
    values = logged.to_numpy() if logged is not None else np.empty(0)
    values = values[np.isfinite(values)]
    peak = max(float(values.max(initial=0.0)), _configured_rate(run.config) or 0.0)
    return peak if peak > 0 else None


def _configured_rate(config: Mapping[str, Any]) -> float | None:
    """Return the learning rate of a config, at its top or one level down."""
    nested = (value for value in config.values() if isinstance(value, Mapping))
    for level in (config, *nested):
        for key in _RATE_KEYS:
            value = level.get(key)
            try:
                rate = float(value) if isinstance(value, int | float | str) else None
            except ValueError:
                continue
            if rate is not None and np.isfinite(rate):
                return rate
    return None
