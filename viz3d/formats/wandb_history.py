"""The history of a W&B run as it is kept here: one Parquet file with a column per metric.

A cell without a value was not logged; NaN means that NaN was logged. The description of the run,
and the count of what could not be kept, stand in the file's own metadata.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.errors import NotMine
from viz3d.formats import limits, parquet
from viz3d.formats.arrow import from_arrow
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.room import Room, over
from viz3d.formats.rows import Cells
from viz3d.formats.table import Table, stack
from viz3d.formats.tally import Tally
from viz3d.formats.wandb_rows import OWN, WandbRows, plain_config, to_log

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

NAME = "W&B history"
FILE = "wandb-history.parquet"
NAMES: tuple[str, ...] = (FILE,)

_FILE = re.compile(rf"(?:(?P<run>.*)/)?{re.escape(FILE)}", re.DOTALL)
# Cells that are written together: most of them may be empty. Rows, where there are many columns.
AT_ONCE, FEWEST = 4_000_000, 4_096
PIECES = 8  # in which those are read, since all the numbers of a run stand beside them
_KEY, _SCHEMA = b"viz3d.wandb", 1
NOT_KEPT = "it is no history that viz3d kept of a W&B run"
NOT_AN_OBJECT = "{n} row{|s} that {was|were} no JSON object {was|were} left out."
LARGE = "with what is kept of it, it holds more than {limit:NUMBERS} numbers"
LARGE_CONFIG = "The config is larger than {limit:CONFIG_BYTES}, so it was left out."


def claim(path: str) -> Claim | None:
    """Claim the file for the folder that it lies in."""
    match = _FILE.fullmatch(path)
    return Claim(match["run"] or "") if match else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read a history and the description of its run.

    Raises
    ------
    NotMine
        If it was not written by `pack`.
    """
    ((name, path),) = files.items()
    tally = Tally(name)
    about = _about(path, tally)
    table = stack(_kept(path, tally), tally, cut=True)
    run = about["run"]
    own = {key: run[key] for key in ("id", "state", "created", "tags") if run.get(key)}
    config = {**plain_config(run.get("config", {})), "_wandb": own}
    rows = to_log(table, tally)
    if not table.n:
        tally.add("The run has no history on W&B.")
    if missing := run.get("missing", 0):
        tally.add(
            "W&B counts {n} more row{|s} of this run than it handed out.", count=missing,
            remedy="Look at the run's page on W&B; a rewound run counts rows that are gone.",
        )  # fmt: skip
    return [Parsed(rows=rows, config=config, problems=tally.problems(), used=(name,))]


def pack(older: Path | None, lines: Iterable[str], run: Mapping[str, Any]) -> bytes:
    """Return a history as a file of this format.

    The same rows give the same bytes, whether they came at once or in pieces.

    Parameters
    ----------
    older : pathlib.Path or None
        What `pack` made of the rows before.
    lines : iterable of str
        The further rows, each a JSON object as W&B holds it.
    run : mapping
        The description: ``id``, ``name``, ``state``, ``created``, ``tags``, ``config``.

    Raises
    ------
    NotMine
        If `older` cannot be read, or there is more than the caps allow.
    """
    tally = Tally("")
    if older is not None:
        _about(older, tally)
    room = Room()
    rows = WandbRows(tally, room)
    for line in lines:
        row = _object(line)
        if row is None:
            tally.add(NOT_AN_OBJECT)
        else:
            rows.add(row)
        if room.gone or 2 * rows.values > limits.NUMBERS:
            raise NotMine(limits.reason(LARGE))
    new = rows.table()
    if room.gone:  # what is kept is whole, for the time when the cap is raised
        raise NotMine(limits.reason(LARGE))
    table = stack(chain(_kept(older, tally) if older else (), [new]), tally)
    described = dict(run)
    if len(json.dumps(described.get("config"))) > limits.CONFIG_BYTES:
        described["config"] = {}
        if limits.filled(LARGE_CONFIG) not in {what for what, _, _ in tally.counted()}:
            tally.add(limits.filled(LARGE_CONFIG))
    about = {"schema": _SCHEMA, "run": described, "left_out": _left_out(tally)}
    return _written(table, about)


