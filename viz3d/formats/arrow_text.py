"""Text in Arrow's columns: numbers written as text, and names of layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.formats.numbers import to_number, typed
from viz3d.formats.rows import Cells
from viz3d.formats.table import is_label
from viz3d.formats.tally import Tally

if TYPE_CHECKING:
    import pyarrow as pa


def is_plain_text(kind: pa.DataType) -> bool:
    """Say whether cells of a kind are text, each for itself."""
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def is_text(kind: pa.DataType) -> bool:
    """Say whether cells of a kind are text, be it each for itself or of a dictionary."""
    from pyarrow import types

    return is_plain_text(kind.value_type if types.is_dictionary(kind) else kind)


def coded(column: pa.ChunkedArray) -> tuple[list[Any], np.ndarray]:
    """Return the different cells of a column, None as the last one, and which each row holds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = column.dictionary_encode().unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], whole.type)
    if len(whole.dictionary) > len(whole):  # a few rows of a table still have that of all
        used = whole.indices.unique().drop_null().sort()
        texts, codes = whole.dictionary.take(used), pc.index_in(whole.indices, used)
    else:
        texts, codes = whole.dictionary, whole.indices
    cells = [*texts.to_pylist(), None]
    codes = codes.fill_null(len(texts))
    return cells, codes.to_numpy(zero_copy_only=False).astype(np.int64)


def split_labels(
    name: str, texts: list[str | None], codes: np.ndarray
) -> tuple[Cells, tuple[list[Any], np.ndarray]]:
    """Return the text that names a layer, each different one held once, and what else there is."""
    names = np.array([is_label(name, text) for text in texts])[codes]
    rows = np.flatnonzero(names)
    found = Cells(rows, np.array(texts, dtype=object)[codes[rows]])
    return found, (texts, np.where(names, len(texts) - 1, codes))


def coded_cells(
    texts: list[str | None],
    codes: np.ndarray,
    name: str,
    tally: Tally,
    lines: Sequence[int] | None,
    *,
    text_is_number: bool,
) -> Cells:
    """Return the numbers among texts; each different one is looked at once."""
    counts = np.bincount(codes, minlength=len(texts)).tolist()
    first = np.zeros(len(texts), np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # of several the last one stays
    numbers: list[float | int | None] = [None] * len(texts)
    for at, (text, count) in enumerate(zip(texts, counts, strict=True)):
        if not count:
            continue
        of_text = Tally("")
        numbers[at] = to_number(text, name, of_text, text_is_number=text_is_number)
        for what, _, _ in of_text.counted():
            line = lines[first[at]] if lines else None
            tally.add(what, line=line, count=count, name=name)
    known = np.array([number is not None for number in numbers])
    rows = np.flatnonzero(known[codes])
    values = typed([number for number in numbers if number is not None])
    return Cells(rows, values[(np.cumsum(known) - 1)[codes[rows]]])


def text_cells(
    column: pa.ChunkedArray,
    name: str,
    tally: Tally,
    lines: Sequence[int] | None,
    *,
    text_is_number: bool,
) -> Cells:
    """Return the numbers among cells of text, each looked at by itself."""
    numbers = [
        to_number(value, name, tally, line, text_is_number=text_is_number)
        for value, line in zip(column.to_pylist(), lines or repeat(None), strict=False)
    ]
    rows = [row for row, number in enumerate(numbers) if number is not None]
    return Cells(
        np.array(rows, np.int64), typed([number for number in numbers if number is not None])
    )
