"""Logs of other trainers whose format is JSONL or CSV and whose names are their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from viz3d.analysis.roles import recognise
from viz3d.formats import text
from viz3d.formats.grouping import group
from viz3d.formats.reading import Contents, read_run

ReadRun = Callable[[Mapping[str, str]], Contents]

Records = Sequence[Mapping[str, Any]]


@pytest.fixture
def read(tmp_path: Path) -> ReadRun:
    """Write the files of one run and read them with whichever format takes them."""

    def read(files: Mapping[str, str]) -> Contents:
        for path, content in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(content)
        (found,) = group(list(files))
        (run,) = read_run(found.run, {path: tmp_path / path for path in found.files})
        return run

    return read


def jsonl(records: Records) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def roles(run: Contents) -> dict[str, str]:
    return recognise(list(run.joined.history.columns), run.joined.history)


VERL = {
    "actor/entropy": 0.3, "actor/kl_loss": 0.001, "actor/pg_loss": 0.02, "actor/ppo_kl": 1e-4,
    "actor/grad_norm": 0.02, "perf/mfu/actor": 0.34, "actor/lr": 1e-6, "training/epoch": 0,
    "critic/score/mean": 0.56, "critic/rewards/mean": 0.55, "response_length/mean": 288.7,
    "timing_s/gen": 29.3, "perf/total_num_tokens": 500_000, "perf/time_per_step": 60.5,
    "perf/throughput": 1033.0,
}  # fmt: skip


# A line that is no JSON sends the whole block to the slow reader.
SLOWLY = pytest.mark.parametrize("junk", ["", "broken\n"], ids=["fast", "slowly"])


@SLOWLY
def test_verl(read: ReadRun, junk: str) -> None:
    """The box that verl puts around the metrics is no part of their names."""
    rows = [{"step": step, "data": {**VERL, "actor/pg_loss": step / 8}} for step in range(4)]
    run = read({"p/exp.jsonl": jsonl(rows) + junk})
    assert run.joined.history["actor/pg_loss"].to_dict() == {0: 0, 1: 0.125, 2: 0.25, 3: 0.375}
    assert roles(run) == {
        "loss": "actor/pg_loss", "learning_rate": "actor/lr", "grad_norm": "actor/grad_norm",
        "reward": "critic/rewards/mean", "kl": "actor/ppo_kl", "entropy": "actor/entropy",
        "length": "response_length/mean", "epoch": "training/epoch",
        "step_time": "perf/time_per_step", "tokens_per_second": "perf/throughput",
        "mfu": "perf/mfu/actor",
    }  # fmt: skip
    assert len(run.problems) == bool(junk)


@SLOWLY
def test_verl_validates_on_more_data_sets_than_a_group_has_metrics(
    read: ReadRun, junk: str
) -> None:
    """150 keys in the box are 150 metrics."""
    many = {f"val-core/set{at}/acc/mean@1": 0.5 for at in range(150)}
    run = read({"exp.jsonl": jsonl([{"step": at, "data": many} for at in range(2)]) + junk})
    assert len(run.joined.history.columns) == 150
    assert len(run.problems) == bool(junk)


@SLOWLY
def test_a_box_that_holds_a_step_stays_closed(read: ReadRun, junk: str) -> None:
    """Which of two steps counts is not guessed."""
    records = [{"step": at, "data": {"step": 5, "x": at}} for at in range(2)]
    assert list(read({"a.jsonl": jsonl(records) + junk}).joined.history) == ["data/step", "data/x"]


ROWS = [{"step": at, "data": {"loss": 1.0 + at, "lr": 0.1}} for at in range(30)]
ODD = (
    {"step": 30, "data": {"loss": 5.0, "lr": 0.2}, "t": 1},
    {"step": 30, "data": {"loss": 5.0, "lr": 0.2, "step": 7}},
    {"data": {"loss": 5.0, "lr": 0.2}, "step": 30, "lr ": 0.3},
    {"step": 30, "data": {"loss": 5.0, "lr": 0.2}, "lr": 0.3},
)


@SLOWLY
@pytest.mark.parametrize("odd", ODD)
def test_one_row_that_is_no_plain_box_does_not_give_a_metric_two_names(
    read: ReadRun, junk: str, odd: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever block it stands in."""
    monkeypatch.setattr(text, "BLOCK_BYTES", 200)
    log = jsonl(ROWS[:20]) + junk + jsonl([odd, *({**row, "step": 31} for row in ROWS[29:])])
    run = read({"exp.jsonl": log})
    history = run.joined.history
    assert history["loss"].tolist() == [*(1.0 + at for at in range(20)), 5.0, 30.0]
    more = {"t": 1.0} if "t" in odd else {"data/step": 7.0} if "step" in odd["data"] else {}
    assert {*history} == {"loss", "lr", *more}
    for metric, value in more.items():
        assert history[metric].dropna().to_dict() == {30: value}
    assert history["lr"][30] == odd.get("lr", odd.get("lr ", 0.2))
    if "lr" in odd:
        assert "1 key stood twice in a line" in str(run.problems[-1])


