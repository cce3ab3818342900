"""Of a log that has grown the end alone is parsed, unless only the whole log can tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from viz3d import load_entries
from viz3d.errors import Viz3dError
from viz3d.formats.tally import Tally
from viz3d.load import load_runs
from viz3d.parsed import growth

from .opening import ROWS, assert_same, kept


@pytest.mark.parametrize(
    "more",
    [
        [{"step": 50, "loss": 1}, {"step": 50, "loss": 2}],  # logged again
        [{"step": 49, "loss": 1}],
        [{"step": 52, "loss": 1}, {"step": 51, "loss": 1}],
        [{"step": 3, "loss": 1}],  # a restart
        [{"step": 50, "new": 1}],
        [{"step": 50, "loss": True}],
        [{"step": 50.5, "loss": 1}],
        [{"loss": 1}],
        [{"global_step": 50, "loss": 1}],
        [{"step": 50, "name": "h.0", "loss": 1}],
    ],
)
def test_what_only_the_whole_log_can_tell_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, more: list[dict[str, Any]]
) -> None:
    """Repeats, restarts, new metrics and odd rows count as if the log had been read at once."""
    load_runs(folder)
    with (folder / "a.jsonl").open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in more)
    found = load_runs(folder)
    monkeypatch.setattr(load_entries, "WORTH", 10**9)
    assert_same(found, load_runs(folder))


def test_a_label_may_turn_out_to_be_of_layers(folder: Path) -> None:
    """A number that was the same in all rows tells layers apart with what was added."""
    row = '{"step": %d, "layer": %d, "grad_norm": 1, "loss": 2}\n'
    (folder / "a.jsonl").write_text("".join(row % (step, 12) for step in range(50)))
    assert load_runs(folder)[0].layers is None
    with (folder / "a.jsonl").open("a") as file:
        file.writelines(row % (step, layer) for step in range(50, 110) for layer in (12, 13))
    layers = load_runs(folder)[0].layers
    assert layers is not None
    assert len(layers) == 50 + 2 * 60


def test_a_log_in_no_order_may_turn_out_to_have_restarts(folder: Path) -> None:
    """That is seen from how many rows go back, so from all of them."""
    lines = [f'{{"step": {step}, "loss": {step}}}\n' for step in (3, 2, 1, *range(4, 20))]
    (folder / "a.jsonl").write_text("".join(lines[:3]))
    assert "in no order" in str(load_runs(folder)[0].problems)
    (folder / "a.jsonl").write_text("".join(lines))
    assert "a restart" in str(load_runs(folder)[0].problems)


def test_a_last_line_without_an_end_may_go_on(folder: Path) -> None:
    """It was a row then, and is none with what was added."""
    (folder / "a.jsonl").write_text(ROWS.rstrip())
    assert load_runs(folder)[0].index[-1] == 49
    (folder / "a.jsonl").write_text(ROWS.rstrip() + '{"step": 50, "loss": 1}\n')
    (run,) = load_runs(folder)
    assert run.index[-1] == 48
    assert run.problems[0].line == 50


def test_of_a_grown_log_the_end_alone_is_parsed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept of its beginning makes room for what is kept of it all."""
    load_runs(folder)
    more = '{"step": 50, "lr": 0.5, "loss": NaN}\n{"step": 51, "loss": 0.25}\n'
    with (folder / "a.jsonl").open("a") as file:
        file.write(more)
    monkeypatch.setattr(load_entries, "read_run", None)
    (run,) = load_runs(folder)
    assert run.history["loss"].loc[51] == 0.25
    assert run.nonfinite["step"].tolist() == [50]
    assert len(kept(folder)) == 1
    last = '{"step": 52, "loss": 1}\n'
    (folder / "a.jsonl").write_text((ROWS + more).replace("3.0", "4.0", 1) + last)
    with pytest.raises(TypeError):  # another beginning: it would be parsed as a whole
        load_runs(folder)


def test_of_a_grown_table_the_end_alone_is_parsed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of which the end alone has fractions is one of numbers all along."""
    (folder / "a.jsonl").unlink()
    (folder / "a.csv").write_text("step,loss,lr\n0,3,1\n1,2,5\n")
    load_runs(folder)
    with (folder / "a.csv").open("a") as file:
        file.write("2,1.5,nan\n3,1,7\n")
    with monkeypatch.context() as patch:
        patch.setattr(load_entries, "read_run", None)
        (run,) = load_runs(folder)
    assert run.history["loss"].to_dict() == {0: 3, 1: 2, 2: 1.5, 3: 1}
    assert run.nonfinite["step"].tolist() == [2]
    monkeypatch.setattr("viz3d.formats.limits.NUMBERS", 4 * (1 + 2 + 4))
    load_runs(folder)
    with (folder / "a.csv").open("a") as file:
        file.write("4,1,1\n")
    with pytest.raises(Viz3dError, match="VIZ3D_MAX_NUMBERS"):  # the cap is on all of it
        load_runs(folder)


def test_of_a_table_that_looks_different_now_no_row_is_taken(folder: Path) -> None:
    """Which delimiter it has, its first rows say together."""
    begun = "step,a|b\n0,1\n"
    (folder / "a.csv").write_text(begun + "1,2\n")
    assert growth._csv(folder / "a.csv", Tally(""), len(begun), b"")[1].n == 1
    (folder / "a.csv").write_text(begun + "1|2\n2|3\n")
    assert growth._csv(folder / "a.csv", Tally(""), len(begun), b"")[1].n == 0


def test_a_log_that_grows_beyond_a_cap_is_cut_as_a_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Piece by piece it would grow without end."""
    load_runs(folder)
    monkeypatch.setattr("viz3d.formats.limits.HISTORY_CELLS", 110)
    load_runs(folder)  # under another key, as caps are part of it
    with (folder / "a.jsonl").open("a") as file:
        file.writelines(f'{{"step": {step}, "loss": 1, "lr": 2}}\n' for step in range(50, 60))
    (run,) = load_runs(folder)
    assert len(run.index) == 55
    assert any("The last 5 steps were left out" in str(problem) for problem in run.problems)
