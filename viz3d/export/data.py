"""The numbers of a chart as CSV and Parquet, in one long table."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from viz3d.export.about import KEY, about, about_json, to_json_line
from viz3d.figures.chart import Chart
from viz3d.figures.tidy import MEDIANS
from viz3d.version import __version__

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula and runs it."""

LAYOUT = (
    "One row for each point. The column part says what it is of. A cell is empty where its column "
    "does not belong to the part, where NaN or nothing was logged, and where what was logged "
    "supports no value: of a surface, an interval, a median."
)


def to_csv(chart: Chart) -> bytes:
    """Return the numbers as CSV; ``pandas.read_csv(file, comment="#")`` reads them.

    Lines that begin with "#" carry the provenance. Numbers are written so that reading them gives
    the same float64. Text that a spreadsheet
    would run as a formula gets an apostrophe before it, which is told.
    """
    data = chart.data()
    frame, harmless = _harmless(data)
    found = about(chart)
    lines = [
        f"viz3d {__version__}: {chart.title}",
        LAYOUT,
        *([data.attrs[MEDIANS]] if MEDIANS in data.attrs else []),
        f"settings {_json(found.get('settings', {}))}",
        *(f"run {_json(run)}" for run in found.get("runs", [])),
    ]
    if harmless:
        cells = "1 text begins" if harmless == 1 else f"{harmless:,} texts begin"
        lines.append(f"{cells} like a formula; an apostrophe stands before each.")
    columns = [[_quoted(str(name)), *_cells(frame[name])] for name in frame.columns]
    rows = [*(f"# {line}" for line in lines), *map(",".join, zip(*columns, strict=True)), ""]
    return "\r\n".join(rows).encode()


def to_parquet(chart: Chart) -> bytes:
    """Return the numbers as Parquet, the provenance under "viz3d" in the metadata of the schema."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pandas(chart.data(), preserve_index=False)
    known = table.schema.metadata or {}
    table = table.replace_schema_metadata({**known, KEY.encode(): about_json(chart).encode()})
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def _cells(column: pd.Series) -> list[str]:
    """Return texts in quotes, and nothing at all for what is missing.

    pandas would put quotes around that too, and polars then takes numbers for texts.
    """
    known = column.astype(object).where(column.notna(), None)
    return ["" if v is None else _quoted(v) if isinstance(v, str) else str(v) for v in known]


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _harmless(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Put an apostrophe before texts that look like formulas, and count the different ones."""
    texts = {str(name) for name in frame.columns}
    columns = [name for name in frame.columns if frame[name].dtype.kind not in "biuf"]
    for name in columns:
        texts |= {text for text in frame[name].unique() if isinstance(text, str)}
    new = {text: f"'{text}" for text in texts if text.lstrip(" ").startswith(FORMULA)}
    frame = frame.rename(columns=new)
    for name in columns:
        frame[new.get(name, name)] = frame[new.get(name, name)].replace(new)
    return frame, len(new)


def _json(value: object) -> str:
    """Return JSON in whose texts a spreadsheet finds neither a separator of cells nor a formula."""

    def whole(text: re.Match[str]) -> str:
        space, rest = text[1], text[2]
        if rest.startswith(FORMULA):
            rest = _escaped(rest[0]) + rest[1:]
        return f'"{space}{re.sub("[,;]", lambda mark: _escaped(mark[0]), rest)}"'

    return re.sub(r'"( *)((?:[^"\\]|\\.)*)"', whole, to_json_line(value))


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}"
