"""What nanochat's training scripts print: base, midtraining, SFT and RL, through its history."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats import text
from viz3d.formats.base import Parsed
from viz3d.formats.console import LOG_KIND, LOG_NAMES, MAX_LINE, claim_log, read_alike
from viz3d.formats.console_lines import step_of, tell_unread
from viz3d.formats.console_ranks import Ranks
from viz3d.formats.console_runs import Pairs, PrintedRuns
from viz3d.formats.printed_numbers import STEP, VALUE, Numbers, solid, with_unit
from viz3d.formats.tally import Tally
from viz3d.run import Problem

NAME = "nanochat log"

_LINE = re.compile(
    rf"(?:^|[\s\]|>:])[Ss]tep\s+(?P<step>{STEP})(?P<of>/[\d,]+)?(?P<done> \([^)]*\))?\s*\|"
    r"(?P<rest>.*)"
)
# Bounds on names and spaces: a line of one letter 8,000 times would take seconds without.
_GROUP = re.compile(r"(\w{1,50})\(([^()]*)\)")
_WORD = r"[A-Za-z][\w@/.\-]{0,50}"
_PAIR = re.compile(
    rf"(?<![\w@/.\-])({_WORD}(?: {_WORD}){{0,5}})\s{{0,9}}[: ]\s{{0,9}}{VALUE}(?=[\s,|]|$)",
    re.IGNORECASE,
)
# As printed -> as the field calls it. Everything else keeps its name, with _ for a space.
_NAMES = {
    "Validation bpb": "val_bpb",
    "Validation loss": "val_loss",
    "Training loss": "train_loss",
    "Average reward": "reward",
    "Average sequence length": "sequence_length",
}
_SMOOTHED = Problem(
    "nanochat prints a moving average of the training loss, not the loss of each step.",
    "Record the run with viz3d.Recorder to see the loss of each step.",
)

KIND = LOG_KIND
NAMES = LOG_NAMES
claim = claim_log


@dataclass
class _Passes:
    """The forward passes of one RL step, waiting to be averaged."""

    step: int = -1
    line: int = 0
    values: dict[str, list[float | None]] = field(default_factory=lambda: defaultdict(list))


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one log; what is printed between the step lines is passed over.

    Raises
    ------
    NotMine
        If no line of it says ``step N | name: value``.
    """
    return read_alike(files, _read)


def _read(name: str, path: Path, number: Numbers, ranks: Ranks) -> list[Parsed]:
    runs, tally = PrintedRuns(name), Tally(name)
    passes = _Passes()
    for at, raw in text.lines(path, tally):
        if b"tep" not in raw or b"|" not in raw or len(raw) > MAX_LINE:
            continue
        match = _LINE.search(line := text.printed(raw))
        pairs, unread = _values(solid(match["rest"]), number) if match else ([], [])
        tell_unread(unread, tally, at)
        values = dict(pairs)
        step = step_of(match["step"], number, tally, at) if match and values else None
        before = line[: match.start() + 1] if match else ""
        if not match or step is None or not ranks.take(before, step, values, tally, at):
            continue
        runs.came_from(at, raw)
        is_pass = "Example_step" in values and "Pass" in values
        if passes.values and (step != passes.step or not is_pass):
            _flush(passes, runs, values if step == passes.step else {})
        if is_pass:
            passes.step, passes.line = step, passes.line if passes.values else at
            for key, value in values.items():
                if key not in ("Example_step", "Pass"):
                    passes.values[key].append(value)
        else:
            runs.add(step, pairs, at, _kind(match, values))
    if passes.values:
        _flush(passes, runs, {})
    if not runs.kinds:
        raise NotMine("no line of it reads `step N | name: value`")
    return _with_notes(runs, runs.parsed(path, tally), name)


def _values(rest: str, number: Numbers) -> tuple[Pairs, list[str]]:
    """Return the numbers of a line, and what of it was not read.

    ``lr(adamw:…, muon:…)`` becomes lr/adamw and lr/muon.
    """
    plain = _GROUP.sub("", rest)
    groups = _GROUP.findall(rest)
    pairs = [
        (f"{group}/{with_unit(key, unit)}", number(value))
        for group, inside in groups
        for key, value, unit in _PAIR.findall(inside)
    ]
    for key, value, unit in _PAIR.findall(plain):
        pairs.append((with_unit(_NAMES.get(key, key.replace(" ", "_")), unit), number(value)))
    left = (_PAIR.sub("", inside) for _, inside in groups)
    return pairs, [*left, *_PAIR.sub("", plain).split("|")]


def _kind(match: re.Match[str], values: Mapping[str, float | None]) -> str:
    """Return the training stage that prints such a line."""
    if "reward" in values or any(key.startswith("Pass@") for key in values):
        return "rl"
    if "train_loss" in values or "val_loss" in values:
        return "sft"
    if match["of"] and match["done"]:
        return "base"
    if match["done"]:
        # Midtraining and the later SFT script print the same line, but for the epoch.
        return "sft" if "epoch" in values else "mid"
    return ""


def _flush(passes: _Passes, runs: PrintedRuns, summary: Mapping[str, float | None]) -> None:
    """Log the mean over the passes of a step, but for what the step's own line says better."""
    means = {key: _mean(found) for key, found in passes.values.items() if key not in summary}
    count = max(len(found) for found in passes.values.values())
    runs.add(passes.step, means, passes.line, "rl")
    if runs.current is not None:
        runs.current.add(
            "{n} printed pass{|es} {was|were} averaged into one row per step.", count=count
        )
    passes.values.clear()


def _mean(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if len(numbers) == len(values) else None


def _with_notes(runs: PrintedRuns, pieces: Sequence[Parsed], file: str) -> list[Parsed]:
    """Say of each run whether the loss that it printed is smoothed."""
    noted = []
    for kind, parsed in zip(runs.kinds, pieces, strict=True):
        smoothed = parsed.rows is not None and "loss" in parsed.rows.columns and kind != "rl"
        notes = (replace(_SMOOTHED, file=file),) if smoothed else ()
        noted.append(replace(parsed, problems=(*parsed.problems, *notes)))
    return noted