@SLOWLY
def test_a_group_that_is_called_data_is_no_box(read: ReadRun, junk: str) -> None:
    """The first line that has one says so, also where others hold nothing else."""
    rows = [{"step": 0, "loss": 3.0}, {"step": 1, "data": {"x": 1.0}, "loss": 2.0}]
    rows += [{"step": 2, "data": {"x": 2.0}}] * 9
    assert {*read({"a.jsonl": jsonl(rows) + junk}).joined.history} == {"loss", "data/x"}


def test_tinker_rl(read: ReadRun) -> None:
    """tinker-cookbook's metrics.jsonl of reinforcement learning, with its config beside."""
    records = [
        {
            "step": step, "progress/batch": step, "optim/lr": 4e-5, "progress/done_frac": step / 9,
            "env/gsm8k/reward/total": 0.1, "env/all/reward/total": 0.2, "optim/entropy": 0.4,
            "env/all/ac_tokens_per_turn": 100.0, "env/all/total_ac_tokens": 6400,
            "optim/kl_sample_train_v1": 1e-3, "optim/kl_sample_train_v2": 2e-3,
            "kl_policy_base": 0.01, "time/total": 31.0,
        }
        for step in range(3)
    ]  # fmt: skip
    run = read({"t/metrics.jsonl": jsonl(records), "t/config.json": '{"learning_rate": 4e-5}'})
    assert roles(run) == {
        "learning_rate": "optim/lr", "reward": "env/all/reward/total", "kl": "kl_policy_base",
        "entropy": "optim/entropy", "length": "env/all/ac_tokens_per_turn",
        "step_time": "time/total",
    }  # fmt: skip
    assert run.config["learning_rate"] == 4e-5


def test_tinker_sl(read: ReadRun) -> None:
    """Supervised: the tokens of each batch are no total, and are not taken for one."""
    records = [
        {"step": step, "num_tokens": tokens, "learning_rate": 1e-4, "train_mean_nll": 2.0,
         "progress": step / 9, **({"test/nll": 2.1} if step == 2 else {})}
        for step, tokens in enumerate([900, 800, 950])
    ]  # fmt: skip
    run = read({"t/metrics.jsonl": jsonl(records)})
    assert roles(run) == {
        "loss": "train_mean_nll", "val_loss": "test/nll", "learning_rate": "learning_rate",
    }  # fmt: skip


def test_trl_without_steps(read: ReadRun) -> None:
    """The dictionaries that a trainer prints: fractions of an epoch are no steps, which is told."""
    records: list[dict[str, float]] = [
        {"loss": 2.0 - at / 9, "grad_norm": 1.0, "learning_rate": 1e-5, "entropy": 0.5,
         "num_tokens": 1000.0 * (at + 1), "mean_token_accuracy": 0.6, "epoch": 0.1 * (at + 1)}
        for at in range(4)
    ]  # fmt: skip
    records.append({"eval_loss": 1.5, "epoch": 0.4})
    records.append({"train_runtime": 9.5, "train_loss": 1.8, "epoch": 0.4})
    run = read({"log.jsonl": jsonl(records)})
    assert run.joined.history.index.tolist() == list(range(6))
    assert "rows were numbered from 0" in str(run.problems[0])
    assert roles(run) == {
        "loss": "loss", "val_loss": "eval_loss", "learning_rate": "learning_rate",
        "grad_norm": "grad_norm", "entropy": "entropy", "accuracy": "mean_token_accuracy",
        "tokens": "num_tokens", "epoch": "epoch",
    }  # fmt: skip


