"""What nanoGPT, the first trainer of llm.c and their like print."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import llmc_console, nanogpt_console
from viz3d.formats.reading import read_run

from .conftest import Reader, joined, said

LOG = """number of parameters: 10.65M
step 0: train loss 4.2874, val loss 4.2823
iter 0: loss 4.2654, time 24340.51ms, mfu -100.00%
iter 10: loss 3.2439, time 27.30ms, mfu 13.65%
step 250: train loss 1.9687, val loss 2.0597
saving checkpoint to out-shakespeare-char
iter 250: loss 2.0402, time 3712.59ms, mfu 12.29%
"""


def test_iterations_and_evaluations_meet_at_their_step(read: Reader) -> None:
    """Both print the number of updates made before; an MFU of -100 % says that there is none."""
    (parsed,) = read(nanogpt_console, {"a.log": LOG})
    history = joined(parsed).history
    assert history["loss"].to_dict() == {0: 4.2654, 10: 3.2439, 250: 2.0402}
    assert history["train_loss"].dropna().to_dict() == {0: 4.2874, 250: 1.9687}
    assert history["val_loss"].dropna().to_dict() == {0: 4.2823, 250: 2.0597}
    assert history["dt_ms"].to_dict() == {0: 24340.51, 10: 27.3, 250: 3712.59}
    assert history["mfu"].dropna().to_dict() == {10: 13.65, 250: 12.29}
    assert "1 MFU below 0" in said(parsed)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("iteration 7, loss: 5.27, time: 41.500ms", {"loss": 5.27, "dt_ms": 41.5}),
        ("iteration 7, loss: 5.269999980926514", {"loss": 5.269999980926514}),
        ("Iter 7: loss 1e-05, time 8.50ms", {"loss": 1e-5, "dt_ms": 8.5}),
        ("iter 7: loss 5.27, saved to a.pt", {"loss": 5.27}),
    ],
)
def test_the_lines_of_its_relatives(read: Reader, line: str, values: dict[str, float]) -> None:
    """Llm.c's first train_gpt2.py, and scripts that print less."""
    (parsed,) = read(nanogpt_console, {"a.log": line + "\n"})
    assert joined(parsed).history.loc[7].to_dict() == values
    assert parsed.problems == ()


def test_a_diverged_loss_is_told(read: Reader) -> None:
    """NaN is a fact."""
    (parsed,) = read(nanogpt_console, {"a.log": "iter 0: loss 2.5\niter 1: loss nan\n"})
    assert joined(parsed).nonfinite["step"].tolist() == [1]


def test_other_logs_are_declined(read: Reader) -> None:
    """Lines without a loss, and those of the later llm.c, which another format reads whole."""
    for text in ("iter 3: saved, time 2.50ms\n", "hello\n", "epoch 3: loss 2.5\n"):
        with pytest.raises(NotMine, match="iter N: loss"):
            read(nanogpt_console, {"a.log": text})
    with pytest.raises(NotMine):
        read(llmc_console, {"a.log": LOG})


def test_no_other_format_takes_it_for_its_own(tmp_path: Path) -> None:
    """Packed or not, whatever the order in which formats are asked."""
    for name, content in (("a.log", LOG.encode()), ("a.log.gz", gzip.compress(LOG.encode()))):
        (tmp_path / name).write_bytes(content)
        (run,) = read_run(name, {name: tmp_path / name})
        found = {"train_loss", "val_loss", "loss", "dt_ms", "mfu"}
        assert set(run.joined.history.columns) == found
