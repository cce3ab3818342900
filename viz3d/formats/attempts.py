"""Finds where a log was restarted, from the order of its steps alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

# More restarts than this are not restarts: the writer had no order.
MAX_RESTARTS = 200


def attempt_starts(step: np.ndarray, columns: Sequence[np.ndarray]) -> list[int] | None:
    """Return the rows at which a new attempt begins.

    A row begins an attempt when its step is lower than one before it and one of its metrics was
    already logged beyond that step. A late row of other metrics does not.

    Parameters
    ----------
    step : numpy.ndarray, shape (n,), int64
        In the order of the log.
    columns : sequence of numpy.ndarray
        For each metric the ascending rows at which it was logged.

    Returns
    -------
    list of int or None
        Ascending; None when the log is in no order at all, so that restarts cannot be told.
    """
    if not goes_back(step).any():
        return []
    # Columns of a full table share their rows, which saves looking at each of them.
    distinct = list({id(rows): rows for rows in columns}.values())
    turns = [rows[1:][goes_back(step[rows])] for rows in distinct]
    back = np.unique(np.concatenate(turns)) if turns else np.empty(0, np.int64)
    if _in_no_order(len(back), len(step) - 1, len(distinct)):
        return None
    starts: list[int] = []
    top, seen = np.iinfo(np.int64).min, 0
    for row in back.tolist():
        top = max(top, int(step[seen:row].max()))
        seen = row
        gone_back = [rows for rows, turn in zip(distinct, turns, strict=True) if row in turn]
        if step[row] < top and _logged_beyond(step, starts, row, gone_back):
            starts.append(row)
            top = int(step[row])
        if len(starts) > MAX_RESTARTS:
            return None
    return starts


def _in_no_order(n_back: int, n_turns: int, n_columns: int) -> bool:
    """Tell a log without order from one with restarts, by how many of its rows go back.

    A restart sends each metric back once. Descending logs go back at every row, shuffled ones at
    about every second.
    """
    often = n_back >= 3 and 3 * n_back > n_turns
    return n_back == n_turns or often or n_back > MAX_RESTARTS * n_columns


def goes_back(step: np.ndarray) -> np.ndarray:
    """Say of each step but the first whether it is below the one before.

    Their difference may be too large for the type, and would then have the other sign.
    """
    return np.asarray(step[1:] < step[:-1])


def survivors(
    step: np.ndarray, starts: Sequence[int], told: Mapping[int, int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Say which rows no later attempt superseded.

    Parameters
    ----------
    step : numpy.ndarray, shape (n,), int64
    starts : sequence of int
        As `attempt_starts` gives them.
    told : mapping of {int: int}, optional
        The steps at which some of them began, where the log tells them; else that of their row.

    Returns
    -------
    kept : numpy.ndarray, shape (n,), bool
    attempt : numpy.ndarray, shape (n,), int64
        Number of each row's attempt, from 0.
    """
    begin = np.asarray(starts, dtype=np.int64)
    attempt = np.searchsorted(begin, np.arange(len(step)), side="right")
    if not len(begin):
        return np.ones(len(step), dtype=bool), attempt
    # Rows of attempt a stand only below the lowest step at which a later attempt begins.
    first = np.array([min((told or {}).get(row, step[row]), step[row]) for row in starts])
    lowest_later = np.minimum.accumulate(first[::-1])[::-1]
    kept = np.ones(len(step), dtype=bool)
    earlier = attempt < len(begin)
    kept[earlier] = step[earlier] < lowest_later[attempt[earlier]]
    return kept, attempt


def _logged_beyond(
    step: np.ndarray, starts: Sequence[int], row: int, columns: Sequence[np.ndarray]
) -> bool:
    """Say whether one of `columns` has a surviving value beyond the step of `row`, before it."""
    for rows in columns:
        before = rows[: int(np.searchsorted(rows, row))]
        beyond = before[step[before] > step[row]]
        if starts and len(beyond):
            kept, _ = survivors(step[:row], starts)
            beyond = beyond[kept[beyond]]
        if len(beyond):
            return True
    return False
