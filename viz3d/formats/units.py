"""What each format made of the files of one run, before it is decided what belongs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from viz3d.errors import NoFormat, NotMine
from viz3d.formats import FORMATS, hf_trainer, room, viz3d_run
from viz3d.formats.base import Format, Parsed
from viz3d.formats.origins import Reasons
from viz3d.formats.peek import by_content
from viz3d.formats.rows import Rows, lacking
from viz3d.formats.table import numbers_of
from viz3d.formats.tally import Tally
from viz3d.run import counted

# A row of layers takes as much room as so many numbers.
LAYER_NUMBERS = 10


@dataclass(frozen=True)
class Unit:
    """Pieces that one format read together and calls by one name: it knows that they belong.

    Attributes
    ----------
    path : str
        The first file they come from.
    form : Format
    name : str
        Of a run among several in the same files, else empty.
    parts : tuple of Parsed
    """

    path: str
    form: Format
    name: str
    parts: tuple[Parsed, ...]

    @property
    def is_run(self) -> bool:
        """Whether there is a history in it, or layers."""
        return any(part.rows is not None or part.layers is not None for part in self.parts)

    @property
    def metrics(self) -> set[str]:
        """The metrics of its history."""
        return {metric for rows in self.rows for metric in rows.columns}

    @property
    def rows(self) -> list[Rows]:
        """The histories in it."""
        return [part.rows for part in self.parts if part.rows is not None]

    @property
    def counts(self) -> set[str]:
        """What the steps of its histories count, as `viz3d.run.counted` has it."""
        return {counted(rows.counted_by) for rows in self.rows if len(rows.step)}

    @property
    def tells(self) -> bool:
        """Whether there is a row in it."""
        return bool(self.counts) or any(part.layers is not None for part in self.parts)

    @property
    def is_beside(self) -> bool:
        """Whether it is claimed for itself, and only lies in the folder of a run."""
        claim = self.form.claim(self.path)
        return claim is None or claim.run == self.path


def read_units(name: str, files: Mapping[str, Path]) -> tuple[list[Unit], Reasons, list[str]]:
    """Ask each format for its files; those claimed for a folder are handed over together.

    Parameters
    ----------
    name : str
        Of the run, for messages.
    files : mapping of {path in the source: local path}

    Returns
    -------
    units : list of Unit
    reasons : mapping of {path: list of (format, reason)}
        What formats said that declined.
    left : list of str
        Files that none of them read.

    Raises
    ------
    NoFormat
        If no format can read any of them.
    """
    units: list[Unit] = []
    reasons: Reasons = {path: [] for path in files}
    left = dict(files)
    understood, held = False, 0
    for form in FORMATS:
        for batch, beside in _batches(form, left):
            try:
                with room.beside(held):
                    parts = [replace(part, format=form.NAME) for part in form.read(batch)]
            except (NotMine, OSError) as error:
                reason = "it cannot be read" if isinstance(error, OSError) else str(error)
                for path in batch:
                    reasons[path].append((form.NAME, reason))
                continue
            understood |= not beside
            held += sum(map(_numbers, parts))
            for run in dict.fromkeys(part.name for part in parts):
                mine = tuple(part for part in parts if part.name == run)
                units.append(Unit(next(iter(batch)), form, run, mine))
            for path in {used for part in parts for used in part.used}:
                left.pop(path, None)
    if not understood:
        raise NoFormat(name, list(dict.fromkeys(said for path in left for said in reasons[path])))
    return units, reasons, [path for path in left if reasons[path]]


def _numbers(part: Parsed) -> int:
    """Count the numbers that a piece holds, as `viz3d.formats.limits.NUMBERS` counts them."""
    rows = numbers_of(part.rows.columns.values()) if part.rows else 0
    return rows + LAYER_NUMBERS * (0 if part.layers is None else len(part.layers))


def _batches(form: Format, files: Mapping[str, Path]) -> list[tuple[dict[str, Path], bool]]:
    """Return what to hand to a format at once, and whether it only adds to a run."""
    mine = {path: claim for path in files if (claim := form.claim(path) or by_content(form, path))}
    together = {path: files[path] for path, claim in mine.items() if claim.run != path}
    alone = [
        ({path: files[path]}, claim.beside) for path, claim in mine.items() if claim.run == path
    ]
    return ([(together, False)] if together else []) + alone


def without_states(units: Sequence[Unit], reasons: Reasons) -> list[Unit]:
    """Leave out the state of a trainer whose metrics viz3d recorded, and say what only it holds."""
    record = next((unit for unit in units if unit.form is viz3d_run and unit.metrics), None)
    if record is None:
        return list(units)
    kept = []
    for unit in units:
        if unit.form is not hf_trainer or not unit.metrics & record.metrics:
            kept.append(unit)
            continue
        path = unit.parts[0].used[0]
        reasons[path].append((hf_trainer.NAME, "the record of viz3d tells of the same training"))
        tally = Tally(path)
        if n := sum(lacking(record.rows, rows) for rows in unit.rows):
            tally.add(
                "The file was left out, as the record of viz3d tells of the same training, but {n} "
                "value{|s} in it {is|are} not in the record.",
                count=n,
                remedy="Open the file by itself to see all that it holds.",
            )
        kept.append(replace(unit, parts=(Parsed(problems=tally.problems(), aside=path),)))
    return kept


def without_other_counts(units: Sequence[Unit], reasons: Reasons) -> list[Unit]:
    """Leave out files beside a run that count something else than its step, such as epochs.

    Joined on the step their rows would stand where they do not belong.
    """
    own = {count for unit in units if not unit.is_beside for count in unit.counts}
    kept = []
    for unit in units:
        if unit.name or not (own and unit.counts and unit.is_beside) or own & unit.counts:
            kept.append(unit)
            continue
        theirs = ", ".join(sorted(unit.counts))
        tally = Tally(unit.path)
        tally.add(
            f"The file was left out: its rows are counted by {theirs}, those of the run by "
            f"{', '.join(sorted(own))}.",
            remedy="Open it by itself, or log the step of the run in it.",
        )
        reasons[unit.path].append((unit.form.NAME, f"its rows are counted by {theirs}"))
        left_out = Parsed(problems=tally.problems(), aside=unit.path)
        kept.append(replace(unit, parts=(left_out,)))
    return kept
