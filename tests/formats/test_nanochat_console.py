"""What nanochat's training scripts print."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import nanochat_console

from .conftest import Reader, joined, said

BASE = (
    "step {step:05d}/00462 (0.00%) | loss: {loss} | lrm: 0.01 | dt: 51123.27ms | "
    "tok/sec: 5,127 | mfu: 0.04 | epoch: 1 | total time: 0.00m | eta: 1.5m"
)
MID = "step {step:05d} (1.00%) | loss: {loss} | lrm: 1.00 | dt: 5.00ms | tok/sec: 1 | mfu: 0.04"
SFT = "Step {step:05d}/00651 | Training loss: {loss}| lrm: 0.9| num_tokens: 16,384"
PASS = "Step {step}/467 | Example step {at} | Pass {at} | loss: {loss} | Average reward: {reward}"


def test_a_base_line_gives_every_number(read: Reader) -> None:
    """Thousands commas are dropped and units stay in the names."""
    text = f"{BASE.format(step=0, loss=10.5)}\nStep 00000 | Validation bpb: 3.2104\n"
    (parsed,) = read(nanochat_console, {"a.log": text})
    assert joined(parsed).history.loc[0].to_dict() == {
        "loss": 10.5, "lrm": 0.01, "dt_ms": 51123.27, "tok/sec": 5127.0, "mfu": 0.04,
        "epoch": 1.0, "total_time_min": 0.0, "eta_min": 1.5, "val_bpb": 3.2104,
    }  # fmt: skip
    assert "moving average" in said(parsed)


# What the first version printed, in October 2025, and the newest.
PRINTED = {
    "step 00003/21400 (0.01%) | loss: 11.090355 | lrm: 1.00 | dt: 1000.25ms | tok/sec: 524,288 | "
    "mfu: 47.10 | total time: 0.05m": {
        "loss": 11.090355, "lrm": 1.0, "dt_ms": 1000.25, "tok/sec": 524288.0, "mfu": 47.1,
        "total_time_min": 0.05,
    },
    "step 00003 (0.41%) | loss: 1.262134 | lrm: 0.90 | dt: 1000.25ms | tok/sec: 524,288 | "
    "mfu: 47.10 | total time: 0.05m": {
        "loss": 1.262134, "lrm": 0.9, "dt_ms": 1000.25, "tok/sec": 524288.0, "mfu": 47.1,
        "total_time_min": 0.05,
    },
    "step 00003/21400 (0.01%) | loss: 2.500000 | lrm: 1.00 | dt: 9.50ms | tok/sec: 1,024 | "
    "bf16_mfu: 50.25 | epoch: 1 | total time: 0.05m | eta: 12.5m": {
        "loss": 2.5, "lrm": 1.0, "dt_ms": 9.5, "tok/sec": 1024.0, "bf16_mfu": 50.25, "epoch": 1.0,
        "total_time_min": 0.05, "eta_min": 12.5,
    },
    "Step 00003 | Validation bpb: 3.2104": {"val_bpb": 3.2104},
    "Step 00003 | CORE metric: 0.2055": {"CORE_metric": 0.2055},
    "Step 00003 | ChatCORE: 0.2512 | ChatCORE_cat: 0.3100": {
        "ChatCORE": 0.2512, "ChatCORE_cat": 0.31,
    },
    "Step 00003/00650 | Training loss: 1.234567| lrm: 0.984615| num_tokens: 10,230": {
        "train_loss": 1.234567, "lrm": 0.984615, "num_tokens": 10230.0,
    },
    "Step 00003 | Validation loss: 1.066200": {"val_loss": 1.0662},
    "Step 00003 | mmlu_acc: 0.320000, arc_easy_acc: 0.410000": {
        "mmlu_acc": 0.32, "arc_easy_acc": 0.41,
    },
    "Step 3 | Pass@1: 0.0412, Pass@2: 0.0500, Pass@8: 0.1125": {
        "Pass@1": 0.0412, "Pass@2": 0.05, "Pass@8": 0.1125,
    },
    "Step 3/467 | Example step 0 | Pass 1 | loss: -0.001250 | Average reward: 0.0625": {
        "loss": -0.00125, "reward": 0.0625,
    },
    "Step 3/467 | Average reward: 0.046875 | Average sequence length: 164.50": {
        "reward": 0.046875, "sequence_length": 164.5,
    },
}  # fmt: skip


@pytest.mark.parametrize("line", PRINTED)
def test_each_line_of_each_script_gives_every_number(read: Reader, line: str) -> None:
    """Base, mid, SFT and RL training, as their scripts print it."""
    (parsed,) = read(nanochat_console, {"a.log": line + "\n"})
    assert joined(parsed).history.loc[3].to_dict() == PRINTED[line]


def test_rates_of_several_optimizers_become_columns(read: Reader) -> None:
    """The group lr(…) of a fork, and the grad norm of an early version, are read."""
    text = (
        "step 00000/00462 (0.00%) | loss: 10.4 | grad norm: 1.5000 | lrm: 0.01 | "
        "lr(adamw:7.986e-03, muon:2.050e-04) | epoch: 1 pq: 0 rg: 16 | total time: 0.00m\n"
    )
    (parsed,) = read(nanochat_console, {"a.log": text})
    assert joined(parsed).history.loc[0].to_dict() == {
        "lr/adamw": 7.986e-03, "lr/muon": 2.05e-04, "loss": 10.4, "grad_norm": 1.5, "lrm": 0.01,
        "epoch": 1.0, "pq": 0.0, "rg": 16.0, "total_time_min": 0.0,
    }  # fmt: skip


def test_the_stages_of_one_file_are_runs(read: Reader) -> None:
    """Base, midtraining, SFT and RL printed one after another get their stages as names."""
    lines = [BASE.format(step=step, loss=9) for step in range(3)]
    lines += ["Step 00003 | CORE metric: 0.2055"]
    lines += [MID.format(step=step, loss=2) for step in range(4)]
    lines += ["Step 00000 | Validation loss: 1.0662", SFT.format(step=0, loss=1.5)]
    lines += ["Step 00001 | mmlu_acc: 0.320000, arc_easy_acc: 0.41"]
    lines += ["Step 0 | Pass@1: 0.0412, Pass@2: 0.0500"]
    lines += [PASS.format(step=0, at=at, loss=0.1, reward=0.5) for at in range(2)]
    runs = read(nanochat_console, {"a.log": "\n".join(lines)})
    assert [run.name for run in runs] == ["base", "mid", "sft", "rl"]
    base, mid, sft, rl = (joined(run).history for run in runs)
    assert base.index.tolist() == [0, 1, 2, 3]
    assert base["CORE_metric"].loc[3] == 0.2055
    assert len(mid) == 4
    assert sft["train_loss"].loc[0] == 1.5
    assert sft["num_tokens"].loc[0] == 16384
    assert sft["arc_easy_acc"].loc[1] == 0.41
    assert rl["Pass@2"].loc[0] == 0.05


def test_a_stage_that_begins_later_than_the_one_before_is_a_run_too(read: Reader) -> None:
    """Its lines are of another kind; the same kind going back is a restart."""
    lines = [BASE.format(step=step, loss=9) for step in (*range(9), *range(5, 12))]
    lines += [MID.format(step=step, loss=2) for step in range(1, 4)]
    base, mid = read(nanochat_console, {"a.log": "\n".join(lines)})
    assert (base.name, mid.name) == ("base", "mid")
    assert joined(base).history.index.tolist() == [*range(12)]
    assert joined(base).restarts == 1
    assert joined(mid).history.index.tolist() == [1, 2, 3]


def test_a_validation_may_be_printed_late(read: Reader) -> None:
    """A line of another kind that goes back is none of another stage, if it is news."""
    lines = []
    for step in range(12):
        lines.append(BASE.format(step=step, loss=9))
        if step % 4 == 3:
            lines.append(f"Step {step - 1} | Validation loss: 3.0")
    (parsed,) = read(nanochat_console, {"a.log": "\n".join(lines)})
    found = joined(parsed)
    assert found.history.index.tolist() == [*range(12)]
    assert found.history["val_loss"].dropna().index.tolist() == [2, 6, 10]


def test_a_run_may_print_lines_of_several_kinds(read: Reader) -> None:
    """As where pretraining prints its losses as fine-tuning does; a restart stays one."""
    lines = []
    for step in (*range(9), *range(5, 12)):
        lines += [f"Step {step} | Validation loss: 3.0", BASE.format(step=step, loss=9)]
    (parsed,) = read(nanochat_console, {"a.log": "\n".join(lines)})
    assert joined(parsed).history.index.tolist() == [*range(12)]
    assert joined(parsed).restarts == 1


def test_the_passes_of_a_step_are_averaged_and_counted(read: Reader) -> None:
    """One row per RL step: the mean loss of its passes, and the reward that the step printed."""
    lines = [
        PASS.format(step=0, at=0, loss=0.2, reward=0.0),
        PASS.format(step=0, at=1, loss=0.4, reward=0.5),
        "Step 0/467 | Average reward: 0.3125 | Average sequence length: 212.50",
        PASS.format(step=1, at=0, loss=0.6, reward=0.25),
        PASS.format(step=1, at=1, loss=0.0, reward=0.75),
    ]
    (parsed,) = read(nanochat_console, {"a.log": "\n".join(lines)})
    history = joined(parsed).history
    assert history["loss"].tolist() == pytest.approx([0.3, 0.3])
    assert history["reward"].tolist() == [0.3125, 0.5]
    assert history["sequence_length"].dropna().to_dict() == {0: 212.5}
    assert "4 printed passes were averaged" in said(parsed)
    assert joined(parsed).replaced == 0


def test_a_run_broken_off_at_its_first_line_is_a_run(read: Reader) -> None:
    """A crash right after the first step and a new start are two runs, not one joined."""
    text = "\n".join([BASE.format(step=0, loss=9), BASE.format(step=0, loss=8)])
    runs = read(nanochat_console, {"a.log": text})
    assert [run.name for run in runs] == ["base-1", "base-2"]


def test_colours_carriage_returns_and_prefixes_do_not_hide_a_line(read: Reader) -> None:
    """Lines are read as a person saw them."""
    line = BASE.format(step=7, loss=4.5)
    raw = f"\x1b[32mprogress 1%\r\x1b[1m{line}\x1b[0m\r\n[rank0]: {BASE.format(step=8, loss=4)}\n"
    (parsed,) = read(nanochat_console, {"a.log": raw})
    assert joined(parsed).history["loss"].to_dict() == {7: 4.5, 8: 4.0}


def test_nan_is_a_fact(read: Reader) -> None:
    """A diverged run prints nan, which is no gap."""
    (parsed,) = read(nanochat_console, {"a.log": BASE.format(step=3, loss="nan")})
    assert joined(parsed).nonfinite["metric"].tolist() == ["loss"]


def test_it_declines_with_a_reason(read: Reader) -> None:
    """A log without step lines is declined in words."""
    with pytest.raises(NotMine, match="no line of it reads `step N"):
        read(nanochat_console, {"a.log": "Resuming from step 5\n| a | b |\n"})


@given(st.lists(st.text(max_size=60), max_size=20), st.randoms())
@settings(max_examples=100, deadline=None)
def test_noise_between_the_lines_changes_nothing(noise, random) -> None:
    """Whatever else is printed, every step line is read, in order."""
    lines = [BASE.format(step=step, loss=step / 4) for step in range(5)]
    for text in noise:
        clean = "".join(char for char in text if char not in "\n\r\x1b|")
        lines.insert(random.randint(0, len(lines)), clean)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.log")
        path.write_text("> log\n" + "\n".join(lines), encoding="utf-8")
        (parsed,) = nanochat_console.read({"a.log": path})
    assert joined(parsed).history["loss"].to_dict() == {step: step / 4 for step in range(5)}


def test_the_real_sweep(real_data: Path) -> None:
    """Eight runs: seven of five rows with a validation, and one that was broken off."""
    path = real_data / "nanochat-console" / "sweep_p22.log"
    runs = nanochat_console.read({"sweep_p22.log": path})
    histories = [joined(run).history for run in runs]
    assert [len(history) for history in histories] == [5] * 7 + [2]
    assert histories[0].index.tolist() == [0, 200, 400, 461, 462]
    assert histories[0]["val_bpb"].dropna().to_dict() == {462: 1.170726}
    assert histories[0]["lr/muon"].loc[200] == 0.01147
    assert histories[0]["tok/sec"].loc[0] == 5127
    assert "val_bpb" not in histories[7]


def test_a_real_crashed_run_has_no_step_lines(real_data: Path) -> None:
    """A log that ends before the first step is declined, with all its colours."""
    path = real_data / "nanochat-reports" / "console" / "crashed-first-run.log"
    with pytest.raises(NotMine):
        nanochat_console.read({"crashed-first-run.log": path})
