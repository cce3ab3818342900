"""Console logs of which each line begins with the same words."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import modded_nanogpt, nanogpt_console, prefixed_console, verl_console
from viz3d.formats.base import Format
from viz3d.formats.reading import read_run

from .conftest import Reader, joined, said

BEHIND = "of a step behind other words"
CONSOLES = (
    (nanogpt_console, "iter {step}: loss {loss}", "loss"),
    (verl_console, "step:{step} - loss:{loss}", "loss"),
    (modded_nanogpt, "step:{step}/9 val_loss:{loss}", "val_loss"),
)
consoles = pytest.mark.parametrize(("form", "line", "metric"), CONSOLES)


@consoles
@pytest.mark.parametrize(
    "before",
    [
        "[train] ", "=> ", "• ", "train | ", "[{at}.5s] ", "[{at:4d}] ", "(0:00:{at:02d}) ",
        "2025-01-01 12:00:{at:02d} [info     ] ", "Wed Jan  1 12:00:{at:02d} 2025 ",
        "12:00:{at:02d} INFO trainer: ", "[INFO] [trainer] ", "[RANK 0] ", "host-01: ",
        "[01/02 12:00:{at:02d} d2.utils.events]: iter: {at}  ",
    ],
)  # fmt: skip
def test_words_before_every_line_are_no_part_of_it(
    read: Reader, form: Format, line: str, metric: str, before: str
) -> None:
    """Whatever they are; numbers in them change."""
    wanted = {step: 4 - step / 10 for step in range(12)}
    log = "".join(
        before.format(at=step) + line.format(step=step, loss=loss) + "\n"
        for step, loss in wanted.items()
    )
    (parsed,) = read(prefixed_console, {"a.log": log})
    assert joined(parsed).history.to_dict() == {metric: wanted}
    assert parsed.problems == ()
    with pytest.raises(NotMine, match="but behind other words"):
        read(form, {"a.log": log})


@consoles
def test_lines_behind_other_words_than_most_are_told(
    read: Reader, form: Format, line: str, metric: str
) -> None:
    """No best loss is taken for a step of the training, nor an evaluation."""
    lines = ["[train] " + line.format(step=step, loss=step + 0.5) for step in range(6)]
    lines[3:3] = [word + line.format(step=2, loss=9.0) for word in ("best: ", "[eval] ")]
    (parsed,) = read(prefixed_console, {"a.log": "\n".join([*lines, ""])})
    found = joined(parsed)
    assert found.history[metric].to_dict() == {step: step + 0.5 for step in range(6)}
    assert found.restarts == 0
    assert f"a.log:4: 2 lines that tell {BEHIND} were left out; the first is 'best: " in said(
        parsed
    )


@consoles
def test_what_says_too_little_is_declined(
    read: Reader, form: Format, line: str, metric: str
) -> None:
    """One line alone, words that are as many as others, and what tells of no step."""
    both = [f"[{word}] {line}".format(step=1, loss=2.0) for word in ("train", "eval")]
    for lines in (both[:1], both * 3, ["[train] nothing"] * 3):
        with pytest.raises(NotMine, match="no words stand before a step"):
            read(prefixed_console, {"a.log": "\n".join([*lines, ""])})


@pytest.mark.parametrize("words", ["best so far: ", "Saved best: ", "[eval] ", "[my_eval] "])
def test_words_of_steps_that_passed_are_declined(read: Reader, words: str) -> None:
    """A log of evaluations alone has no training loss."""
    log = "".join(f"{words}iter {step}: loss {step}.5\n" for step in range(9))
    with pytest.raises(NotMine, match="a best, saved or evaluated one"):
        read(prefixed_console, {"a.log": log})


@pytest.mark.parametrize(
    "words", ["INFO:test:", "INFO:pkg.evaluation.trainer:", "12:00:00 - lm_eval - INFO - "]
)
def test_what_a_level_stands_before_is_a_logger_whatever_it_is_called(
    read: Reader, words: str
) -> None:
    """It logs each step."""
    log = "".join(f"{words}iter {step}: loss {step}.5\n" for step in range(9))
    (parsed,) = read(prefixed_console, {"a.log": log})
    assert joined(parsed).history["loss"].to_dict() == {step: step + 0.5 for step in range(9)}


def test_an_epoch_in_the_words_is_that_of_the_line(read: Reader) -> None:
    """Steps that begin anew with it are no restarts."""
    rows = [(epoch, step) for epoch in range(1, 4) for step in range(3)]
    for words in ("Epoch {}, ", "[epoch: {}] ", "12:00:00 epoch {}/3 | "):
        log = "".join(words.format(e) + f"iter {s}: loss {e}.{s}\n" for e, s in rows)
        (parsed,) = read(prefixed_console, {"a.log": log})
        found = joined(parsed)
        assert found.restarts == 0
        assert found.history["epoch"].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
        assert found.history["step_of_epoch"].tolist() == [0, 1, 2] * 3
        assert found.history["loss"].tolist() == [1, 1.1, 1.2, 2, 2.1, 2.2, 3, 3.1, 3.2]


@pytest.mark.parametrize("words", ["[GPU{}] ", "node{}: ", "Epoch 1 rank {}: ", "[seed={}] "])
def test_of_processes_beside_each_other_the_first_is_read(read: Reader, words: str) -> None:
    log = "".join(
        words.format(rank) + f"iter {step}: loss {rank}.{step}\n"
        for step in range(9)
        for rank in ((0, 1) if step % 2 else (1, 0))
    )
    (parsed,) = read(prefixed_console, {"a.log": log})
    assert joined(parsed).history["loss"].tolist() == [step / 10 for step in range(9)]
    assert "9 lines of other processes that print the same were left out" in said(parsed)


def test_it_is_asked_behind_the_other_logs(tmp_path: Path) -> None:
    """Words that more lines begin with are none of a log whose own lines begin with steps."""
    own = "".join(f"iter {step}: loss {step}.5\n" for step in range(3))
    saved = "".join(f"saved at step:{step} loss:9.0\n" for step in range(9))
    train = own.replace("iter", "[train] iter")
    for log in (own + saved, train):
        for file, content in (("a.log", log.encode()), ("a.log.gz", gzip.compress(log.encode()))):
            (tmp_path / file).write_bytes(content)
            (run,) = read_run(file, {file: tmp_path / file})
            assert run.joined.history["loss"].to_dict() == {0: 0.5, 1: 1.5, 2: 2.5}
