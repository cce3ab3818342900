"""Console logs of modded-nanogpt and llm.c."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import modded_nanogpt

from .conftest import Reader, joined


def test_both_styles_are_read(read: Reader) -> None:
    """Long and short names, with units kept in the metric's name."""
    (long,) = read(
        modded_nanogpt,
        {
            "a.txt": "import torch  # step: none\n"
            "step:0/9 val_loss:16.0 train_time:3ms step_avg:nanms\n"
            "step:1/9 train_loss:15.99 train_time:23767ms step_avg:1.5ms\n"
        },
    )
    history = joined(long).history
    assert history["val_loss"].dropna().to_dict() == {0: 16.0}
    assert history["train_time_ms"].tolist() == [3.0, 23767.0]
    assert joined(long).nonfinite["metric"].tolist() == ["step_avg_ms"]
    (short,) = read(modded_nanogpt, {"b.log": "s:0 tel:11.0\ns:0 trl:11.1 lr:0.000001 norm:15.4\n"})
    assert joined(short).history.loc[0].to_dict() == {
        "tel": 11.0, "trl": 11.1, "lr": 1e-6, "norm": 15.4,
    }  # fmt: skip


def test_a_coloured_line_is_read(read: Reader) -> None:
    """A line that begins with a colour code is a line like the others."""
    (parsed,) = read(modded_nanogpt, {"a.log": "\x1b[32ms:0 trl:2.5\x1b[0m\ns:1 trl:1.5\n"})
    assert joined(parsed).history["trl"].to_dict() == {0: 2.5, 1: 1.5}


def test_a_return_to_the_first_step_is_a_new_run(read: Reader) -> None:
    """Two runs printed into one file are two runs; a restart half way is an attempt."""
    one = "".join(f"s:{step} trl:{step}.5\n" for step in [*range(12), *range(8, 14)])
    two = "".join(f"s:{step} trl:9\n" for step in range(3))
    first, second = read(modded_nanogpt, {"a.log": one + two})
    assert (first.name, second.name) == ("run-1", "run-2")
    assert joined(first).restarts == 1
    assert joined(first).history.index.tolist() == list(range(14))
    assert len(joined(second).history) == 3


def test_it_declines_with_a_reason(read: Reader) -> None:
    """A log without step lines is declined in words."""
    with pytest.raises(NotMine, match="no line of it reads `step:N"):
        read(modded_nanogpt, {"a.log": "step: soon\nhello\n"})


def test_the_real_log_of_llmc(real_data: Path) -> None:
    """19,560 training lines and 80 evaluations at steps 0 to 19,560."""
    path = real_data / "modded-nanogpt" / "llmc" / "main.log"
    (parsed,) = modded_nanogpt.read({"main.log": path})
    history = joined(parsed).history
    assert len(history) == 19_561
    assert history["trl"].count() == 19_560
    assert history["tel"].count() == 80
    assert history["norm"].iloc[0] == 15.37
    assert history["tel"].iloc[-1] == 3.2722


@pytest.mark.parametrize(
    ("name", "steps", "evaluations"),
    [("optimizers/8bfe4e35.txt", 5101, 42), ("bf16ce/08c0770f.txt", 1681, 15)],
)
def test_the_real_logs(real_data: Path, name: str, steps: int, evaluations: int) -> None:
    """Every step and every evaluation is there; what is printed twice is no restart."""
    (parsed,) = modded_nanogpt.read({name: real_data / "modded-nanogpt" / name})
    found = joined(parsed)
    assert len(found.history) == steps
    assert found.history["val_loss"].count() == evaluations
    assert found.restarts == 0
    assert not math.isnan(found.history["train_time_ms"].iloc[-1])


def test_a_line_over_the_cap_is_told(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was left out of a log is told with its first run."""
    monkeypatch.setattr("viz3d.formats.limits.LINE_BYTES", 100)
    (parsed,) = read(modded_nanogpt, {"a.log": f"s:0 trl:1\n{'x' * 200}\ns:1 trl:2\n"})
    assert joined(parsed).history["trl"].tolist() == [1.0, 2.0]
    assert parsed.problems[0].line == 2


def test_a_name_is_all_that_stands_before_the_colon(read: Reader) -> None:
    """A part of it would be the name of several metrics."""
    (parsed,) = read(
        modded_nanogpt,
        {"a.log": "step:0/9 train/loss:5.0 adam/lr:0.1 muon/lr:0.2 acc@1:0.5 grad-norm(h.0):2\n"},
    )
    assert joined(parsed).history.loc[0].to_dict() == {
        "train/loss": 5.0, "adam/lr": 0.1, "muon/lr": 0.2, "acc@1": 0.5, "grad-norm(h.0)": 2.0,
    }  # fmt: skip
    assert parsed.problems == ()
