"""TensorBoard event files: the scalars that TensorFlow, PyTorch, JAX and their like log."""

from __future__ import annotations

import re
import struct
from array import array
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
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
from viz3d.formats.tensorboard_writers import only, writers
from viz3d.formats.tfrecord import records

NAME = "TensorBoard"
NAMES: tuple[str, ...] = ("*.tfevents.*",)

# Of event.proto.
_WALL_TIME, _STEP, _SUMMARY = key(1, FIXED64), key(2, VARINT), key(5, BYTES)
_SESSION, _STATUS, _START = key(7, BYTES), key(1, VARINT), 1
_GRAPHS = (key(4, BYTES), key(9, BYTES))
_VALUE = key(1, BYTES)

_PARTS = re.compile(r"([^0-9]*)([0-9]*)")
_STAMP = re.compile(r"\.tfevents\.(\d{1,18})")

NOT_SCALARS = "{n} value{|s} that {is|are} no scalar {was|were} not read ({names})."
BROKEN = "{n} record{|s} that {is|are} no event {was|were} left out."
TOO_MANY_FIELDS = (
    "{n} record{|s} that {is|are} no event {was|were} left out: {it has|they have} more than "
    "{limit:FIELDS} fields."
)
AT_ONCE = (
    "{n} other file{|s} of the folder {is|are} of another writer, which logged the same tags at "
    "the same time: {it is|they are} no restart, and a run apart."
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
    earlier ones logged from there on. One that logs the same tags at the same time, by half of its
    rows or more, is of another writer, which is a run of its own.

    Raises
    ------
    NotMine
        If none of them is an event file.
    """
    scalars, tallies, declined = _Scalars(), dict[str, Tally](), dict[str, str]()
    names = sorted(files, key=_age)
    for name in names:
        tally = tallies[name] = Tally(name)
        before = scalars.count
        scalars.begin()
        try:
            _read_file(files[name], scalars, tally)
        except (NotMine, OSError) as error:
            declined[name] = "it cannot be read" if isinstance(error, OSError) else str(error)
            tally.add(f"The file was not read: {declined[name]}.")
            continue
        if scalars.count == before:
            tally.add("There are no scalars in it yet.")
    if len(declined) == len(names):
        raise NotMine(declined[names[-1]])
    parts = []
    for of_writer, rows, hparams in scalars.of_writers():
        mine = [names[at] for at in of_writer]
        used = tuple(name for name in mine if name not in declined)
        told = [problem for name in mine for problem in tallies[name].problems()]
        if others := len(names) - len(mine):
            tally = Tally(mine[0])
            tally.add(AT_ONCE, count=others)
            told += tally.problems()
        run = file_name(mine[0]) if others else ""
        parts.append(Parsed(rows, config=hparams, problems=tuple(told), used=used, name=run))
    return parts


def _read_file(path: Path, scalars: _Scalars, tally: Tally) -> None:
    for record in records(path, tally):
        if scalars.count >= limits.SCALARS:
            tally.add(FULL)
            return
        _read_event(record, scalars, tally)


def _age(path: str) -> tuple[int, list[tuple[str, int]], str]:
    """Order files by the time in their names; ``….9`` before ``….10``."""
    stamp = _STAMP.search(file_name(path))
    parts = [(text, int(digits or 0)) for text, digits in _PARTS.findall(path)]
    return int(stamp[1]) if stamp else 0, parts, path


class _Scalars:
    """What the event files of one run logged, in the order of logging."""

    def __init__(self) -> None:
        self.count = 0
        self._hparams: list[dict[str, Any]] = []  # by file
        self._begins: list[int] = []  # the first row of each file
        self._steps, self._clock = array("q"), array("d")
        self._columns: dict[str, tuple[array[int], array[float]]] = {}  # by tag
        self._named: dict[str, tuple[array[int], array[float]]] = {}  # the same by name
        self._alike: set[str] = set()  # tags of a name that is another's
        self._kinds: dict[str, str] = {}
        self._starts: dict[int, int] = {}

    def begin(self) -> None:
        """Begin a file."""
        self._begins.append(len(self._steps))
        self._hparams.append({})

    def configure(self, hparams: Mapping[str, Any]) -> None:
        """Take the hyper-parameters that the file tells."""
        self._hparams[-1].update(hparams)

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
        n = len(self._steps)
        if n == self._begins[-1] or step != self._steps[-1] or n in self._starts:
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

    def of_writers(self) -> Iterator[tuple[list[int], Rows, dict[str, Any]]]:
        """Yield for each writer the places of its files, their rows and hyper-parameters.

        The clock is a column of the rows where no tag is called so.
        """
        steps, clock = np.frombuffer(self._steps, np.int64), np.frombuffer(self._clock)
        columns = {
            name: Cells(np.frombuffer(rows, np.int64), np.frombuffer(values, np.float64))
            for name, (rows, values) in self._named.items()
        }
        found = writers(columns, clock, self._begins, self._starts)
        if columns:
            columns.setdefault(CLOCK, Cells(np.arange(len(steps), dtype=np.int64), clock))
        rows = Rows(steps, columns, starts=self._starts, counted_by="step")
        for files in found:
            mine = only(rows, self._begins, files) if len(found) > 1 else rows
            yield files, mine, dict(ChainMap(*(self._hparams[at] for at in reversed(files))))


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
        scalars.configure(value.hparams)
    else:
        tally.add(NOT_SCALARS, name=kind if kind and kind != SCALARS else "tensors")
