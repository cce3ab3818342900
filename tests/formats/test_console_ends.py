"""The last line of a console that has no line end."""

from __future__ import annotations

from viz3d.formats import llmc_console, nanochat_console, nanogpt_console
from viz3d.formats.base import Format

from .conftest import Reader, joined, said
from .test_console_lines import consoles

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
