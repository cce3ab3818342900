"""What a landscape in weight space says in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from viz3d.figures.text import Drawn, count, listed, safe, say, wrapped
from viz3d.figures.weight_data import WeightSpaceResult
from viz3d.figures.weight_path import has_beside, path_word
from viz3d.figures.weight_warnings import is_same, own_centre, warnings

KINDS = {
    "random": "a plane along two random directions",
    "pca": "the plane of the two main components of the path",
    "line": "a line",
}
SLICE = "It is one slice through very many dimensions, as it was measured: nothing is fitted."


def numbers(result: WeightSpaceResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    grid, z = result.grid, result.z
    low, high = (_at(result, int(pick(z))) for pick in (np.nanargmin, np.nanargmax))
    error = result.error
    finite = error[np.isfinite(error)] if error is not None else np.empty(0)
    span = float(np.nanmax(z) - np.nanmin(z))
    return {
        "landscape": grid.name,
        "quantity": result.quantity,
        "kind": str(grid.meta.get("kind") or ""),
        "centre_step": _whole(grid.meta.get("centre_step")),
        "nodes": grid.nodes,
        "measured": int(np.isfinite(grid.values[result.quantity]).sum()) + result.infinite,
        "infinite": result.infinite,
        "centre": None if result.centre is None else float(z[result.centre]),
        "centre_error": _known(error[result.centre])
        if error is not None and result.centre is not None
        else None,
        "own_centre": own_centre(result),
        "lowest": low,
        "highest": high,
        "median_error": float(np.median(finite)) if len(finite) else None,
        "largest_error": float(finite.max()) if len(finite) else None,
        "largest_error_share": float(finite.max()) / span if len(finite) and span else None,
        "barrier": _barrier(result),
        "path": _path(result),
        "warnings": list(warnings(result)),
        "eigenvalues": [] if grid.eigenvalues is None else grid.eigenvalues.tolist(),
    }


def _at(result: WeightSpaceResult, flat: int) -> dict[str, float]:
    at = tuple(map(int, np.unravel_index(flat, result.z.shape)))
    alpha, beta = result.place(at)
    found = {"value": float(result.z[at]), "alpha": alpha}
    return found if result.is_line else {**found, "beta": beta}


def _barrier(result: WeightSpaceResult) -> float | None:
    """Height above the mean of both ends, at 0 and 1, of a line (Frankle et al. 2020)."""
    alpha, z = result.grid.alpha, result.z
    ends = result.grid.meta.get("kind") == "line" and {0.0, 1.0} <= set(alpha)
    if not result.is_line or not ends or "loss" not in result.quantity:
        return None
    between = z[(alpha >= 0) & (alpha <= 1)]
    if np.isnan(between).any():
        return None  # the top may lie where nothing was measured
    return float(between.max() - (between[0] + between[-1]) / 2)


def _is_highest_at_an_end(result: WeightSpaceResult) -> bool:
    alpha, z = result.grid.alpha, result.z
    way = z[(alpha >= 0) & (alpha <= 1)]
    return bool(way.max() == max(way[0], way[-1]))


def _path(result: WeightSpaceResult) -> dict[str, Any] | None:
    path = result.grid.path
    if path is None or not len(path.step):
        return None
    gap = np.abs(result.own - result.beside)
    gap = gap[np.isfinite(gap)]
    return {
        "checkpoints": len(path.step),
        "first_residual": _known(path.residual[0]),
        "last_residual": _known(path.residual[-1]),
        "largest_residual": _largest(path.residual),
        "compared": len(gap),
        "median_gap": float(np.median(gap)) if len(gap) else None,
        "largest_gap": float(gap.max()) if len(gap) else None,
    }


def _largest(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else None


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and np.isfinite(value) else None


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def what(result: WeightSpaceResult) -> Drawn:
    """Return what the nodes lie on, in words."""
    plain = "a line" if result.is_line else "a plane"
    return KINDS.get(str(result.grid.meta.get("kind")), plain)


def summary(result: WeightSpaceResult, said: Mapping[str, Any]) -> str:
    """Return one paragraph that reads well aloud."""
    step, place = said["centre_step"], "from" if result.is_line else "around"
    text = (
        f"Measured {result.quantity} at {count(said['measured'], 'node')} "
        f"of {what(result)} through the weights of {result.run}"
        + ("" if step is None else f", {place} the checkpoint of step {step:,}")
    )
    parts = [f"{text}.", *_values(result, said), *_path_words(result, said["path"])]
    if said["eigenvalues"]:
        values = listed([say(value) for value in said["eigenvalues"]])
        parts.append(f"Largest eigenvalues of the loss's Hessian at the centre: {values}.")
    return " ".join([*parts, SLICE])


def _values(result: WeightSpaceResult, said: Mapping[str, Any]) -> list[str]:
    parts = []
    if said["centre"] is not None and np.isfinite(said["centre"]):
        error = said["centre_error"]
        with_error = "" if error is None else f", with a standard error of {say(error)}"
        centre = "alpha 0" if result.is_line else "the centre"
        own = said["own_centre"]
        as_own = ""
        if own is not None:
            as_own = f"; the checkpoint measured by itself has {say(own['value'])}"
            if is_same(own["value"], said["centre"]):
                as_own = ", the same as the checkpoint measured by itself"
        parts.append(f"At {centre} it is {say(said['centre'])}{with_error}{as_own}.")
    low, high = (
        (f"{say(at['value'])} at {_where(at)}") for at in (said["lowest"], said["highest"])
    )
    parts.append(f"The lowest is {low}; the highest is {high}.")
    if said["largest_error"] is not None:
        parts.append(
            f"Standard errors are {say(said['median_error'])} in the median and at most "
            f"{say(said['largest_error'])}."
        )
    if said["barrier"] is not None:
        parts.append(
            f"The highest {result.quantity} on the way is that of one of both ends."
            if _is_highest_at_an_end(result)
            else f"The highest {result.quantity} between the two checkpoints is "
            f"{say(said['barrier'])} above the mean of both."
        )
    return parts


def _where(at: Mapping[str, float]) -> str:
    beta = f" and beta {say(at['beta'])}" if "beta" in at else ""
    return f"alpha {say(at['alpha'])}{beta}"


def _path_words(result: WeightSpaceResult, path: Mapping[str, Any] | None) -> list[str]:
    if path is None or result.is_line:
        return []
    parts = [f"The path has {count(path['checkpoints'], 'checkpoint')}."]
    first, most = path["first_residual"], path["largest_residual"]
    if first is not None and most is not None:
        parts = [
            f"The path of {count(path['checkpoints'], 'checkpoint')} begins {100 * first:.0f} % "
            f"of its distance from the centre off the plane; the most on the way is "
            f"{100 * most:.0f} %."
        ]
    if path["compared"]:
        parts.append(
            f"A checkpoint's own {result.quantity} differs from that of the nearest node by "
            f"{say(path['median_gap'])} in the median and {say(path['largest_gap'])} at most."
        )
    return parts


def subtitle(result: WeightSpaceResult) -> Drawn:
    """Return the line under the title."""
    grid = result.grid
    beta = "" if grid.beta is None else f" × {len(grid.beta):,}"
    text = f"{safe(grid.name)}: {len(grid.alpha):,}{beta} nodes of {what(result)}, as measured."
    if result.every > 1:
        text += f" One in {result.every:d} rows and columns is drawn."
    return wrapped(text)


def table(result: WeightSpaceResult) -> pd.DataFrame:
    """Return the telling nodes, the path with both values side by side, and the eigenvalues."""
    grid, said = result.grid, numbers(result)
    rows: list[dict[str, Any]] = []
    name = "alpha 0" if result.is_line else "centre"
    places = [(name, result.centre)] if result.centre is not None else []
    places += [
        (name, tuple(map(int, np.unravel_index(int(pick(result.z)), result.z.shape))))
        for name, pick in (("lowest node", np.nanargmin), ("highest node", np.nanargmax))
    ]
    error = result.error
    for name, at in places:
        alpha, beta = result.place(at)
        row = {"what": name, "value": result.z[at], "alpha": alpha, "beta": beta}
        rows.append(row | ({} if error is None else {"standard error": error[at]}))
    if (own := said["own_centre"]) is not None:
        row = {"what": "checkpoint measured by itself", "value": own["value"]}
        rows.append(row | ({} if own["error"] is None else {"standard error": own["error"]}))
    if said["barrier"] is not None:
        rows.append({"what": "barrier above the mean of both ends", "value": said["barrier"]})
    rows += _path_rows(result)
    residuals = grid.eigenvalue_residuals
    for i, value in enumerate(() if grid.eigenvalues is None else grid.eigenvalues):
        rows.append({"what": f"Hessian eigenvalue {i + 1}", "value": value})
        if residuals is not None and i < len(residuals):
            rows[-1]["residual norm"] = residuals[i]
    frame = pd.DataFrame(rows)
    if result.is_line:
        frame = frame.drop(columns="beta")
    return frame.astype({name: "Int64" for name in ("step", "number") if name in frame})


def _path_rows(result: WeightSpaceResult) -> list[dict[str, Any]]:
    path = result.grid.path
    if path is None:
        return []
    number = {"step": "step", "checkpoint": "number"}[path_word(result)]
    rows = [
        {"what": "checkpoint", number: int(step), "alpha": alpha, "beta": beta,
         "off the plane (%)": 100 * residual, "nearest node": beside}
        for step, alpha, beta, residual, beside in zip(
            path.step, path.alpha, path.beta, path.residual, result.beside, strict=True
        )
    ]  # fmt: skip
    if has_beside(result):
        for row, own in zip(rows, result.own, strict=True):
            row["value"] = own
    return rows
