"""What a careful reader would add to a landscape in weight space, and what is not in it.

Dinh, Pascanu, Bengio and Bengio, "Sharp minima can generalize for deep nets", ICML 2017. Li, Xu,
Taylor, Studer and Goldstein, "Visualizing the loss landscape of neural nets", NeurIPS 2018.
Antognini and Sohl-Dickstein, "PCA of high dimensional random walks", NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.figures.text import count, safe, say
from viz3d.figures.weight_data import WeightSpaceResult
from viz3d.figures.weight_path import path_word
from viz3d.figures.weight_traces import MOST_MARKED, axis_meanings

NOISY = 0.1
"""A standard error above this share of the values' range is told."""

LOOSE = 0.01
"""A residual above this share of the largest eigenvalue is of a search that did not converge."""

SLICE = {
    True: "A line is a slice of one of very many dimensions; another way between the same points "
    "may lie lower or higher.",
    False: "A plane is a slice of two of very many dimensions; what lies beside it is not seen.",
}
SHARP = (
    "How sharp a minimum looks is not invariant: the same network, with its weights rescaled from "
    "layer to layer, can look sharper or flatter (Dinh et al. 2017)."
)
FILTERS = (
    "Filter normalisation takes the scale of the weights of ReLU layers out of that and nothing "
    "else (Li et al. 2018)."
)
UNSCALED = (
    "The directions are not recorded as filter-normalised, so widths must not be compared between "
    "networks (Li et al. 2018)."
)
RANDOM = (
    "Curvatures along random directions are averages over very many, so a few directions of "
    "negative curvature are easily missed: it looks more convex than it is (Li et al. 2018)."
)
UNKNOWN = (
    "How the directions were chosen is not recorded{named}; along random ones it looks more convex "
    "than it is (Li et al. 2018)."
)
FLAT_PATH = (
    "Random directions are nearly orthogonal to any path, so a path looks short and flat on them "
    "(Li et al. 2018); the plane of the path's main components shows its shape."
)
EXPLAINED = (
    "Two components explain much of any path by construction, of a random walk's too (Antognini "
    "and Sohl-Dickstein 2018)."
)


