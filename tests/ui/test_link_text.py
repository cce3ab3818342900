"""What a link says of its data: read back as written, junk is nothing, names by digest."""

from __future__ import annotations

from urllib.parse import quote

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.run import Run
from viz3d.ui.link_text import (
    State,
    brief,
    change,
    decode,
    encode,
    is_long,
    spell_out,
    state_of,
)

states = st.none() | st.builds(
    State,
    digest=st.text("0123456789abcdef", min_size=12, max_size=12),
    rows=st.integers(0, 2**40),
    last=st.none() | st.integers(-(2**63), 2**63 - 1),
)


def run(steps: list[int], digest: str = "a" * 64, name: str = "r") -> Run:
    history = pd.DataFrame({"loss": 1.0}, index=pd.Index(steps, dtype="int64", name="step"))
    return Run(name, "s", history, digest=digest)


@settings(deadline=None)
@given(st.lists(states, min_size=1, max_size=12))
def test_states_are_read_as_they_were_written(written: list[State | None]) -> None:
    """In the same order, those of runs that could not be read included."""
    text = encode(written)
    assert decode(text) == tuple(written)
    assert quote(text) == text, "nothing in it needs escaping"


@settings(deadline=None)
@given(st.text() | st.text("0123456789abcdef._-~+ \ud800\x00"))
def test_junk_is_no_state(text: str) -> None:
    """Whatever stands there is either a state that could have been written, or none."""
    read = decode(text)
    assert len(read) <= 1000
    assert decode(encode(read)) == read


@pytest.mark.parametrize(
    "text",
    ["", ".", "0123456789ab", "0123456789ab.-1.2", "0123456789ab.1_0.2", "0123456789AB.1.2",
     "0123456789ab.1.2 ", "0123456789ab. 1.2", "0123456789ab.١.2", "0123456789ab.nan.inf",
     "0123456789ab." + "f" * 100_000 + ".1"],
)  # fmt: skip
def test_what_is_nearly_a_state_is_none(text: str) -> None:
    """Signs, spaces, other digits and endless numbers are junk, not numbers."""
    assert set(decode(text)) == {None}


def test_endless_data_is_read_to_a_bound() -> None:
    """A link of 100,000 states costs no more than one of a thousand."""
    assert len(decode("0123456789ab.1.2_" * 100_000)) == 1000


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=6, unique=True), st.data())
def test_digests_become_names_again(names: list[str], data: st.DataObject) -> None:
    """By name or by digest, a link means the same run; what it cannot mean stays as it is."""
    values = [data.draw(st.sampled_from([name, brief(name)])) for name in names]
    assert spell_out(values, names) == names
    assert spell_out(["~", "~000000000000"], names) == ["~", "~000000000000"]


def test_a_run_that_is_called_like_a_digest_is_itself() -> None:
    """A name comes before what it could stand for."""
    other = brief("other")
    assert spell_out([other], ["other", other]) == [other]


@pytest.mark.parametrize(
    ("name", "long"),
    [("x" * 60, False), ("x" * 61, True), ("a/b:c d" * 8, False), ("训" * 6, False),
     ("训" * 7, True), ("\ud800" * 70, True)],
)  # fmt: skip
def test_length_is_that_in_the_address(name: str, long: bool) -> None:
    """Other alphabets take nine characters a letter there."""
    assert is_long(name) is long


def test_state_is_that_of_the_digest_and_the_last_row() -> None:
    """Of a file of several runs: all rows, the last run's last step, one digest over all."""
    assert state_of([]) is None
    assert state_of([run([])]) == State("a" * 12, 0, None)
    assert state_of([run([1, 5, 9])]) == State("a" * 12, 3, 9)
    assert state_of([run([1, 5, 9]), run([0, 2])]) == State("a" * 12, 5, 2)
    both = state_of([run([1]), run([2], "b" * 64)])
    assert both is not None
    assert both.digest not in ("a" * 12, "b" * 12)


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        ([0, 10, 20], [0, 10, 20], "was rewritten since the link was made (3 steps then, 3 now)."),
        ([0, 10], [0, 10, 20],
         "grew: 1 more step since the link was made (now 3; last step then 10)."),
        ([0, 10], [0, 5, 10, 20], "was rewritten since the link was made (2 steps then, 4 now)."),
        ([0, 10], [0, 11, 20], "was rewritten since the link was made (2 steps then, 3 now)."),
        ([0, 10, 20], [0, 10], "was rewritten since the link was made (3 steps then, 2 now)."),
        ([0], [], "was rewritten since the link was made (1 step then, 0 now)."),
        ([], [0, 1], "grew: 2 more steps since the link was made (now 2; last step then none)."),
    ],
    ids=["values", "grown", "rows between", "other steps", "shorter", "emptied", "first rows"],
)  # fmt: skip
def test_grown_means_that_the_old_steps_still_lead(
    then: list[int], now: list[int], words: str
) -> None:
    """The row that was the last must still be where it was, with more behind it."""
    before = state_of([run(then)])
    assert before is not None
    assert change(before, [run(now, "b" * 64)]) == words
    assert change(before, [run(now)]) == "", "the same digest is the same data"


def test_file_of_several_runs_grows_at_its_end() -> None:
    """A second run begun in a console log is growth of the log."""
    before = state_of([run([0, 1]), run([0, 1])])
    assert before is not None
    assert change(before, [run([0, 1], "b" * 64), run([0, 1, 2], "b" * 64)]).startswith("grew: 1 ")


@settings(deadline=None)
@given(states, st.lists(st.integers(-(2**60), 2**60), unique=True, max_size=5))
def test_any_state_of_a_link_can_be_compared(then: State | None, steps: list[int]) -> None:
    """Numbers that nobody measured are answered like any others."""
    if then is not None:
        assert isinstance(change(then, [run(sorted(steps))]), str)
