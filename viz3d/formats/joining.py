"""Rows of a log, joined on the logged step.

A log is a sequence of rows in the order in which they were written. Several rows may belong to one
step (training and evaluation, two calls of a logger), and after a restart the steps go back. Here
rows become a history with one row per step; what a restart superseded is kept aside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats import limits
from viz3d.formats.attempts import MAX_RESTARTS, attempt_starts, survivors
from viz3d.formats.columns import ColumnsBuilder
from viz3d.formats.rows import CLOCKS, Cells, Rows
from viz3d.formats.steps import counts_steps

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.formats.tally import Tally

BEYOND = (
    "The last {n} step{|s} {was|were} left out, because a history has at most "
    "{limit:HISTORY_CELLS} cells: steps times metrics, whether logged or not."
)
ASIDE_BEYOND = (
    "{n} superseded row{|s} {was|were} left out, because with the history they have more than "
    "{limit:HISTORY_CELLS} cells."
)
UNLISTED = (
    "{n} value{|s} that {is|are} not finite {is|are} shown as missing: the first "
    "{limit:NONFINITE} are listed."
)

SPENT = Cells(np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True)
class Joined:
    """Rows joined on the step.

    Attributes
    ----------
    history, attempts, nonfinite : pandas.DataFrame
        As in `viz3d.run.Run`; `attempts` may be empty.
    replaced : int
        Values that gave way to another one logged later for the same metric and step.
    restarts : int
        How often the steps went back.
    resorted : bool
        True when the steps were in no order, so that they were sorted and no restart was sought.
    beyond, aside_beyond, unlisted : int
        Steps of the history, superseded rows and values that are not finite for which the caps
        leave no room.
    """

    history: pd.DataFrame
    attempts: pd.DataFrame
    nonfinite: pd.DataFrame
    replaced: int = 0
    restarts: int = 0
    resorted: bool = False
    beyond: int = 0
    aside_beyond: int = 0
    unlisted: int = 0

    @property
    def cells(self) -> int:
        """How many the history and what was set aside have, empty ones among them."""
        return self.history.size + self.attempts.size

    def tell(self, tally: Tally) -> None:
        """Count in `tally` what was replaced, superseded, sorted or left out."""
        if self.resorted:
            tally.add("The steps are in no order, so the rows were sorted by step.")
        if self.restarts:
            tally.add(
                f"The steps go back {_times(self.restarts)} (a restart): {{n}} row{{|s}} of "
                "earlier attempts {was|were} superseded and kept aside.",
                count=len(self.attempts),
            )
        if self.replaced:
            tally.add(
                "{n} value{|s} {was|were} logged again at the same step with another value; the "
                "later one was kept.",
                count=self.replaced,
            )
        too_much = {BEYOND: self.beyond, ASIDE_BEYOND: self.aside_beyond, UNLISTED: self.unlisted}
        for what, count in too_much.items():
            if count:
                tally.add(what, count=count)


def join_rows(
    rows: Rows, *, spend: bool = False, room: int | None = None, only: Collection[str] | None = None
) -> Joined:
    """Join rows of one step, and set aside what a restart superseded.

    The same metric twice at one step keeps the later value. Where steps go back, the earlier rows
    at or beyond the step of the restart are superseded; a late row of metrics that were not yet
    logged that far (an evaluation that took its time) is joined instead. A clock is no such metric,
    and that it went on is no other value; nor is an epoch, or whatever else counts steps.

    Parameters
    ----------
    rows : Rows
    spend : bool
        Whether the cells of `rows` are given up one column after the other, so that never two
        copies of all are held. The names of its columns stay.
    room : int, optional
        Cells that there may be; by default as many as the cap says.
    only : collection of str, optional
        Metrics to join; of the others is only seen where the steps go back. By default all.

    Returns
    -------
    Joined
    """
    metrics = [
        cells.row
        for name, cells in rows.columns.items()
        if name not in CLOCKS and not counts_steps(name)
    ]
    told = _told_starts(rows)
    starts = _attempt_starts(rows.step, metrics, sorted(told))
    del metrics
    if only is not None:
        wanted = {name: cells for name, cells in rows.columns.items() if name in only}
        rows = replace(rows, columns=wanted)
    kept, attempt = survivors(rows.step, starts or (), told)
    steps, place = _places(rows.step, kept)
    most = (limits.HISTORY_CELLS if room is None else room) // max(1, len(rows.columns))
    history, gone = ColumnsBuilder(steps[:most]), np.flatnonzero(~kept)
    beside = gone[: most - len(history.steps)]
    attempts = {"attempt": attempt[beside] + 1, "step": rows.step[beside]}
    aside, set_aside = ColumnsBuilder(attempts["step"]), _place(beside, None, len(rows.step))
    del kept, attempt
    for metric, cells in _largest_first(rows, spend=spend):
        history.add(metric, [(cells.row, cells.value, place)], counted=metric not in CLOCKS)
        if len(beside):
            aside.add(metric, [(cells.row, cells.value, set_aside)])
    return Joined(
        history=history.frame(rows.columns),
        attempts=_attempts(attempts, aside.columns, rows.columns),
        nonfinite=history.nonfinite(rows.columns),
        replaced=history.replaced,
        restarts=len(starts or ()),
        resorted=starts is None,
        beyond=len(steps) - len(history.steps),
        aside_beyond=len(gone) - len(beside),
        unlisted=history.unlisted,
    )


def _largest_first(rows: Rows, *, spend: bool) -> Iterator[tuple[str, Cells]]:
    """Yield the columns; given up, the largest make room for the others."""
    for metric in sorted(rows.columns, key=lambda name: -len(rows.columns[name].row)):
        cells = rows.columns[metric]
        if spend:
            rows.columns[metric] = SPENT
        yield metric, cells


def no_rows() -> Joined:
    """Return what a log without any row is joined to."""
    return join_rows(Rows(np.empty(0, np.int64), {}))


def _told_starts(rows: Rows) -> dict[int, int]:
    """Return those of the log's own starts that supersede anything."""
    if not rows.starts or len(rows.starts) > MAX_RESTARTS:
        return {}
    top = np.maximum.accumulate(rows.step)
    return {
        row: step
        for row, step in rows.starts.items()
        if 0 < row < len(top) and top[row - 1] >= step
    }


