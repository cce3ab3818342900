"""The runs of a console log: rows at printed steps, and where the next run begins."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from viz3d.formats import limits, text
from viz3d.formats.base import Parsed
from viz3d.formats.console_lines import NO_THOUSANDS
from viz3d.formats.parse import parse_table
from viz3d.formats.room import Room
from viz3d.formats.steps import STEP_NAMES
from viz3d.formats.table_builder import TableBuilder
from viz3d.formats.tally import Tally
from viz3d.formats.text import UNENDED

NO_MFU = "{n} MFU{|s} below 0, which says that it is not known, {was|were} left out."
TOO_MANY_RUNS = "{n} row{|s} of runs behind the first {limit:RUNS} {was|were} left out."
TWICE = "{n} metric{|s} stood twice in a line, the last one was kept ({names})."
EPOCHS = (
    "The steps begin anew {n} time{|s} where an epoch begins, which is no restart: they are shown "
    "as the metric step_of_epoch."
)
# What may count the rows of a run in which `step` is that of an epoch.
_STEPS_OF_ALL = tuple(name for name in STEP_NAMES if name not in ("step", "epoch"))
Pairs = Sequence[tuple[str, float | None]]
Printed = Mapping[str, float | None] | Pairs


@dataclass
class _Run:
    builder: TableBuilder
    tally: Tally
    first: int
    last: int
    at: int
    stride: int = 0  # from the first step to the next one
    epoch: float = math.inf
    epochs: int = 0  # that send the steps back
    kinds: list[str] = field(default_factory=list)
    at_first: set[str] = field(default_factory=set)
    reached: dict[str, int] = field(default_factory=dict)  # the last step of each metric

    def parsed(self) -> Parsed:
        """Return what the rows are; where each epoch counts its own steps they are numbered."""
        table = self.builder.table()
        if not self.epochs or "step" not in table.columns:  # for which there may be no room
            return parse_table(table, self.tally)
        self.tally.add(EPOCHS, count=self.epochs)
        table.columns["step_of_epoch"] = table.columns.pop("step")
        return parse_table(table, self.tally, step_names=_STEPS_OF_ALL)


class PrintedRuns:
    """Collects the rows of a log and begins a new run where the steps return to the first one.

    Parameters
    ----------
    file : str
        The file's path in the source.
    mfu_may_lack : bool
        Whether an MFU below 0 says that there is none: llm.c prints -100 where it does not know the
        GPU, nanoGPT for its first steps.
    """

    def __init__(self, file: str, *, mfu_may_lack: bool = False) -> None:
        self._file, self._mfu_may_lack = file, mfu_may_lack
        self._runs: list[_Run] = []
        self._room, self._full = Room(), False
        self._line, self._last, self._before = 0, b"", b""

    def came_from(self, line: int, raw: bytes) -> None:
        """Take note of a line that tells something."""
        self._line, self._last, self._before = line, raw, self._last

    def add(self, step: int, printed: Printed, line: int, kind: str = "") -> None:
        """Append what one line says about a step.

        Parameters
        ----------
        step : int
        printed : mapping of {metric: value}, or sequence of (metric, value)
            None for what is no number; that is told, and what stands there twice.
        line : int
        kind : str
            What kind of run prints such lines; empty when several kinds do.
        """
        pairs = [*printed.items()] if isinstance(printed, Mapping) else printed
        values = {name: value for name, value in pairs if value is not None}
        new = not self._runs or _is_new(self._runs[-1], step, values, kind)
        self._full |= new and len(self._runs) >= limits.RUNS
        if self._full:
            self._runs[-1].tally.add(TOO_MANY_RUNS, line=line)
            return
        if new:
            tally = Tally(self._file)
            self._runs.append(_Run(TableBuilder(tally, room=self._room), tally, step, step, step))
        run = self._runs[-1]
        run.epochs += _begins_epoch(run, step, values)
        run.at, run.epoch = step, values.get("epoch", run.epoch)
        run.stride = run.stride or max(0, step - run.first)
        run.reached |= {name: max(step, run.reached.get(name, step)) for name in values}
        if kind and kind not in run.kinds:
            run.kinds.append(kind)
        run.last = max(run.last, step)
        if step == run.first:
            run.at_first.update(values.keys() - {"epoch"})  # which each line of a step may have
        if len(values) < len(pairs):
            _tell_lost(pairs, run.tally, line)
        if self._mfu_may_lack and values.get("mfu", 0.0) < 0:
            run.tally.add(NO_MFU, line=line)
            values = {name: value for name, value in values.items() if name != "mfu"}
        run.builder.add({**values, "step": step}, line)

    @property
    def current(self) -> Tally | None:
        """The tally of the run that is being read."""
        return self._runs[-1].tally if self._runs else None

    def parsed(self, path: Path, of_file: Tally) -> list[Parsed]:
        """Return the runs; they have names where there are several.

        Parameters
        ----------
        path : pathlib.Path
        of_file : Tally
            What was counted of the file as a whole; the first run tells it.
        """
        # One that is cut within its last number is shorter than its neighbour, most likely.
        shorter = not self._before or len(self._last) < len(self._before)
        if shorter and self._last == text.unended(path):
            self._runs[-1].tally.add(UNENDED, line=self._line)
        names = _unique_names(self.kinds)
        self._runs[0].tally.take(of_file)
        pieces = [run.parsed() for run in self._runs]
        return [
            Parsed(rows=piece.rows, problems=piece.problems, used=piece.used, name=name)
            for piece, name in zip(pieces, names, strict=True)
        ]

    @property
    def kinds(self) -> list[str]:
        """What kind of run each one is; empty where no line says so."""
        return [next(iter(run.kinds), "") for run in self._runs]


def _tell_lost(pairs: Sequence[tuple[str, float | None]], tally: Tally, line: int) -> None:
    """Tell what a line says and its row does not hold."""
    for name, value in pairs:
        if value is None:
            tally.add(NO_THOUSANDS, line=line, name=name)
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            tally.add(TWICE, line=line, name=name, count=times - 1)


def _is_new(run: _Run, step: int, values: Mapping[str, float], kind: str) -> bool:
    """Say whether a row at `step` cannot belong to `run` any more.

    A run that was broken off after its first line returns to the first step without having left
    it; then the same metric stands there twice. A stage that follows another may begin later, but
    a line of another kind may also come late.
    """
    stage = bool(kind and run.kinds) and kind not in run.kinds
    if stage and any(run.reached.get(name, step) > step for name in values):
        return True
    if step > run.first or _begins_epoch(run, step, values):
        return False
    return step < run.first or run.last > run.first or bool(run.at_first & values.keys())


def _begins_epoch(run: _Run, step: int, values: Mapping[str, float]) -> bool:
    """Say whether the step goes back because an epoch begins that counts its own."""
    if not values.get("epoch", -math.inf) > run.epoch:
        return False
    # A restart, too, may begin another epoch, but not where the first one began.
    back = step < run.at and step <= run.first + run.stride
    return back or (step == run.first and bool(run.at_first & values.keys()))


def _unique_names(kinds: Sequence[str]) -> list[str]:
    if len(kinds) == 1:
        return [""]
    total, seen = Counter(kinds), Counter[str]()
    names = []
    for kind in kinds:
        seen[kind] += 1
        plain = kind or "run"
        names.append(f"{plain}-{seen[kind]}" if total[kind] > 1 or not kind else plain)
    return names
