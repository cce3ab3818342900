"""Policy-gradient training of the reference model on additions, in the manner of GRPO.

A model that supervised training left with some of the answers right draws a group of answers to
each prompt. An exact answer earns 1, any other 0; an answer's advantage is its reward against the
others of its group. Each batch is used once, so there is no ratio to clip.

    python -m viz3d.train.grpo --output runs [--landscapes]
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from viz3d.record.recorder import Recorder
from viz3d.train import addition, landscapes
from viz3d.train.model import GPT
from viz3d.train.sft import SFTOptions, cosine, evaluate, gradient_norm, new_model
from viz3d.train.sft import train as train_sft

NAME = "grpo-addition"


@dataclass(frozen=True)
class GRPOOptions:
    """How a policy-gradient run is trained.

    Attributes
    ----------
    learning_rate : float
        The peak, reached at the end of the warm-up; a tenth of it is left at the end.
    seed : int
        Of the drawn prompts and answers.
    steps, warmup : int
    prompts, group : int
        Prompts of a step, and answers drawn to each.
    kl_weight : float
        Weight in the loss of the divergence from the model at the start.
    eval_every : int
        Steps between two evaluations on held-out problems.
    start : SFTOptions
        The supervised training that comes first and is not recorded.
    """

    learning_rate: float = 5e-4
    seed: int = 0
    steps: int = 300
    warmup: int = 10
    prompts: int = 32
    group: int = 8
    kl_weight: float = 0.01
    eval_every: int = 10
    start: SFTOptions = field(
        default_factory=lambda: SFTOptions(learning_rate=1e-3, steps=280, seed=0)
    )


@dataclass(frozen=True)
class Rollout:
    """Answers drawn from the model.

    Attributes
    ----------
    prompts, responses : Tensor, int64, shapes (n, PROMPT) and (n, ANSWER)
    rewards, advantages : Tensor, float32, shape (n,)
    mask : Tensor, bool, shape (n, ANSWER)
        The tokens up to and including a response's end.
    """

    prompts: Tensor
    responses: Tensor
    rewards: Tensor
    advantages: Tensor
    mask: Tensor


def train(
    model: GPT,
    options: GRPOOptions,
    recorder: Recorder | None = None,
    step_done: Callable[[int], None] = lambda _: None,
) -> None:
    """Train `model` in place.

    Parameters
    ----------
    model : GPT
        Has to have some answers right: without any reward there is nothing to learn from.
    options : GRPOOptions
    recorder : Recorder, optional
        Gets what `objective` and `draw` measured at every step, learning rate, gradient norms
        (global and per layer), and the pass rate on held-out problems at some.
    step_done : callable
        Called with each step when it is over and recorded.
    """
    generator = torch.Generator().manual_seed(options.seed)
    pool = addition.problems(held_out=False)
    reference = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.0)
    if recorder:
        recorder.watch(model, every=1, updates=False)
    for step in range(options.steps):
        rate = cosine(step, steps=options.steps, warmup=options.warmup, peak=options.learning_rate)
        for group in optimizer.param_groups:
            group["lr"] = rate
        rollout = draw(model, pool, options, generator)
        loss, measured = objective(model, reference, rollout, options.kl_weight)
        optimizer.zero_grad()
        loss.backward()
        if recorder:
            row: dict[str, Any] = {"loss": loss, "learning_rate": rate, **measured}
            row["grad_norm"] = gradient_norm(model)
            if step % options.eval_every == 0 or step == options.steps - 1:
                row["pass_rate"] = evaluate(model)["val_accuracy"]
            recorder.log(step, **row)
            recorder.log_layers(step)
        optimizer.step()
        step_done(step)


def draw(model: GPT, pool: Tensor, options: GRPOOptions, generator: torch.Generator) -> Rollout:
    """Draw a group of answers to each of some prompts, and judge them."""
    chosen = pool[torch.randint(len(pool), (options.prompts,), generator=generator)]
    pairs = chosen.repeat_interleave(options.group, dim=0)
    prompts = addition.prompts(pairs)
    responses = model.generate(prompts, addition.ANSWER, generator)
    rewards = addition.rewards(pairs, responses)
    return Rollout(
        prompts=prompts,
        responses=responses,
        rewards=rewards,
        advantages=advantages(rewards, options.group),
        mask=addition.upto(addition.lengths(responses)),
    )


def advantages(rewards: Tensor, group: int) -> Tensor:
    """Return each reward against its group, in standard deviations of the group.

    Parameters
    ----------
    rewards : Tensor, float32, shape (n,)
        Groups stand one after the other.
    group : int

    Returns
    -------
    Tensor, float32, shape (n,)
        Zero throughout a group whose rewards are all equal.
    """
    grouped = rewards.view(-1, group)
    centred = grouped - grouped.mean(1, keepdim=True)
    return (centred / (grouped.std(1, keepdim=True) + 1e-4)).flatten()


def objective(
    model: GPT, reference: GPT, rollout: Rollout, kl_weight: float
) -> tuple[Tensor, dict[str, Any]]:
    """Return the loss to descend, and what was measured on the way.

    Returns
    -------
    loss : Tensor
        Minus the log-probability of the drawn tokens weighted by advantage, per token, plus the
        weighted divergence from `reference`.
    measured : dict
        ``reward`` (mean), ``policy_loss``, ``kl`` (nats per token), ``entropy`` (nats per token),
        ``response_length`` (mean, tokens).
    """
    logp = _log_probabilities(model, rollout)
    with torch.no_grad():
        before = _log_probabilities(reference, rollout)
    tokens = rollout.mask.sum()
    taken = logp.gather(-1, rollout.responses.unsqueeze(-1)).squeeze(-1)
    policy_loss = -(taken * rollout.advantages[:, None] * rollout.mask).sum() / tokens
    # Over the whole vocabulary, not only the token drawn: exact at each position.
    kl = ((logp.exp() * (logp - before)).sum(-1) * rollout.mask).sum() / tokens
    entropy = -((logp.exp() * logp).sum(-1) * rollout.mask).sum() / tokens
    return policy_loss + kl_weight * kl, {
        "reward": rollout.rewards.mean(),
        "policy_loss": policy_loss,
        "kl": kl,
        "entropy": entropy,
        "response_length": tokens / len(rollout.mask),
    }


def _log_probabilities(model: GPT, rollout: Rollout) -> Tensor:
    """Return log-probabilities at the response's positions, (n, ANSWER, vocabulary)."""
    tokens = torch.cat([rollout.prompts, rollout.responses], dim=1)
    return model(tokens[:, :-1])[:, rollout.prompts.size(1) - 1 :].log_softmax(-1)