def _attempt_starts(
    step: np.ndarray, metrics: Sequence[np.ndarray], told: Sequence[int]
) -> list[int] | None:
    """Return the rows at which attempts begin: those told, and those found between them."""
    if not told:
        return attempt_starts(step, metrics)
    starts = list(told)
    for begin, end in pairwise([0, *told, len(step)]):
        parts = [rows[slice(*np.searchsorted(rows, (begin, end)))] - begin for rows in metrics]
        starts += [begin + row for row in attempt_starts(step[begin:end], parts) or ()]
    return sorted(starts)


def _places(step: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the steps of the history, and where each row goes: -1 for nowhere, None for as is."""
    whole = kept.all()
    if whole and (step[1:] > step[:-1]).all():
        return step, None
    chosen, order = step if whole else step[kept], None
    if not (chosen[1:] >= chosen[:-1]).all():
        order = np.argsort(chosen, kind="stable")
        chosen = chosen[order]
    new = np.append(True, chosen[1:] != chosen[:-1])[: len(chosen)]
    rows = np.flatnonzero(kept)
    rows = rows if order is None else rows[order]
    return chosen[new], _place(rows, np.cumsum(new, dtype=np.int32) - 1, len(step))


def _place(rows: np.ndarray, places: np.ndarray | None, n: int) -> np.ndarray:
    """Say of each of `n` rows where it goes: those given to their places, else in a sequence."""
    place = np.full(n, -1, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32) if places is None else places
    return place


def _attempts(
    about: Mapping[str, np.ndarray], columns: Mapping[str, np.ndarray], order: Iterable[str]
) -> pd.DataFrame:
    import pandas as pd

    # A metric may be called "step" or "attempt"; the first two columns are ours.
    logged = {
        metric if metric not in about else f"{metric} (logged)": columns[metric]
        for metric in order
        if metric in columns
    }
    return pd.DataFrame({**about, **logged}, copy=False)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
