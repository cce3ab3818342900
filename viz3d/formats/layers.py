"""Gradient norms per layer: where they stand in a log, and in which order layers come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats import limits
from viz3d.formats.attempts import attempt_starts, survivors
from viz3d.formats.table import LABELS, Table

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.formats.tally import Tally

MEASURES = ("grad_norm", "weight_norm", "update_ratio")

ROWS_BEYOND = (
    "The last {n} value{|s} of layers {was|were} left out: a run has at most {limit:LAYER_ROWS}."
)
LAYERS_BEYOND = "{n} row{|s} of layers beyond the first {limit:METRICS} {was|were} left out."
NOT_TAKEN = "{n} column{|s} of the rows of layers {was|were} not read ({names})."

_GRAD_NORM = r"grad(?:ient)?s?_?norms?"
_WIDE = (
    re.compile(rf"(?:train/)?{_GRAD_NORM}[/_.](?P<layer>.+)"),
    re.compile(r"grad_2(?:\.0)?_norm/(?P<layer>.+)"),
    re.compile(rf"(?P<layer>.+)[/_.]{_GRAD_NORM}"),
)
_SUMMARY = re.compile(
    r"(^|[/_.])(total|global|mean|avg|max|min|std|median|clip\w*|all|ema|[pq]\d+|rank[/_.-]?\d+)$"
)
_NORMS = frozenset({"l1", "l2"})  # which norm it is; with others they count layers
# Names without a number, by where their part of a model stands.
_PLACES = (
    (re.compile(r"unembed|head|classifier|score|logits", re.IGNORECASE), 2),
    (re.compile(r"embed|(^|[._/])(wte|wpe|patch|stem)", re.IGNORECASE), -1),
    (re.compile(r"(^|[._/])(ln_f|norm\w*|final\w*)([._/]|$)", re.IGNORECASE), 1),
)


def model_order(names: Sequence[str]) -> list[str]:
    """Put layers in model order: embeddings, numbered layers, final norm, head.

    Parameters
    ----------
    names : sequence of str
        Without repetition. Layers with the same numbers keep their order.

    Returns
    -------
    list of str
    """

    def place(name: str) -> tuple[int, tuple[int, ...]]:
        numbers = tuple(int(digits) for digits in re.findall(r"\d{1,9}", name))
        if numbers:
            return 0, numbers
        return next((rank for pattern, rank in _PLACES if pattern.search(name)), 0), ()

    return sorted(names, key=place)


def long_layers(table: Table, tally: Tally) -> pd.DataFrame:
    """Read gradient norms per layer from a table with one row per step and layer.

    Parameters
    ----------
    table : Table
        With columns ``step``, ``grad_norm`` and a name or number of the layer; they are given up.
    tally : Tally
        Is told what was superseded, replaced or left out.

    Returns
    -------
    pandas.DataFrame
        As `viz3d.run.Run.layers`.
    """
    import pandas as pd

    n = min(table.n, limits.LAYER_ROWS)
    if beyond := table.n - n:
        tally.add(ROWS_BEYOND, count=beyond)
    step, number = table.full("step")[:n], table.full("layer")[:n]
    label = next((table.labels[name] for name in LABELS if name in table.labels), None)
    measures = {name: table.full(name)[:n] for name in MEASURES if name in table.columns}
    for name in table.columns:
        if name not in ("step", "layer", *MEASURES):
            tally.add(NOT_TAKEN, name=name)
    table.columns.clear()
    names = np.full(n, None, dtype=object)
    numbered = (np.abs(number) < 2.0**53) & (number == np.floor(number))
    different, which = np.unique(number[numbered], return_inverse=True)
    names[numbered] = np.array([f"layer {value:g}" for value in different], dtype=object)[which]
    if label is not None:
        there = label.row < n
        names[label.row[there]] = label.value[there]
    named = np.fromiter((name is not None for name in names), bool, n)
    known = named & (np.abs(step) < 2.0**53) & (step == np.floor(step))
    if not known.all():
        tally.add(
            "{n} row{|s} without a step or a layer {was|were} left out.", count=int((~known).sum())
        )
    known = _first_layers(names, known, tally)
    if not numbered[known].all():
        order = {name: at for at, name in enumerate(model_order(list(dict.fromkeys(names[known]))))}
        number[known] = [order[name] for name in names[known]]
    frame = pd.DataFrame(
        {
            "step": step[known].astype(np.int64),
            "layer": number[known].astype(np.int64),
            "name": pd.array(names[known], dtype="str"),
            **{name: values[known] for name, values in measures.items()},
        },
        copy=False,
    )
    del step, number, names, measures, named, numbered, which
    return _newest(frame, tally)


def _first_layers(names: np.ndarray, known: np.ndarray, tally: Tally) -> np.ndarray:
    """Leave out of the rows that are known those of layers beyond as many as there may be."""
    import pandas as pd

    codes, different = pd.factorize(names[known])
    if len(different) <= limits.METRICS:
        return known
    tally.add(LAYERS_BEYOND, count=int((codes >= limits.METRICS).sum()))
    first = known.copy()
    first[known] = codes < limits.METRICS
    return first


def _newest(frame: pd.DataFrame, tally: Tally) -> pd.DataFrame:
    """Leave out what a restart superseded, keep the later of two rows, and sort."""
    import pandas as pd

    codes, _ = pd.factorize(frame["name"])
    step = frame["step"].to_numpy()
    by_layer = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    kept, _ = survivors(step, attempt_starts(step, by_layer) or ())
    if not kept.all():
        tally.add(
            "The steps of the layers go back (a restart): {n} row{|s} of earlier attempts "
            "{was|were} superseded.",
            count=int((~kept).sum()),
        )
    order = np.flatnonzero(kept)
    layer = frame["layer"].to_numpy()
    order = order[np.lexsort((codes[order], layer[order], step[order]))]
    # Of rows that are equal but for their values, the later one stands behind the earlier.
    later = [(each[order][1:] == each[order][:-1]) for each in (step, layer, codes)]
    last = np.append(~np.logical_and.reduce(later), True)[: len(order)]
    if repeated := int((~last).sum()):
        tally.add(
            "{n} layer row{|s} {was|were} logged again at the same step; the later one was kept.",
            count=repeated,
        )
    return frame.iloc[order[last]].reset_index(drop=True)


def split_layers(history: pd.DataFrame, tally: Tally) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Take columns that are one layer's gradient norm each out of a history.

    Parameters
    ----------
    history : pandas.DataFrame
        Index ``step``. Its columns of layers are dropped, so that they are not held twice.
    tally : Tally
        Is told which columns were taken, and what is beyond the cap on rows.

    Returns
    -------
    history : pandas.DataFrame
        Without those columns.
    layers : pandas.DataFrame or None
        As `viz3d.run.Run.layers`; None when fewer than two numbered layers are there.
    """
    import pandas as pd

    columns = _wide_columns([str(column) for column in history.columns])
    if not columns:
        return history, None
    names = model_order(list(columns))
    steps = history.index.to_numpy()
    n = _fitting(history, list(columns.values()), tally)
    places, norms = [], []
    for name in names:
        norm = history[columns[name]].to_numpy()[:n]
        places.append(np.flatnonzero(~np.isnan(norm)))
        norms.append(norm[places[-1]])
        tally.add(
            "{n} column{|s} {was|were} read as gradient norms of layers ({names}).",
            name=columns[name],
        )
    del norm
    for column in columns.values():
        del history[column]
    place = np.concatenate(places)
    layer = np.repeat(np.arange(len(names)), [len(each) for each in places])
    order = np.argsort(place, kind="stable")  # those of one step stay in the order of the layers
    layer = layer[order]
    layers = {
        "step": steps[place[order]],
        "layer": layer,
        "name": pd.array(np.array(names, dtype=object)[layer], dtype="str"),
        "grad_norm": np.concatenate(norms)[order],
    }
    return history, pd.DataFrame(layers, copy=False)


def _fitting(history: pd.DataFrame, columns: Sequence[str], tally: Tally) -> int:
    """Return how many steps have no more rows of layers than there may be."""
    rows = np.zeros(len(history), np.int32)
    for column in columns:
        rows += ~np.isnan(history[column].to_numpy())
    n = int(np.searchsorted(np.cumsum(rows, dtype=np.int64), limits.LAYER_ROWS, side="right"))
    if beyond := int(rows[n:].sum()):
        tally.add(ROWS_BEYOND, count=beyond)
    return n


def _wide_columns(metrics: Sequence[str]) -> dict[str, str]:
    """Return {layer: metric}, or nothing where it is not plain that the columns are layers."""
    for pattern in _WIDE:
        found: dict[str, str] = {}
        for metric in metrics:
            match = pattern.fullmatch(metric)
            if match and not _SUMMARY.search(match["layer"].lower()):
                found.setdefault(match["layer"], metric)
        numbered = {layer for layer in found if re.search(r"\d", layer)}
        if len(numbered) >= 2 and {layer.lower() for layer in numbered} != _NORMS:
            return found
    return {}
