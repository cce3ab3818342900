"""Gradient norms per layer: where they stand in a log, and in which order layers come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats.attempts import attempt_starts, survivors
from viz3d.formats.table import LABELS, Table

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.formats.tally import Tally

MEASURES = ("grad_norm", "weight_norm", "update_ratio")

_GRAD_NORM = r"grad(?:ient)?s?_?norms?"
_WIDE = (
    re.compile(rf"(?:train/)?{_GRAD_NORM}[/_.](?P<layer>.+)"),
    re.compile(r"grad_2(?:\.0)?_norm/(?P<layer>.+)"),
    re.compile(rf"(?P<layer>.+)[/_.]{_GRAD_NORM}"),
)
_SUMMARY = re.compile(r"(^|[/_.])(total|global|mean|avg|max|min|std|median|clip\w*|all|ema)$")
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


def is_long(table: Table) -> bool:
    """Say whether each row is one layer at one step: columns step, layer (or name), grad_norm."""
    named = "layer" in table.columns or any(name in table.labels for name in LABELS)
    return named and "grad_norm" in table.columns and "step" in table.columns


def long_layers(table: Table, tally: Tally) -> pd.DataFrame:
    """Read gradient norms per layer from a table with one row per step and layer.

    Parameters
    ----------
    table : Table
        With columns ``step``, ``grad_norm`` and a name or number of the layer.
    tally : Tally
        Is told what was superseded, replaced or left out.

    Returns
    -------
    pandas.DataFrame
        As `viz3d.run.Run.layers`.
    """
    import pandas as pd

    step, number = table.full("step"), table.full("layer")
    label = next((table.labels[name] for name in LABELS if name in table.labels), None)
    names = np.full(table.n, None, dtype=object)
    numbered = (np.abs(number) < 2.0**53) & (number == np.floor(number))
    names[numbered] = [f"layer {value:g}" for value in number[numbered]]
    if label is not None:
        names[label.row] = label.value
    named = np.array([name is not None for name in names], dtype=bool)
    known = named & (np.abs(step) < 2.0**53) & (step == np.floor(step))
    if not known.all():
        tally.add(
            "{n} row{|s} without a step or a layer {was|were} left out.", count=int((~known).sum())
        )
    if not numbered[known].all():
        order = {name: at for at, name in enumerate(model_order(list(dict.fromkeys(names[known]))))}
        number[known] = [order[name] for name in names[known]]
    frame = pd.DataFrame(
        {
            "step": step[known].astype(np.int64),
            "layer": number[known].astype(np.int64),
            "name": names[known].astype(str),
        }
    )
    for measure in MEASURES:
        if measure in table.columns:
            frame[measure] = table.full(measure)[known]
    return _newest(frame, tally)


def _newest(frame: pd.DataFrame, tally: Tally) -> pd.DataFrame:
    """Leave out what a restart superseded, keep the later of two rows, and sort."""
    import pandas as pd

    codes, _ = pd.factorize(frame["name"])
    step = frame["step"].to_numpy()
    by_layer = [np.flatnonzero(codes == code) for code in range(codes.max(initial=-1) + 1)]
    kept, _ = survivors(step, attempt_starts(step, by_layer) or ())
    if not kept.all():
        tally.add(
            "The steps of the layers go back (a restart): {n} row{|s} of earlier attempts "
            "{was|were} superseded.",
            count=int((~kept).sum()),
        )
    frame = frame[kept]
    once = frame.drop_duplicates(["step", "layer", "name"], keep="last")
    if repeated := len(frame) - len(once):
        tally.add(
            "{n} layer row{|s} {was|were} logged again at the same step; the later one was kept.",
            count=repeated,
        )
    return once.sort_values(["step", "layer"], kind="stable", ignore_index=True)


def split_layers(history: pd.DataFrame, tally: Tally) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Take columns that are one layer's gradient norm each out of a history.

    Parameters
    ----------
    history : pandas.DataFrame
        Index ``step``.
    tally : Tally
        Is told which columns were taken.

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
    parts = []
    for order, layer in enumerate(model_order(list(columns))):
        norm = history[columns[layer]].dropna()
        parts.append(
            pd.DataFrame(
                {"step": norm.index, "layer": order, "name": layer, "grad_norm": norm.to_numpy()}
            )
        )
        tally.add(
            "{n} column{|s} {was|were} read as gradient norms of layers ({names}).",
            name=columns[layer],
        )
    layers = pd.concat(parts).sort_values(["step", "layer"], kind="stable", ignore_index=True)
    return history.drop(columns=list(columns.values())), layers


def _wide_columns(metrics: Sequence[str]) -> dict[str, str]:
    """Return {layer: metric}, or nothing where it is not plain that the columns are layers."""
    for pattern in _WIDE:
        found: dict[str, str] = {}
        for metric in metrics:
            match = pattern.fullmatch(metric)
            if match and not _SUMMARY.search(match["layer"].lower()):
                found.setdefault(match["layer"], metric)
        if sum(bool(re.search(r"\d", layer)) for layer in found) >= 2:
            return found
    return {}
