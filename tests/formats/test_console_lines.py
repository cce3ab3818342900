"""Where lines of consoles begin, behind what others print before them."""

from __future__ import annotations

import pytest

from viz3d.errors import NotMine
from viz3d.formats import (
    llmc_console,
    modded_nanogpt,
    nanochat_console,
    nanogpt_console,
    verl_console,
)
from viz3d.formats.base import Format

from .conftest import Reader, joined, said

BEHIND = "of a step behind other words"
CONSOLES = (
    (nanogpt_console, "iter {step}: loss {loss}, time 84.20ms"),
    (nanochat_console, "step {step} | loss: {loss} | lrm: 1.0"),
    (verl_console, "step:{step} - loss:{loss} - time:1.0"),
    (modded_nanogpt, "step:{step}/5,100 loss:{loss} lr:1.0"),
    (llmc_console, "step {step}/9 | loss {loss} | norm 2.0 | 90.10 ms"),
)
consoles = pytest.mark.parametrize(("form", "line"), CONSOLES)


@consoles
@pytest.mark.parametrize(
    "before",
    [
        "\r 20%|##        | 20/100 [00:00<00:10,  9.50it/s]",
        "\r 20%|##        | 20/100 [00:00<00:10,  9.50it/s] ",
        "step 1:  20%|##        | 20/100 [00:00<00:10, 9.50it/s, loss=3.2]",
        "(TaskRunner pid=87031) ", "[rank0]: ", "[1,0]<stdout>:", "3: ", "[2025-01-01 12:00:00] ",
        "2025-01-01 12:00:00,123 INFO ", "2025-01-01 12:00:00,123 - INFO - __main__ - ",
        "INFO:root:", "2025-01-01 12:00:00.123 | INFO     | train:step:12 - ",
        "2025-01-01T12:00:00.123456Z ", "I0101 12:00:00.123456 7 train.py:10] ", "\x1b[32m  ",
        "Epoch 3: 20it [00:01, 19.00it/s]", "[default0]:", "[0] ", "[rank: 0] ", "[Rank 0] ",
        "(main_task pid=1, ip=10.0.0.1) ", "2025-01-01 12:00:00,123 - trainer - INFO - ",
        "[2025-01-01 12:00:00,123][__main__][INFO] - ", "12:00 ",
        "[2025-01-01 12:00:00,123] [INFO] [logging.py:96:log] [Rank 0] ", "[INFO|a.py:7] >> ",
        "01/02/2025 12:00:00 - INFO - a - ", "12:00:00 - nano-gpt - INFO - ", "INFO:a-b.c:",
        "INFO | retrieval.a:<module>:12 - ",
        "0: [rank0]: INFO:  20%|##        | 20/100 [00:00<00:10] 7it [00:01, ?it/s]",
    ],
)  # fmt: skip
def test_a_line_is_read_behind_what_others_print(
    read: Reader, form: Format, line: str, before: str
) -> None:
    """Bars of progress, ranks, times and loggers."""
    log = "".join(
        (before if step == 20 else "") + line.format(step=step, loss=4.0) + "\n"
        for step in (10, 20, 30)
    )
    (parsed,) = read(form, {"a.log": log})
    assert joined(parsed).history.index.tolist() == [10, 20, 30]
    assert BEHIND not in said(parsed)


@pytest.mark.parametrize(
    ("form", "line"), [case for case in CONSOLES if case[0] is not nanochat_console]
)
@pytest.mark.parametrize(
    "before",
    [
        "best so far: ", "[eval] ", "[best]: ", "best model -> ", "Checkpoint saved at 12:03:04 ",
        "saved to a/b.pt [0] ", "saved 2 [12:03:04] ", "best | ", "[rank0]: [best] ",
        "INFO - best model -> ", "INFO: best: ", "INFO:eval:", "INFO - Checkpoint - ",
        "12:00:00 | INFO | best - ", "2025-01-01 12:00:00,123 - trainer.eval - INFO - ",
        "12:00:00 INFO: resumed: ", "2025-01-01 12:00:00.123 | INFO | a:evaluate:12 - ",
        "[2025-01-01 12:00:00,123][best_model][INFO] - ",
    ],
)  # fmt: skip
def test_a_step_that_passed_is_told_and_no_restart(
    read: Reader, form: Format, line: str, before: str
) -> None:
    """Words before it speak of a step that has been."""
    lines = [line.format(step=step, loss=4.0) for step in (10, 20, 30)]
    lines.append(before + line.format(step=10, loss=3.0))
    (parsed,) = read(form, {"a.log": "\n".join([*lines, ""])})
    found = joined(parsed)
    assert found.history.index.tolist() == [10, 20, 30]
    assert found.restarts == 0
    assert f"1 line that tells {BEHIND} was left out: '{before}" in said(parsed)
    with pytest.raises(NotMine):
        read(form, {"a.log": lines[-1] + "\n"})


