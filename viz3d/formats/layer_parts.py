"""Joins the layers of several pieces of one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from viz3d.formats.layers import model_order

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.formats.tally import Tally

Pairs = set[tuple[int, str]]

TWICE = (
    "{n} row{|s} of a layer {was|were} left out, since another file or table of the run has "
    "{it|them} as well."
)


def stacked(layers: Sequence[pd.DataFrame], tally: Tally) -> pd.DataFrame:
    """Join layers on step and name; of a row that several pieces have that of the first stays.

    Parameters
    ----------
    layers : sequence of pandas.DataFrame
        At least one, each as `viz3d.run.Run.layers`. Where they number layers differently, all are
        numbered anew in model order.
    tally : Tally
        Is told of rows that were left out for others.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    if len(layers) == 1:
        return layers[0]
    whole = layers[0]
    for part in layers[1:]:
        twice = _keys(part).isin(_keys(whole))
        if twice.any():
            tally.add(TWICE, count=int(twice.sum()))
        whole = pd.concat([whole, part[~twice]], ignore_index=True)
    if not _agree([_pairs(part) for part in layers]):
        names = model_order(list(dict.fromkeys(whole["name"])))
        whole["layer"] = whole["name"].map({name: at for at, name in enumerate(names)})
    return whole.sort_values(["step", "layer"], kind="stable", ignore_index=True)


def _keys(part: pd.DataFrame) -> pd.MultiIndex:
    import pandas as pd

    return pd.MultiIndex.from_frame(part[["step", "name"]])


def _pairs(part: pd.DataFrame) -> Pairs:
    different = part[["layer", "name"]].drop_duplicates()
    return set(different.itertuples(index=False, name=None))


def _agree(parts: Sequence[Pairs]) -> bool:
    """Say whether each number and each name means the same layer in all pieces that have it."""
    for this, other in ((0, 1), (1, 0)):
        meant: dict[int | str, set[int | str]] = {}
        for pairs in parts:
            mine: dict[int | str, set[int | str]] = {}
            for pair in pairs:
                mine.setdefault(pair[this], set()).add(pair[other])
            if any(meant.setdefault(key, found) != found for key, found in mine.items()):
                return False
    return True
