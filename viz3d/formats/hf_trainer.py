"""``trainer_state.json`` of the Hugging Face trainers, TRL's GRPO included."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from viz3d.errors import NotMine
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.json_arrays import load_document
from viz3d.formats.parse import parse_table
from viz3d.formats.remedies import parted
from viz3d.formats.rows import lacking
from viz3d.formats.table_builder import TableBuilder
from viz3d.formats.tally import Tally
from viz3d.run import Problem

NAME = "Hugging Face trainer"
NAMES: tuple[str, ...] = ("trainer_state.json",)

_FILE = re.compile(r"(?:(?P<run>.*?)/)?(?:checkpoint-(?P<step>\d{1,12})/)?trainer_state\.json")
# Where a run stands, not how it was set up.
_STATE = frozenset({"epoch", "global_step", "total_flos", "num_input_tokens_seen", "log_history"})

OLDER = "{n} older state{|s} {was|were} not read: the newest one holds the whole history."
OTHERS = (
    "{n} value{|s} of older states ({names}) {is|are} not in the newest one, which alone was read: "
    "{it|they} may be of another training."
)


def claim(path: str) -> Claim | None:
    """Claim ``trainer_state.json``, also that of a checkpoint, for the run's folder."""
    match = _FILE.fullmatch(path)
    return Claim(match["run"] or "") if match else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read the newest state of a run, and say what only older ones hold.

    Raises
    ------
    NotMine
        If none of the files has a ``log_history``.
    """
    reasons: dict[str, str] = {}
    ages: dict[str, tuple[int, bool, int]] = {}
    newest, state = "", dict[str, Any]()
    for name, path in files.items():
        try:
            found = _state(path)
        except NotMine as reason:
            reasons[name] = str(reason)
            continue
        ages[name] = _age(name, found)
        if ages[name] == max(ages.values()):
            newest, state = name, found
    if not ages:
        raise NotMine("; ".join(dict.fromkeys(reasons.values())))
    parsed = _parsed(state, Tally(newest), newest)
    told = _tell_older({name: files[name] for name in ages if name != newest}, parsed)
    left_out = (Problem(*parted(f"The file was not read: {why}."), name)
                for name, why in reasons.items())  # fmt: skip
    return [replace(parsed, problems=(*parsed.problems, *told, *left_out))]


def _tell_older(older: Mapping[str, Path], newest: Parsed) -> Sequence[Problem]:
    """Say that older states were not read, and of those that hold something else, how much."""
    tally = Tally(newest.used[0])
    for name, path in older.items():
        rows = _parsed(_state(path), Tally(name), name).rows
        if rows and newest.rows and (n := lacking([newest.rows], rows)):
            tally.add(OTHERS, count=n, name=name)
        else:
            tally.add(OLDER)
    return tally.problems()


def _age(name: str, state: Mapping[str, Any]) -> tuple[int, bool, int]:
    """Order states by the step they tell; of one step that of the run's own folder is the last."""
    told, match = state.get("global_step"), _FILE.fullmatch(name)
    step = match["step"] if match else None
    return told if isinstance(told, int) else -1, step is None, int(step or 0)


def _state(path: Path) -> dict[str, Any]:
    state = load_document(path)
    if not isinstance(state, dict) or not isinstance(state.get("log_history"), list):
        raise NotMine("it has no log_history")
    return state


def _parsed(state: Mapping[str, Any], tally: Tally, name: str) -> Parsed:
    builder = TableBuilder(tally)
    for record in state["log_history"]:
        if isinstance(record, dict):
            builder.add(record)
        else:
            tally.add(
                "{n} entr{y|ies} of log_history that {was|were} no object {was|were} left out."
            )
    config = {
        key: value
        for key, value in state.items()
        if key not in _STATE and isinstance(value, str | int | float)
    }
    parsed = parse_table(builder.table(), tally, config=config, step_names=("step",))
    return Parsed(rows=parsed.rows, config=config, problems=parsed.problems, used=(name,))
