"""Rows of a W&B history, wherever they come from: which of their values are numbers of a run.

A row is what one step of W&B's own counter holds: ``{"_step": 7, "_runtime": 1.5, "_timestamp": …,
"step": 3, "train/loss": 2.1, "sample": {"_type": "image-file", …}}``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from viz3d.formats import limits
from viz3d.formats.steps import STEP_NAMES, to_rows
from viz3d.formats.table_builder import TableBuilder

if TYPE_CHECKING:
    from viz3d.formats.room import Room
    from viz3d.formats.rows import Rows
    from viz3d.formats.table import Table
    from viz3d.formats.tally import Tally

# W&B counts its own calls; what a program logged as its step says more, an epoch says less.
OWN = "_step"
NAMES = (*(name for name in STEP_NAMES if name not in (OWN, "epoch")), OWN, "epoch")
# What W&B writes for itself.
INTERNAL = "_wandb"

MEDIA = "{n} value{|s} of media (images, tables, histograms) {was|were} left out ({names})."
TWICE = "{n} value{|s} of a name that stood twice in a row {was|were} left out ({names})."
DEEP = "{n} value{|s} nested deeper than {limit:DEPTH} levels {was|were} left out."


class WandbRows(TableBuilder):
    """Collects rows; values that are no numbers are left out and counted.

    Attributes
    ----------
    values : int
        That were in the rows.
    """

    def __init__(self, tally: Tally, room: Room | None = None) -> None:
        super().__init__(tally, room=room)
        self.values = 0

    def add(self, record: Mapping[str, Any], line: int | None = None) -> None:
        """Append one row.

        Parameters
        ----------
        record : mapping of {key: value}
            As W&B holds it: NaN and infinities may be text, what is nested (in a dict) becomes
            ``outer/inner``, media is left out.
        line : int, optional
            Where it stands, for messages.
        """
        if any(isinstance(value, dict) for value in record.values()):
            flat = list(self._flat(record, "", 0, line))
            record = dict(flat)
            for name, times in Counter(name for name, _ in flat).items():
                if times > 1:
                    self._tally.add(TWICE, line=line, count=times - 1, name=name)
        self.values += len(record)
        super().add(record, line)

    def _flat(
        self, row: Mapping[str, Any], outer: str, depth: int, line: int | None
    ) -> Iterator[tuple[str, Any]]:
        for key, value in row.items():
            name = f"{outer}{key}"
            if not isinstance(value, dict):
                yield name, value
            elif name == INTERNAL:
                continue
            elif "_type" in value:
                self._tally.add(MEDIA, line=line, name=name)
            elif depth == limits.DEPTH:
                self._tally.add(DEEP, line=line)
            else:
                yield from self._flat(value, f"{name}/", depth + 1, line)


def to_log(table: Table, tally: Tally) -> Rows:
    """Turn a table of W&B's rows into rows of a log, on the step that the program logged.

    Only where it logged none, W&B's own count of calls is the step.

    Parameters
    ----------
    table : Table
    tally : Tally

    Returns
    -------
    Rows
    """
    rows = to_rows(table, tally, NAMES)
    # Where another column is the step, the count of calls tells nothing more.
    return replace(rows, columns={k: v for k, v in rows.columns.items() if k != OWN})


def plain_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{"lr": 0.1}`` for a config as W&B holds it, ``{"lr": {"value": 0.1, …}}``.

    What W&B adds for itself is left out.
    """
    return {
        str(key): value["value"] if isinstance(value, Mapping) and "value" in value else value
        for key, value in config.items()
        if key not in (INTERNAL, "wandb_version")
    }