@consoles
def test_thousands_of_steps_may_have_commas(read: Reader, form: Format, line: str) -> None:
    log = "".join(line.format(step=f"{step:,}", loss=4.0) + "\n" for step in range(0, 2001, 200))
    (parsed,) = read(form, {"a.log": log})
    assert joined(parsed).history.index.tolist() == [*range(0, 2001, 200)]


@consoles
def test_a_step_whose_comma_may_part_no_thousands_is_told(
    read: Reader, form: Format, line: str
) -> None:
    """Where another comma of the file parts none, or that of the step does not."""
    lines = [line.format(step=step, loss=loss) for step, loss in (("1,000", "4.0"), (7, "4,21"))]
    lines += [line.format(step=9, loss=4.0), line.format(step="1,00", loss=4.0), ""]
    (parsed,) = read(form, {"a.log": "\n".join(lines)})
    assert joined(parsed).history.index.tolist() == [7, 9]
    assert "2 numbers with a comma that parts no thousands were left out (step)" in said(parsed)


@pytest.mark.parametrize(
    ("form", "line", "wanted"),
    [
        (
            nanogpt_console, "iter 7: loss 2.5, time 84.20 ms, tok/s 12000, grad-norm 1.0",
            {"loss": 2.5, "dt_ms": 84.2, "tok/s": 12000, "grad-norm": 1.0},
        ),
        (
            nanochat_console, "step 7 | loss: 2.5 | dt: 84.20 ms | epoch: 1 m: 3 | elapsed: 3 h",
            {"loss": 2.5, "dt_ms": 84.2, "epoch": 1, "m": 3, "elapsed_h": 3},
        ),
        (
            modded_nanogpt, "step:7/9 loss:2.5 time:84.20 ms m:3 s:4",
            {"loss": 2.5, "time_ms": 84.2, "m": 3, "s": 4},
        ),
    ],
)  # fmt: skip
def test_a_unit_may_stand_behind_a_space(
    read: Reader, form: Format, line: str, wanted: dict[str, float]
) -> None:
    """And names may hold more than letters; what follows with a colon is no unit but a name."""
    (parsed,) = read(form, {"a.log": line + "\n"})
    assert joined(parsed).history.loc[7].to_dict() == wanted
    assert "not read" not in said(parsed)


