"""Tables in which text says what a row is about: one metric of several, or a part of the data."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.numbers import NOT_NUMBERS, TOO_MANY, clean_name
from viz3d.formats.rows import CLOCKS, Cells, interleaved
from viz3d.formats.several_runs import tells_apart
from viz3d.formats.steps import counts_steps, find_step
from viz3d.formats.table import LABELS, Table
from viz3d.formats.tally import Tally

# Compared without regard to case. MLflow has a key and a value, TensorBoard a tag and a value.
METRICS = ("key", "metric", "tag", "name")
VALUE = "value"
PARTS = ("split", "phase", "mode")
# Of a table of more rows no text is read: for each row it takes more memory than several numbers.
ROWS = 2_000_000


def texts(names: Collection[str], table: Table) -> set[str]:
    """Return the columns that may say what a row is about, and hold no number.

    Parameters
    ----------
    names : collection of str
        Of all columns.
    table : Table
        As it is read without their text.
    """
    asked = {name for name in names if name.lower() in (*METRICS, *PARTS)}
    return asked - {*table.columns, *table.labels}


def is_small(table: Table, asked: Collection[str], tally: Tally) -> bool:
    """Say whether the text of some columns is to be read.

    Parameters
    ----------
    table : Table
        As it is read without it.
    asked : collection of str
        As `texts` gives them.
    tally : Tally
        Is told of text that is not.

    Raises
    ------
    NotMine
        If without it nobody could say of which metric a value is.
    """
    if table.n <= ROWS:
        return True
    named = [name for name in asked if name.lower() in METRICS]
    if named and find_step(table) and _value(table):
        raise NotMine(
            f"its column {named[0]!r} names a metric for each of more than {ROWS:,} rows; write a "
            "column for each metric, or fewer rows into each file"
        )
    for name in sorted(asked):
        tally.add(
            f"{{n}} column{{|s}} of text {{was|were}} not read since there are more than {ROWS:,} "
            "rows, so kinds of rows were not told apart ({names}).",
            name=name,
            remedy="Write each kind of rows into a file of its own if there are several.",
        )
    return False


def unfolded(table: Table, tally: Tally) -> Table:
    """Give metrics that stand below each other a column each.

    Parameters
    ----------
    table : Table
        Loses text that says what a row is about, but for the names of layers.
    tally : Tally
        Is told of text that went, and of metrics beyond the cap.

    Raises
    ------
    NotMine
        If rows of another kind log the same at the same step: one would hide the other.
    """
    step = find_step(table)
    if step is None or "grad_norm" in table.columns:
        asked = [name for name in table.labels if name not in LABELS]
    else:
        asked = [name for name in table.labels if name.lower() in (*METRICS, *PARTS)]
    # Parts of the data are compared metric by metric.
    for name in sorted(asked, key=lambda name: name.lower() in PARTS):
        cells = table.labels.pop(name)
        value = _value(table) if _names_metrics(name, cells) else None
        if step is not None and value is not None:
            values = table.columns.pop(value)
            table.columns.update(_by_name(table, values, cells, tally))
            continue
        tally.add(NOT_NUMBERS, count=len(cells.row), name=name)
        if step is not None and (n := tells_apart(table, step, cells, of_runs=False)):
            raise NotMine(
                f"its column {name!r} tells {n:,} kinds of rows apart that log the same; write "
                "each into columns or a file of its own"
            )
    return table


def _names_metrics(name: str, cells: Cells) -> bool:
    """Say whether text may name metrics; one name in all rows is rather that of a run."""
    return name.lower() in METRICS and (name.lower() != "name" or len({*cells.value}) > 1)


def _value(table: Table) -> str | None:
    """Return the only column that is neither a step nor a clock, if it is called a value."""
    others = [name for name in table.columns if name not in CLOCKS and not counts_steps(name)]
    return others[0] if [name.lower() for name in others] == [VALUE] else None


def _by_name(table: Table, values: Cells, names: Cells, tally: Tally) -> dict[str, Cells]:
    """Return the values of each name; those without one stay values."""
    import pandas as pd

    codes, known = pd.factorize(names.value)  # in order of appearance
    code = np.full(table.n, -1)
    code[names.row] = codes
    code = code[values.row]
    if beyond := np.count_nonzero(code >= limits.METRICS):
        tally.add(TOO_MANY, count=int(beyond))
    order = np.argsort(code, kind="stable")
    each = np.split(order, np.searchsorted(code[order], np.arange(len(known))))
    columns: dict[str, Cells] = {}
    for text, rows in zip([VALUE, *known[: limits.METRICS]], each, strict=False):
        name = clean_name(text)
        if name in table.columns or counts_steps(name):
            name = f"{VALUE}/{name}"
        if len(rows):
            cells = Cells(values.row[rows], values.value[rows])
            columns[name] = interleaved(columns.get(name), cells)
    return columns
