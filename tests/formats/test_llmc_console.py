"""What llm.c prints, through its history."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import llmc_console, modded_nanogpt, nanochat_console
from viz3d.formats.reading import read_run

from .conftest import Reader, joined, said

HEAD = "| Parameter | Value |\n[GPT-2]\nmax_seq_len: 1024\n"
NEW = (
    "step {step:4d}/19560 | loss {loss:7.6f} (+1.25z)| norm 15.2500 (-0.50z)| lr 1.20e-06 | "
    "400.50 ms | 50.1% bf16 MFU | 1234 tok/s\n"
)


def test_a_line_of_the_last_version(read: Reader) -> None:
    """Loss and norm with their z-scores, the rate, the time, MFU and throughput."""
    (parsed,) = read(llmc_console, {"a.log": HEAD + NEW.format(step=1, loss=11.009)})
    assert joined(parsed).history.loc[1].to_dict() == {
        "train_loss": 11.009, "train_loss_z": 1.25, "norm": 15.25, "norm_z": -0.5, "lr": 1.2e-6,
        "dt_ms": 400.5, "mfu": 50.1, "tok/s": 1234.0,
    }  # fmt: skip
    assert parsed.problems == ()


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (
            "step    7/100 | train loss 5.270000 | norm 30.0000 | lr 1.00e-04 | 41.50 ms | "
            "-100.0% A100 fp16 MFU | 98000 tok/s",
            {"train_loss": 5.27, "norm": 30.0, "lr": 1e-4, "dt_ms": 41.5, "tok/s": 98000.0},
        ),
        (
            "step    7/100 | loss 5.270000 (z +nan)| norm 30.0000 | lr 1.00e-04 | 41.50 ms | "
            "45.0% bf16 MFU | 98000 tok/s",
            {"train_loss": 5.27, "norm": 30.0, "lr": 1e-4, "dt_ms": 41.5, "mfu": 45.0,
             "tok/s": 98000.0},
        ),
        (
            "step    7/100 | train loss 5.270000 | norm 30.0000 | lr 1.00e-04 | "
            "(41.50 ms | 98 tok/s)",
            {"train_loss": 5.27, "norm": 30.0, "lr": 1e-4, "dt_ms": 41.5, "tok/s": 98.0},
        ),
        (
            "step    7/100: train loss 5.270000 norm 30.0000 lr 1.00e-04 (41.50 ms, 98 tok/s)",
            {"train_loss": 5.27, "norm": 30.0, "lr": 1e-4, "dt_ms": 41.5, "tok/s": 98.0},
        ),
        (
            "step    7/100: train loss 5.270000 (acc 5.250000) (41.500000 ms, 98 tok/s)",
            {"train_loss": 5.27, "accumulated_loss": 5.25, "dt_ms": 41.5, "tok/s": 98.0},
        ),
        ("step 7/100: train loss 5.270000 (41.5 ms)", {"train_loss": 5.27, "dt_ms": 41.5}),
        ("step 7: train loss 5.270000 (took 41.5 ms)", {"train_loss": 5.27, "dt_ms": 41.5}),
    ],
)  # fmt: skip
def test_each_version_gives_every_number(read: Reader, line: str, values: dict[str, float]) -> None:
    """The forms of train_gpt2.cu, .py and .c, from the newest to the first."""
    (parsed,) = read(llmc_console, {"a.log": line + "\n"})
    history = joined(parsed).history.dropna(axis="columns")
    assert history.loc[7].to_dict() == values
    assert ("1 MFU below 0" in said(parsed)) == ("-100.0%" in line)


def test_evaluations_stand_at_the_step_that_was_reached(read: Reader) -> None:
    """Before the first update at 0, between, and behind the last one."""
    text = "val loss 11.0\nHellaSwag: 2500/10042 = 0.248954\n"
    text += "".join(NEW.format(step=step, loss=9) for step in (1, 2))
    text += "evaluating HellaSwag: 0/157\revaluating HellaSwag: 10/157\rval loss 8.5\n"
    text += NEW.format(step=3, loss=8) + "val loss 8.0\nHellaSwag: 2965/10042 = 0.295260\n"
    (parsed,) = read(llmc_console, {"a.log": text})
    history = joined(parsed).history
    assert history["val_loss"].dropna().to_dict() == {0: 11.0, 2: 8.5, 3: 8.0}
    assert history["hellaswag"].dropna().to_dict() == {0: 0.248954, 3: 0.29526}
    assert joined(parsed).replaced == 0


def test_the_steps_of_the_c_version_begin_at_0(read: Reader) -> None:
    """There the evaluation comes before the update of the same number."""
    text = (
        "val loss 5.3\nstep 0: train loss 5.2 (took 9.0 ms)\nstep 1: train loss 5.1 (took 9.0 ms)\n"
    )
    (parsed,) = read(llmc_console, {"a.log": text + "val loss 4.9\n"})
    assert joined(parsed).history["val_loss"].dropna().to_dict() == {0: 5.3, 2: 4.9}


def test_a_resumed_run_begins_where_it_was_left(read: Reader) -> None:
    """The evaluation before step 5001 is that of step 5000, whatever came before in the file."""
    text = "val loss 3.5\n" + NEW.format(step=5001, loss=3.4)
    (parsed,) = read(llmc_console, {"a.log": text})
    assert joined(parsed).history["val_loss"].dropna().to_dict() == {5000: 3.5}


def test_two_runs_in_one_file_share_no_evaluation(read: Reader) -> None:
    """Of two evaluations in a row the first ended one run and the second began the other."""
    one = "val loss 11.0\n" + "".join(NEW.format(step=step, loss=9) for step in (1, 2))
    first, second = read(llmc_console, {"a.log": f"{one}val loss 8.0\n{HEAD}{one}"})
    assert joined(first).history["val_loss"].dropna().to_dict() == {0: 11.0, 2: 8.0}
    assert joined(second).history["val_loss"].dropna().to_dict() == {0: 11.0}


def updates(*steps: int) -> str:
    return "".join(NEW.format(step=step, loss=9) for step in steps)


FIRST = "val loss 11.0\n" + updates(*range(1, 6))
LEFT_OUT = "1 evaluation was left out, since nothing says at which step it was made"


@pytest.mark.parametrize("between", ["", HEAD], ids=["another", "head"])
def test_an_evaluation_before_a_restart_stands_where_it_was_made(
    read: Reader, between: str
) -> None:
    """Of two in a row the first was the last of a start; what a start prints first parts them."""
    again = "" if between else "val loss 8.5\n"
    text = f"{FIRST}val loss 8.0\n{between}{again}{updates(4, 5, 6)}"
    found = joined(read(llmc_console, {"a.log": text})[0])
    assert found.attempts["val_loss"].dropna().tolist() == [8.0]
    assert found.attempts["step"].max() == 5
    wanted = {0: 11.0} if between else {0: 11.0, 3: 8.5}
    assert found.history["val_loss"].dropna().to_dict() == wanted


def test_an_evaluation_behind_the_head_is_that_of_the_new_start(read: Reader) -> None:
    text = f"{FIRST}{HEAD}val loss 8.0\n{updates(4, 5, 6)}"
    (parsed,) = read(llmc_console, {"a.log": text})
    assert joined(parsed).history["val_loss"].dropna().to_dict() == {0: 11.0, 3: 8.0}
    assert "left out" not in said(parsed)


def test_an_evaluation_of_either_of_two_starts_is_left_out(read: Reader) -> None:
    """The one that broke off made it behind its last step, or the next one before its first."""
    (parsed,) = read(llmc_console, {"a.log": f"{FIRST}val loss 8.0\n{updates(4, 5, 6)}"})
    found = joined(parsed)
    assert found.history["val_loss"].dropna().to_dict() == {0: 11.0}
    assert "val_loss" not in found.attempts or not found.attempts["val_loss"].count()
    assert f"a.log:7: {LEFT_OUT}" in said(parsed)


def test_an_evaluation_of_a_start_that_is_not_there_is_left_out(read: Reader) -> None:
    (parsed,) = read(llmc_console, {"a.log": f"val loss 3.5\n{HEAD}{FIRST}"})
    assert joined(parsed).history["val_loss"].dropna().to_dict() == {0: 11.0}
    assert joined(parsed).replaced == 0
    assert LEFT_OUT in said(parsed)


def test_a_run_from_the_beginning_evaluates_first(read: Reader) -> None:
    """One that broke off before did not evaluate then, or there would be two."""
    runs = read(llmc_console, {"a.log": FIRST + FIRST})
    assert [joined(run).history["val_loss"].dropna().to_dict() for run in runs] == [{0: 11.0}] * 2


def test_a_diverged_run_prints_nan(read: Reader) -> None:
    """Which is no gap."""
    (parsed,) = read(llmc_console, {"a.log": NEW.format(step=1, loss=float("nan"))})
    assert joined(parsed).nonfinite["metric"].tolist() == ["train_loss"]


@pytest.mark.parametrize(
    "line",
    [
        "step 00000/00462 (0.00%) | loss: 10.4 | lrm: 0.01 | dt: 51.27ms | tok/sec: 5,127",
        "Step 00001/00651 | Training loss: 1.5| lrm: 0.9| num_tokens: 16,384",
        "step:1/9 train_loss:15.99 train_time:23767ms step_avg:1.5ms",
        "step 2000: train loss 1.7648, val loss 1.8857",
        "val loss 3.5",
    ],
)
def test_the_lines_of_others_are_left_to_them(read: Reader, line: str) -> None:
    """nanochat, modded-nanogpt and nanoGPT print lines that look alike."""
    with pytest.raises(NotMine, match="no line of it reads `step N/M"):
        read(llmc_console, {"a.log": line + "\n"})


def test_it_is_asked_before_nanochat(tmp_path: Path) -> None:
    """Whose reader would take these lines for its own, without their evaluations."""
    path = tmp_path / "a.log"
    path.write_text("val loss 11.0\n" + NEW.format(step=1, loss=9))
    (run,) = read_run("a.log", {"a.log": path})
    assert {"val_loss", "train_loss"} <= set(run.joined.history.columns)


def test_a_real_log_of_others_is_declined(real_data: Path) -> None:
    """The real logs of nanochat and modded-nanogpt are read by their own formats."""
    for name, form in (
        ("nanochat-console/sweep_p22.log", nanochat_console),
        ("modded-nanogpt/llmc/main.log", modded_nanogpt),
        ("modded-nanogpt/optimizers/8bfe4e35.txt", modded_nanogpt),
    ):
        with pytest.raises(NotMine):
            llmc_console.read({name: real_data / name})
        assert form.read({name: real_data / name})