@pytest.mark.parametrize(
    ("form", "line", "values", "unread"),
    [
        (nanogpt_console, "iter 7: loss 2.5 (mean 4.1)", {"loss": 2.5}, "(mean 4.1)"),
        (nanogpt_console, "iter 7: loss 2.5, elapsed 1h 23m", {"loss": 2.5}, "elapsed 1h23m"),
        (nanogpt_console, "iter 7: loss 2.5, elapsed 3 of 5", {"loss": 2.5}, "elapsed 3 of 5"),
        (nanochat_console, "step 7 | loss: 2.5 | t: 1h 23m", {"loss": 2.5}, "t: 1h23m"),
        (nanochat_console, "step 7 | loss: 2.5 | t: 1 h 23 min", {"loss": 2.5}, "t: 1h23min"),
        (nanochat_console, "step 7 | loss: 2.5 | t: 2d 1.5h", {"loss": 2.5}, "t: 2d1.5h"),
        (nanochat_console, "step 7 | loss: 2.5 | tokens: 1.2B", {"loss": 2.5}, "tokens: 1.2B"),
        (nanochat_console, "step 7 | loss: 2.5 | lr(a: None)", {"loss": 2.5}, "a: None"),
        (verl_console, "step:7 - b:1.0 - a:None", {"b": 1.0}, "a:None"),
        (verl_console, "step:7 - b:1.0 - a:tensor(0.3)", {"b": 1.0}, "a:tensor(0.3)"),
        (modded_nanogpt, "step:7/9 loss:2.5 t:1h 23m", {"loss": 2.5}, "t:1h23m"),
        (modded_nanogpt, "step:7/9 loss:2.5 a:None", {"loss": 2.5}, "a:None"),
        (modded_nanogpt, "step:7/9 loss:2.5 50%/lr:3", {"loss": 2.5}, "50%/lr:3"),
        (nanochat_console, f"step 7 | loss: 2.5 | {'x' * 60}: 3", {"loss": 2.5}, f"{'x' * 60}: 3"),
        (
            llmc_console, "step 7/9 | loss 2.5 | norm n/a | lr off | 9.0 ms | 3 GPUs",
            {"train_loss": 2.5, "dt_ms": 9.0}, "3 GPUs",
        ),
    ],
)  # fmt: skip
def test_what_a_line_says_and_nobody_reads_is_told(
    read: Reader, form: Format, line: str, values: dict[str, float], unread: str
) -> None:
    """And makes no wrong number."""
    (parsed,) = read(form, {"a.log": line + "\n"})
    assert joined(parsed).history.loc[7].to_dict() == values
    assert f"1 part of lines that tell of a step was not read: '{unread}'." in said(parsed)


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        (nanogpt_console, ("iter 7: loss 2.5", "iter 8: loss None, time 3ms")),
        (nanochat_console, ("step 7 | loss: 2.5", "step 8 | loss: None")),
        (verl_console, ("step:7 - loss:2.5", "step:8 - loss:None")),
        (modded_nanogpt, ("step:7/9 loss:2.5", "step:8/9 loss:None")),
    ],
)
def test_a_line_that_gives_no_row_is_told(
    read: Reader, form: Format, lines: tuple[str, str]
) -> None:
    (parsed,) = read(form, {"a.log": "\n".join([*lines, ""])})
    assert joined(parsed).history.index.tolist() == [7]
    assert "a.log:2: 1 part of lines that tell of a step was not read" in said(parsed)


def test_words_between_the_numbers_say_no_value(read: Reader) -> None:
    """They are passed over as other lines are."""
    (parsed,) = read(nanogpt_console, {"a.log": "iter 7: loss 2.5, saved to a.pt\n"})
    assert parsed.problems == ()


def epochs(line: str, n: int = 3) -> str:
    rows = ((epoch, step) for epoch in range(n) for step in (0, 10, 20))
    return "".join(line.format(step=step, epoch=e, loss=3 - e - step / 100) for e, step in rows)


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (nanogpt_console, "iter {step}, epoch {epoch}, loss: {loss}\n"),
        (nanochat_console, "step {step} | loss: {loss} | epoch: {epoch}\n"),
        (modded_nanogpt, "step:{step}/30 epoch:{epoch} loss:{loss}\n"),
    ],
)
def test_steps_that_begin_anew_with_each_epoch_are_no_runs(
    read: Reader, form: Format, line: str
) -> None:
    """Nor restarts; how many steps an epoch has is not known, so the rows are numbered."""
    (parsed,) = read(form, {"a.log": epochs(line)})
    found = joined(parsed)
    assert found.history.index.tolist() == [*range(9)]
    assert found.history["loss"].round(2).tolist() == [3, 2.9, 2.8, 2, 1.9, 1.8, 1, 0.9, 0.8]
    assert found.history["step_of_epoch"].tolist() == [0, 10, 20] * 3
    assert found.restarts == 0
    assert "The steps begin anew 2 times where an epoch begins" in said(parsed)
    assert "the rows were numbered from 0" in said(parsed)
    first, second = read(form, {"a.log": epochs(line) * 2})
    assert len(joined(first).history) == len(joined(second).history) == 9