def described(path: Path) -> dict[str, Any]:
    """Return what `pack` was told of the run.

    Raises
    ------
    NotMine
        If `path` was not written by it.
    """
    return dict(_about(path, Tally(""))["run"])


def _about(path: Path, tally: Tally) -> dict[str, Any]:
    """Read the description of a file, and count in `tally` what was left out of it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        said = (pq.read_schema(path).metadata or {})[_KEY]
        about = json.loads(said)
        if about["schema"] != _SCHEMA:
            raise NotMine(f"its schema is {about['schema']!r}, and this version reads {_SCHEMA}")
        run = about["run"]
        wanted = ((run, dict), (run.get("config", {}), dict), (run.get("missing", 0), int))
        if not all(isinstance(value, kind) for value, kind in wanted):
            raise TypeError
        for what, count, names in about["left_out"]:
            tally.recount(str(what), int(count), [str(name) for name in names])
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError,
            RecursionError) as error:  # fmt: skip
        raise NotMine(NOT_KEPT) from error
    return dict(about)


def _left_out(tally: Tally) -> list[tuple[str, int, list[str]]]:
    """Return what was counted, with the caps in force: what is kept of the run outlives them."""
    of_now = Tally("")
    for what, count, names in tally.counted():
        of_now.recount(limits.filled(what), count, names)
    return of_now.counted()


def _kept(path: Path, tally: Tally) -> Iterator[Table]:
    """Read what `_written` wrote, in pieces; whether there is room for all of them is not asked.

    Raises
    ------
    NotMine
        If any of it is damaged, it has more rows than a run may have numbers, or its row groups are
        larger than those that are written: a million empty cells may take a few bytes.
    """
    import pyarrow as pa

    with parquet.opened(path) as file:
        footer = file.metadata
        groups = [footer.row_group(at).num_rows for at in range(footer.num_row_groups)]
        if max(groups, default=0) > _at_once(footer.num_columns):
            raise NotMine(NOT_KEPT)
        if sum(groups) > limits.NUMBERS:
            raise NotMine(over())
        columns, texts = parquet.readable(file, tally)
    with parquet.opened(path, dictionaries=texts) as file:
        rows = max(_at_once(len(columns)) // PIECES, 1)
        for piece in file.iter_batches(rows, columns=columns, use_threads=False):
            table = from_arrow(pa.Table.from_batches([piece]), tally)
            # Metrics that are logged together share their rows, as in the rows that came.
            shared: dict[bytes, np.ndarray] = {}
            for name, cells in table.columns.items():
                row = shared.setdefault(cells.row.tobytes(), cells.row)
                table.columns[name] = Cells(row, cells.value)
            yield table


def _at_once(columns: int) -> int:
    """Return how many rows are written together."""
    return max(AT_ONCE // max(columns, 1), FEWEST)


def _object(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _written(table: Table, about: Mapping[str, Any]) -> bytes:
    """Write a table with nulls where nothing was logged, a bounded piece of it at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(table.columns)
    # A file without a column has no rows either.
    kinds = {name: pa.from_numpy_dtype(table.columns[name].value.dtype) for name in names}
    schema = pa.schema(kinds or {OWN: pa.int64()}, {_KEY: json.dumps(about).encode("ascii")})
    rows = _at_once(len(names))
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for start in range(0, table.n, rows):
            n = min(rows, table.n - start)
            columns = [_column(table.columns[name], start, n) for name in names]
            writer.write_table(pa.table(columns or [pa.nulls(n, pa.int64())], schema=schema))
    return sink.getvalue()


def _column(cells: Cells, start: int, n: int) -> pa.Array:
    """Return some rows of a column."""
    import numpy as np
    import pyarrow as pa

    first, last = np.searchsorted(cells.row, (start, start + n))
    values, missing = np.zeros(n, cells.value.dtype), np.ones(n, dtype=bool)
    values[cells.row[first:last] - start] = cells.value[first:last]
    missing[cells.row[first:last] - start] = False
    return pa.array(values, mask=missing)
