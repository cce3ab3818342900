"""``trainer_state.json`` of the Hugging Face trainers, TRL's GRPO included."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from viz3d.errors import NotMine
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.json_arrays import load_document
from viz3d.formats.parse import parse_table
from viz3d.formats.table_builder import TableBuilder
from viz3d.formats.tally import Tally

NAME = "Hugging Face trainer"
NAMES: tuple[str, ...] = ("trainer_state.json",)

_FILE = re.compile(r"(?:(?P<run>.*?)/)?(?:checkpoint-(?P<step>\d{1,12})/)?trainer_state\.json")
# Where a run stands, not how it was set up.
_STATE = frozenset({"epoch", "global_step", "total_flos", "num_input_tokens_seen", "log_history"})


def claim(path: str) -> Claim | None:
    """Claim ``trainer_state.json``, also that of a checkpoint, for the run's folder."""
    match = _FILE.fullmatch(path)
    return Claim(match["run"] or "") if match else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read the newest state of a run, which holds the whole history.

    Raises
    ------
    NotMine
        If none of the files has a ``log_history``.
    """
    reasons = []
    by_age = sorted(files, key=_age, reverse=True)
    for at, name in enumerate(by_age):
        try:
            state = _state(files[name])
        except NotMine as reason:
            reasons.append(str(reason))
            continue
        tally = Tally(name)
        if older := by_age[at + 1 :]:
            tally.add(
                "{n} older state{|s} {was|were} not read: the newest one holds the whole history.",
                count=len(older),
            )
        return [_parsed(state, tally, used=(name,))]
    raise NotMine("; ".join(dict.fromkeys(reasons)))


def _age(name: str) -> tuple[bool, int]:
    """Order states: that of the run's own folder is written last, checkpoints by their step."""
    match = _FILE.fullmatch(name)
    step = match["step"] if match else None
    return step is None, int(step or 0)


def _state(path: Path) -> dict[str, Any]:
    state = load_document(path)
    if not isinstance(state, dict) or not isinstance(state.get("log_history"), list):
        raise NotMine("it has no log_history")
    return state


def _parsed(state: Mapping[str, Any], tally: Tally, used: tuple[str, ...]) -> Parsed:
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
    return Parsed(rows=parsed.rows, config=config, problems=parsed.problems, used=used)