def test_a_restart_may_begin_another_epoch(read: Reader) -> None:
    steps = [(50 * n, 0) for n in range(9)] + [(50 * n, 1) for n in range(6, 12)]
    log = "".join(f"iter {step}, epoch {epoch}, loss: 3\n" for step, epoch in steps)
    (parsed,) = read(nanogpt_console, {"a.log": log})
    assert joined(parsed).history.index.tolist() == [*range(0, 600, 50)]
    assert joined(parsed).restarts == 1


def test_an_epoch_in_two_lines_of_the_first_step_is_no_new_run(read: Reader) -> None:
    log = "step:0/9 epoch:0 val_loss:11\nstep:0/9 epoch:{} loss:11\nstep:1/9 epoch:1 loss:10\n"
    for epoch in (0, 1):
        (parsed,) = read(modded_nanogpt, {"a.log": log.format(epoch)})
        assert joined(parsed).history.index.tolist() == [0, 1]


def test_one_line_of_each_epoch_is_no_run(read: Reader) -> None:
    log = "".join(f"iter 0, epoch {epoch}, loss: {3 - epoch}\n" for epoch in range(3))
    (parsed,) = read(nanogpt_console, {"a.log": log})
    assert joined(parsed).history["loss"].tolist() == [3, 2, 1]


def test_a_step_that_goes_on_beside_that_of_the_epoch_counts(read: Reader) -> None:
    line = "iter {step}, epoch {epoch}, global_step {all}, loss: {loss}\n"
    log = "".join(
        line.format(step=at % 3, epoch=at // 3, all=at * 5, loss=3 - at / 9) for at in range(9)
    )
    (parsed,) = read(nanogpt_console, {"a.log": log})
    assert joined(parsed).history.index.tolist() == [*range(0, 45, 5)]


def test_steps_that_go_on_through_the_epochs_count(read: Reader) -> None:
    """What is measured behind an epoch stands at its last step; a restart sends both back."""
    lines = [f"iter {at}, epoch {at // 3}, loss: 3\n" for at in (*range(7), *range(4, 9))]
    lines[3:3] = ["iter 2, epoch 1, val loss: 4\n"]
    (parsed,) = read(nanogpt_console, {"a.log": "".join(lines)})
    assert joined(parsed).history.index.tolist() == [*range(9)]
    assert joined(parsed).restarts == 1


UNENDED = "The last line has no line end"


@consoles
def test_a_last_line_without_an_end_may_be_cut(read: Reader, form: Format, line: str) -> None:
    """Within a number, as text does not say, where it is shorter; what is no row may be."""
    one = line.format(step=1, loss=3.25) + "\n"
    two = line.format(step=2, loss=3.2)
    for log in (one + two, one + two[:-1], one + "\r bar\r" + two, two):
        (parsed,) = read(form, {"a.log": log})
        cut = 2 in joined(parsed).history.index
        assert (f"a.log:{log.count(chr(10)) + 1}: {UNENDED}" in said(parsed)) == cut
    assert UNENDED in said(read(form, {"a.log": one + two})[0])
    as_long = line.format(step=2, loss=4.25)
    for log in (one + two + "\n", one + two + "\r", one + "saved", one + as_long):
        assert UNENDED not in said(read(form, {"a.log": log})[0])


def test_it_is_told_of_the_run_that_the_line_is_of(read: Reader) -> None:
    log = "iter 0: loss 2.5\niter 1: loss 2.5\niter 0: loss 2.5\niter 1: loss 2"
    first, second = read(nanogpt_console, {"a.log": log})
    assert UNENDED not in said(first)
    assert f"a.log:4: {UNENDED}" in said(second)


def test_an_evaluation_or_a_pass_may_be_cut_too(read: Reader) -> None:
    evaluated = "step 1/9 | loss 3.5 | 90.10 ms\nval loss 3."
    assert UNENDED in said(read(llmc_console, {"a.log": evaluated})[0])
    line = "Step 1/9 | Example step 0 | Pass {} | loss: 0.5 | average reward: 0.{}"
    passes = "\n".join(map(line.format, (0, 1), (25, 2)))
    assert f"a.log:2: {UNENDED}" in said(read(nanochat_console, {"a.log": passes})[0])