def start_model(options: GRPOOptions) -> GPT:
    """Return a model after the supervised training, which is not recorded."""
    model = new_model(options.start)
    train_sft(model, options.start)
    return model


def describe(model: GPT, options: GRPOOptions, command: str) -> dict[str, Any]:
    """Return the config of the record that `command` makes."""
    return {
        **asdict(options),
        "task": "addition of two numbers of two digits, reward 1 for the exact answer",
        "optimizer": "AdamW(betas=(0.9, 0.95), weight_decay=0), no clipping",
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "command": command,
        "torch": torch.__version__,
    }


def record(output: Path, options: GRPOOptions, name: str = NAME, *, measured: bool = False) -> Path:
    """Train from scratch, supervised and then by reward, and record the second part.

    `measured` adds landscapes of loss and reward around where it ends.

    Returns
    -------
    Path
        The run folder, ``output/name``.
    """
    model = start_model(options)
    config = describe(model, options, "python -m viz3d.train.grpo --output DIR")
    kept = landscapes.Kept(model, options.steps)
    with Recorder(output / name, config=config, tags=["grpo"]) as recorder:
        train(model, options, recorder, kept)
    if measured:
        landscapes.measure(model, kept, output / name, reward=True)
    return output / name


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m viz3d.train.grpo", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder to write the run to")
    parser.add_argument("--landscapes", action="store_true", help="measure them too (minutes)")
    chosen = parser.parse_args(arguments)
    print(record(chosen.output, GRPOOptions(), measured=chosen.landscapes))


if __name__ == "__main__":
    main()