def test_trl_grpo_and_online_dpo(read: ReadRun) -> None:
    """``rewards/<function>`` are parts of the reward; ``objective/…`` are roles."""
    grpo = {"step": 1, "loss": 0.0, "reward": 1.2, "reward_std": 0.3, "kl": 0.01,
            "rewards/f/mean": 1.0, "completions/mean_length": 99.0}  # fmt: skip
    assert roles(read({"g.jsonl": jsonl([grpo, {**grpo, "step": 2}])})) == {
        "loss": "loss", "reward": "reward", "reward_std": "reward_std", "kl": "kl",
        "length": "completions/mean_length",
    }  # fmt: skip
    online = {
        "step": 1, "objective/kl": 0.1, "objective/entropy": 9.0, "objective/rlhf_reward": 0.4,
        "rewards/chosen": 0.3, "rewards/accuracies": 0.7, "lr": 1e-6,
    }  # fmt: skip
    assert roles(read({"o.jsonl": jsonl([online, {**online, "step": 2}])})) == {
        "learning_rate": "lr", "reward": "objective/rlhf_reward", "kl": "objective/kl",
        "entropy": "objective/entropy", "accuracy": "rewards/accuracies",
    }  # fmt: skip


# As Lightning 1 wrote it, in the order of logging, and as Lightning 2 does, sorted.
LIGHTNING = {
    1: "train_loss,epoch,step,val_loss\n0.9,0,49,\n,0,99,0.8\n0.7,1,149,\n",
    2: "epoch,step,train_loss,val_loss\n0,49,0.9,\n0,99,,0.8\n1,149,0.7,\n",
}


@pytest.mark.parametrize("version", LIGHTNING)
def test_lightning(read: ReadRun, version: int) -> None:
    """A version's folder is a run with its hyper-parameters; the step counts optimiser steps."""
    folder = "gpt-lr-3e-4/lightning_logs/version_0"
    files = {f"{folder}/metrics.csv": LIGHTNING[version], f"{folder}/hparams.yaml": "lr: 3e-4\n"}
    assert [found.run for found in group(list(files))] == [folder]
    run = read(files)
    assert run.joined.history.index.tolist() == [49, 99, 149]
    assert run.joined.history["train_loss"].dropna().to_dict() == {49: 0.9, 149: 0.7}
    assert roles(run) == {"loss": "train_loss", "val_loss": "val_loss", "epoch": "epoch"}
    assert run.config == {"lr": 3e-4}
    assert run.problems == ()


def test_lightning_logs_training_and_validation_of_a_step_in_rows_of_their_own(
    read: ReadRun,
) -> None:
    """They are one step: the epoch that stands in both is the same and nothing was replaced."""
    table = "epoch,step,train_loss_epoch,train_loss_step,val_loss\n"
    run = read({"v/metrics.csv": table + "0,4,,0.5,\n0,4,,,0.7\n0,4,0.6,,\n"})
    assert run.joined.history.loc[4].tolist() == [0, 0.6, 0.5, 0.7]
    assert run.joined.replaced == 0
    assert roles(run)["loss"] == "train_loss_step"


def test_a_lightning_row_that_is_longer_than_the_header_is_told(read: ReadRun) -> None:
    """Lightning sorts its columns, so that nothing says which one the header does not know yet."""
    table = "epoch,step,train_loss\n0,1,0.5\n0,2,0.4,0.9\n0,3,0.3\n0,4,0."
    run = read({"v/metrics.csv": table.replace("0,4,0.", "0,4")})
    assert run.joined.history.index.tolist() == [1, 3]
    assert "2 rows with another number of cells than the header were left out" in str(
        run.problems[0]
    )
