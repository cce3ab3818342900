"""What is printed to a console."""

# ruff: noqa: D401 - of an input the docstring says what it is
from __future__ import annotations

from itertools import cycle
from pathlib import Path

from benchmarks.inputs.writing import drawn, fill, rows


def console_nanogpt(folder: Path, size: int) -> None:
    """What nanoGPT prints of an iteration."""
    fill(folder / "log.txt", size, rows("iter %d: loss %.4f, time 84.20ms, mfu 3.10%%\n",
         lambda at: at, drawn))  # fmt: skip


def console_short(folder: Path, size: int) -> None:
    """The shortest lines that nanoGPT's format reads."""
    fill(folder / "log.txt", size, rows("iter %d: loss 1\n", lambda at: at))


def console_runs(folder: Path, size: int) -> None:
    """The first line of a run, again and again."""
    fill(folder / "log.txt", size, cycle([b"iter 0: loss 1\n"]))


def console_llmc(folder: Path, size: int) -> None:
    """What llm.c prints of a step."""
    line = (
        "step %d/99999999 | loss %.6f (+nanz)| norm 2.1 (+0.1z)| lr 1.0e-04 | 90.10 ms | "
        "51.2%% bf16 MFU | 90000 tok/s\n"
    )
    fill(folder / "log.txt", size, rows(line, lambda at: at + 1, drawn))


def console_modded(folder: Path, size: int) -> None:
    """What modded-nanogpt prints of a step."""
    fill(folder / "log.txt", size, rows("step:%d/9999999 train_loss:%.4f train_time:123ms\n",
         lambda at: at, drawn))  # fmt: skip


def console_nanochat(folder: Path, size: int) -> None:
    """What nanochat prints of a step."""
    line = "step %08d/99999999 (0.00%%) | loss: %.6f | lrm: 1.00 | dt: 9.00ms | tok/sec: 1,000\n"
    fill(folder / "log.txt", size, rows(line, lambda at: at, drawn))


def console_verl(folder: Path, size: int) -> None:
    """What verl prints of a step."""
    fill(folder / "log.txt", size, rows("step:%d - actor/pg_loss:%.6f - critic/score:0.5\n",
         lambda at: at, drawn))  # fmt: skip