def notes(result: WeightSpaceResult, said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the limits of what is shown, and what is missing from it, with counts."""
    kind, path = said["kind"], result.grid.path
    filtered = "filter" in str(result.grid.meta.get("normalisation", ""))
    found = [
        *said["warnings"],
        "The values are those of the nodes, as they were measured. Between neighbours the picture "
        "draws straight lines, and nothing was measured there.",
        *([f"{safe('; '.join(axis_meanings(result)), 300)}."] if axis_meanings(result) else []),
        SLICE[result.is_line],
        *([RANDOM] if kind == "random" else []),
        *([_unknown(result)] if not kind and not result.is_line else []),
        *([FLAT_PATH] if kind == "random" and path is not None else []),
        *([EXPLAINED + _explained(result)] if kind == "pca" else []),
        SHARP,
        *([] if result.is_line else [FILTERS if filtered else UNSCALED]),
        *_method(result),
        *_noise(result, said),
        *_missing(result, said),
    ]
    return tuple(found)


def _unknown(result: WeightSpaceResult) -> str:
    """Give the name of the directions' file, which says something to who made it."""
    name = result.grid.meta.get("directions")
    known = isinstance(name, str) and name
    return UNKNOWN.format(named=f" beyond the name of their file, {safe(name)}" if known else "")


def _explained(result: WeightSpaceResult) -> str:
    share = np.atleast_1d(np.asarray(result.grid.meta.get("explained") or [], dtype=object))
    numbers = [float(one) for one in share if isinstance(one, int | float)]
    if not numbers:
        return ""
    return f" Here they explain {100 * sum(numbers[:2]):.0f} %."


def _method(result: WeightSpaceResult) -> list[str]:
    """Say how it was measured, as far as that was recorded."""
    meta = result.grid.meta
    facts = []
    if isinstance(samples := meta.get("n_samples"), int):
        batches = meta.get("n_batches")
        within = f" in {count(batches, 'batch', 'batches')}" if isinstance(batches, int) else ""
        facts.append(f"on the same {count(samples, 'sample')}{within} at every node")
    facts += [
        f"{words} {safe(meta[key], 120)}"
        for key, words in (("precision", "in"), ("normalisation", "with normalisation by"),
                           ("ignored", "leaving in place:"), ("seed", "with seed"))
        if meta.get(key) not in (None, "", "none")
    ]  # fmt: skip
    return [f"Measured {', '.join(facts)}."] if facts else []


def _noise(result: WeightSpaceResult, said: Mapping[str, Any]) -> list[str]:
    if result.error is None:
        return [f"No standard error of {safe(result.quantity)} was recorded: small differences "
                "between nodes may be noise."]  # fmt: skip
    share = said["largest_error_share"]
    found = ["Bars or bands show one standard error of the mean over the samples of a node."]
    if result.grid.meta.get("n_samples"):
        found = [
            f"{found[0]} All nodes share the same samples, so differences between nodes are known "
            "better than the nodes themselves."
        ]
    if share is not None and share > NOISY:
        found.append(
            f"The largest standard error is {100 * share:.0f} % of the range of the values: other "
            "samples may give another shape."
        )
    return found


def _missing(result: WeightSpaceResult, said: Mapping[str, Any]) -> list[str]:
    found, grid, name = [], result.grid, safe(result.quantity)
    if empty := said["nodes"] - said["measured"]:
        found.append(f"{empty:,} of {said['nodes']:,} nodes have no {name} and are holes.")
    if result.infinite:
        found.append(f"{count(result.infinite, 'node')} with an infinite {name}: holes too.")
    if result.every > 1:
        found.append(
            f"One in {result.every} rows and columns is drawn, of {grid.nodes:,} nodes; extremes "
            "in the words and in the table are those of all, and exports of data hold all."
        )
    elif result.z.size > MOST_MARKED and not result.is_line:
        found.append("Nodes are too many to be marked one by one.")
    if grid.path is not None and not result.is_line:
        found += _path(result)
    if grid.eigenvalues is not None and grid.eigenvalue_residuals is not None:
        found.append(_eigenvalues(grid.eigenvalues, grid.eigenvalue_residuals))
    return found


def _eigenvalues(values: NDArray[np.float64], residuals: NDArray[np.float64]) -> str:
    """Say how near the eigenvalues are known, and whether the search for them was cut short."""
    worst = float(np.max(residuals, initial=0))
    said = f"Hessian eigenvalues come with the norm of their residuals, at most {say(worst)}."
    if worst > LOOSE * float(np.max(np.abs(values), initial=0)):
        said += (
            " The search did not converge: an eigenvalue lies within that of each, and there may "
            "be larger ones."
        )
    return said


def _path(result: WeightSpaceResult) -> list[str]:
    path = result.grid.path
    assert path is not None
    found = [
        "Checkpoints are drawn where they project onto the plane; their own values are not those "
        "of the plane. They stand beside the value of the nearest node: nothing is interpolated."
    ]
    if unknown := int((~np.isfinite(path.residual)).sum()):
        found.append(
            f"{count(unknown, 'checkpoint')} at an unknown distance from the plane "
            f"{'is' if unknown == 1 else 'are'} not faded."
        )
    if path_word(result) != "step":
        found.append("Steps of the checkpoints are not recorded: they are numbered in their order.")
    if floor := int((~np.isfinite(result.own)).sum()):
        found.append(
            f"{count(floor, 'checkpoint')} without a {safe(result.quantity)} of "
            f"{'its' if floor == 1 else 'their'} own on the floor of the scene."
        )
    if beyond := int((np.isfinite(result.own) & ~np.isfinite(result.beside)).sum()):
        found.append(f"{count(beyond, 'checkpoint')} beside the measured grid.")
    return found
