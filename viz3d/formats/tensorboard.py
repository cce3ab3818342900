"""TensorBoard event files: the scalars that TensorFlow, PyTorch, JAX and their like log."""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.names import file_name, folder
from viz3d.formats.numbers import ALIKE, TOO_MANY, clean_name
from viz3d.formats.protobuf import (
    BYTES,
    FIXED64,
    VARINT,
    TooManyFields,
    fields,
    key,
    picked,
    signed,
)
from viz3d.formats.rows import Cells, Rows
from viz3d.formats.tally import Tally
from viz3d.formats.tensorboard_values import SCALARS, Summary, summary
from viz3d.formats.tfrecord import records

NAME = "TensorBoard"
NAMES: tuple[str, ...] = ("*.tfevents.*",)

# Of event.proto.
_WALL_TIME, _STEP, _SUMMARY = key(1, FIXED64), key(2, VARINT), key(5, BYTES)
_SESSION, _STATUS, _START = key(7, BYTES), key(1, VARINT), 1
_GRAPHS = (key(4, BYTES), key(9, BYTES))
_VALUE = key(1, BYTES)

_STAMP = re.compile(r"\.tfevents\.(\d{1,18})")

NOT_SCALARS = "{n} value{|s} that {is|are} no scalar {was|were} not read ({names})."
BROKEN = "{n} record{|s} that {is|are} no event {was|were} left out."
TOO_MANY_FIELDS = (
    "{n} record{|s} that {is|are} no event {was|were} left out: {it has|they have} more than "
    "{limit:FIELDS} fields."
)
FULL = "Only the first {limit:SCALARS} scalars were read."
CLOCK = "time"
# A record above this is not copied part by part; for small ones copies are quicker.
LARGE = 64 * 1024


def claim(path: str) -> Claim | None:
    """Claim event files for their folder, which is what TensorBoard calls a run."""
    return Claim(folder(path)) if ".tfevents." in file_name(path) else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read the event files of a folder one after the other, the oldest first.

    Where a later one goes back in steps, or tells that it starts anew, it supersedes what the
    earlier ones logged from there on.

    Raises
    ------
    NotMine
        If none of them is an event file.
    """
    scalars, tallies, used, declined = _Scalars(), [], [], ""
    for name in sorted(files, key=_age):
        tally, before = Tally(name), scalars.count
        tallies.append(tally)
        try:
            _read_file(files[name], scalars, tally)
        except (NotMine, OSError) as error:
            declined = "it cannot be read" if isinstance(error, OSError) else str(error)
            tally.add(f"The file was not read: {declined}.")
            continue
        used.append(name)
        if scalars.count == before:
            tally.add("There are no scalars in it yet.")
    if not used:
        raise NotMine(declined)
    problems = tuple(problem for tally in tallies for problem in tally.problems())
    return [Parsed(scalars.rows(), config=scalars.hparams, problems=problems, used=tuple(used))]


def _read_file(path: Path, scalars: _Scalars, tally: Tally) -> None:
    for record in records(path, tally):
        if scalars.count >= limits.SCALARS:
            tally.add(FULL)
            return
        _read_event(record, scalars, tally)


def _age(path: str) -> tuple[int, int, str]:
    """Order files by the time in their names; ``….9`` before ``….10``."""
    stamp = _STAMP.search(file_name(path))
    return int(stamp[1]) if stamp else 0, len(path), path


class _Scalars:
    """What the event files of one run logged, in the order of logging."""

    def __init__(self) -> None:
        self.count = 0
        self.hparams: dict[str, Any] = {}
        self._steps, self._clock = array("q"), array("d")
        self._columns: dict[str, tuple[array[int], array[float]]] = {}  # by tag
        self._named: dict[str, tuple[array[int], array[float]]] = {}  # the same by name
        self._alike: set[str] = set()  # tags of a name that is another's
        self._kinds: dict[str, str] = {}
        self._starts: dict[int, int] = {}

    def kind(self, tag: str, told: str) -> str:
        """Return what a tag holds: writers may say so with its first value alone."""
        if told and len(self._kinds) < limits.METRICS:
            self._kinds.setdefault(tag, told)
        return told or self._kinds.get(tag, "")

    def start(self, step: int) -> None:
        """Begin a session that supersedes what was logged at `step` and beyond."""
        self._starts[len(self._steps)] = step

    def add(self, step: int, clock: float, tag: str, number: float, tally: Tally) -> None:
        """Append a scalar; those of one step that follow each other make one row."""
        if tag not in self._columns and len(self._columns) >= limits.METRICS:
            tally.add(TOO_MANY)
            return
        if not self._steps or step != self._steps[-1] or len(self._steps) in self._starts:
            self._steps.append(step)
            self._clock.append(clock)
        if tag not in self._columns:
            name = clean_name(tag)
            if name in self._named:
                self._alike.add(tag)
            self._columns[tag] = self._named.setdefault(name, (array("q"), array("d")))
        if tag in self._alike:
            tally.add(ALIKE, name=clean_name(tag))
        rows, values = self._columns[tag]
        rows.append(len(self._steps) - 1)
        values.append(number)
        self.count += 1

    def rows(self) -> Rows:
        """Return the rows of the log, with the clock as a column where no tag is called so."""
        columns = {
            name: Cells(np.frombuffer(rows, np.int64), np.frombuffer(values, np.float64))
            for name, (rows, values) in self._named.items()
        }
        if columns:
            every = np.arange(len(self._steps), dtype=np.int64)
            columns.setdefault(CLOCK, Cells(every, np.frombuffer(self._clock)))
        steps = np.frombuffer(self._steps, np.int64)
        return Rows(steps, columns, starts=self._starts, counted_by="step")


def _read_event(record: bytes | memoryview, scalars: _Scalars, tally: Tally) -> None:
    if len(record) > LARGE:
        record = memoryview(record)
    try:
        event = picked(record, _WALL_TIME, _STEP, _SESSION, _SUMMARY, *_GRAPHS)
        step = signed(event.get(_STEP, 0))
        (clock,) = struct.unpack("<d", event.get(_WALL_TIME, bytes(8)))
        if picked(event.get(_SESSION, b""), _STATUS).get(_STATUS) == _START:
            scalars.start(step)
        for field, value in fields(event.get(_SUMMARY, b"")):
            if field == _VALUE:
                _take(summary(value), step, clock, scalars, tally)
    except TooManyFields:
        tally.add(TOO_MANY_FIELDS)
        return
    except ValueError:
        tally.add(BROKEN)
        return
    for graph in _GRAPHS:
        if graph in event:
            tally.add(NOT_SCALARS, name="graphs")


def _take(value: Summary, step: int, clock: float, scalars: _Scalars, tally: Tally) -> None:
    kind = scalars.kind(value.tag, value.kind)
    if kind == SCALARS and value.number is not None:
        scalars.add(step, clock, value.tag, value.number, tally)
    elif value.hparams is not None:
        scalars.hparams.update(value.hparams)
    else:
        tally.add(NOT_SCALARS, name=kind if kind and kind != SCALARS else "tensors")
