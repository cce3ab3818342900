"""The numbers of the explore chart: rows in which what stands on the axes meets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz3d.analysis.surface import Surface, fit_surface
from viz3d.analysis.surface_model import SurfaceModel
from viz3d.errors import BadArgument, ChartError
from viz3d.figures.explore_rows import (
    TITLE,
    ExploreAxis,
    ExploreRows,
    default_axes,
    missing,
    read_axes,
    read_rows,
    thinned,
)
from viz3d.figures.frame import Frame, span
from viz3d.figures.needs import as_runs
from viz3d.figures.provenance import origins
from viz3d.figures.text import listed
from viz3d.run import Run

KIND = "explore"

DRAWINGS = ("path", "points", "surface")
SCALES = ("auto", "linear", "log")

MAP = 0.1
"""A surface over less of the box than this is drawn, but makes no map of the plane."""


@dataclass(frozen=True)
class ExploreResult:
    """Everything that the chart draws and says.

    Attributes
    ----------
    axes : tuple of 3 ExploreAxis
    color : ExploreAxis or None
    draw : {"path", "points", "surface"}
        What is drawn; `instead` says why where it is not what was asked for.
    instead : str
    rows : tuple of ExploreRows
    surface : Surface or None
        None unless a surface was asked for and can be fitted.
    frame : Frame
    unused : tuple of str
        Runs that lack something or have no whole row.
    settings, origins : as in every chart
    """

    axes: tuple[ExploreAxis, ...]
    color: ExploreAxis | None
    draw: str
    instead: str
    rows: tuple[ExploreRows, ...]
    surface: Surface | None
    frame: Frame
    unused: tuple[str, ...]
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, Any], ...]

    @property
    def share(self) -> float | None:
        """Share of the box over which a surface is supported; None where none was asked for."""
        if self.surface is None:
            return None
        return 0.0 if self.surface.reason else self.surface.share

    @property
    def is_map(self) -> bool:
        """Whether the surface is what the eye sees first, so that the rows step back."""
        return self.share is not None and self.share >= MAP


def compute(runs: Run | Sequence[Run], **settings: Any) -> ExploreResult:
    """Join what stands on the axes on the logged step, and fit a surface if one is asked for.

    Settings and errors are those of `compute_each`.
    """
    return compute_each([runs], **settings)[0]


def compute_each(
    groups: Sequence[Run | Sequence[Run]],
    *,
    x: str | None = None,
    y: str | None = None,
    z: str | None = None,
    color: str | None = None,
    draw: str = "path",
    x_scale: str = "auto",
    y_scale: str = "auto",
    z_scale: str = "auto",
    strictness: str = "default",
) -> list[ExploreResult]:
    """Compute several groups on axes that all their runs decide.

    Parameters
    ----------
    groups : sequence of Run or sequence of Run
    x, y, z : str, optional
        ``"step"``, a metric, a role, or a key of the config (``"outer.inner"``, with ``"config."``
        before it where a metric has the same name). By default those of `default_axes`.
    color : str, optional
        A fourth, likewise; by default the colour tells the runs apart.
    draw : {"path", "points", "surface"}
    x_scale, y_scale, z_scale : {"auto", "linear", "log"}
        "auto" is log where all values of the runs are above 0 and span more than ten times (95 %
        over 5 % quantile), and never for the step.
    strictness : {"default", "strict", "loose"}
        How near the data and how sure a point of the surface must be.

    Raises
    ------
    MissingMetric
        If no run has one of the quantities, or none has all of them at common steps.
    ChartError
        If z is text, a text has a log axis, or no row is left on the log axes.
    BadArgument
        If `draw` or a scale is none of its choices.
    ValueError
        If `strictness` is none of its choices.
    """
    parts = [as_runs(group, TITLE) for group in groups]
    whole = [run for part in parts for run in part]
    names = [name or found for name, found in zip((x, y, z), default_axes(whole), strict=True)]
    scales = (x_scale, y_scale, z_scale)
    _check(draw, scales)
    SurfaceModel(strictness=strictness).check()
    axes = read_axes(whole, names, scales)
    shade = read_axes(whole, [color], ("linear",))[0] if color else None
    settings = {
        **dict(zip("xyz", names, strict=True)), "color": color, "draw": draw,
        **{f"{c}_scale": "log" if a.log else "linear" for c, a in zip("xyz", axes, strict=True)},
        "strictness": strictness,
    }  # fmt: skip
    return [_join(part, axes, shade, settings) for part in parts]


def _join(
    runs: Sequence[Run],
    axes: tuple[ExploreAxis, ...],
    shade: ExploreAxis | None,
    settings: Mapping[str, Any],
) -> ExploreResult:
    shown = (*axes, shade) if shade else axes
    read = [(run, read_rows(run, shown)) for run in runs]
    used = [(run, rows) for run, rows in read if rows is not None and len(rows.step)]
    if not used:
        raise _nothing(runs, shown, [rows for _, rows in read if rows is not None])
    rows = thinned([rows for _, rows in used], shown)
    drawing, instead = _drawing(settings["draw"], axes)
    strictness = settings["strictness"]
    return ExploreResult(
        axes=axes,
        color=shade,
        draw=drawing,
        instead=instead,
        rows=rows,
        surface=_fit(rows, axes, strictness) if drawing == "surface" else None,
        frame=_frame(rows, axes, shade),
        unused=tuple(run.name for run, rows in read if rows is None or not len(rows.step)),
        settings=settings,
        origins=origins([run for run, _ in used]),
    )


def _check(draw: str, scales: Sequence[str]) -> None:
    if draw not in DRAWINGS:
        raise BadArgument(f"draw is {draw!r}; choose one of: {', '.join(DRAWINGS)}.")
    for letter, scale in zip("xyz", scales, strict=True):
        if scale not in SCALES:
            raise BadArgument(f"{letter}_scale is {scale!r}; choose one of: {', '.join(SCALES)}.")


def _drawing(wanted: str, axes: Sequence[ExploreAxis]) -> tuple[str, str]:
    """Return what can be drawn, and why it is not what was asked for."""
    x, y, z = axes
    if wanted == "points":
        return wanted, ""
    noun = "paths are" if wanted == "path" else "surface is"
    for axis in (x, y):
        if axis.what.categories:
            return "points", f"Points, because {axis.title} is text and no {noun} drawn over text."
    if x.what.constant and y.what.constant:
        return "points", (
            f"Points, because {x.title} and {y.title} are one number per run: each run is its last "
            f"row of {z.title}, and no {noun} drawn between runs."
        )
    if wanted == "surface" and x.what == y.what:
        return "path", f"A path, because x and y are both {x.title}."
    return wanted, ""


def _fit(rows: Sequence[ExploreRows], axes: Sequence[ExploreAxis], strictness: str) -> Surface:
    x, y, z = np.concatenate([one.points[:, :3] for one in rows]).T
    # A step is fitted as in the other charts: finer where training begins.
    x_scale, y_scale = (
        "log" if axis.log else "log1p" if axis.what.kind == "step" else "linear"
        for axis in axes[:2]
    )
    return fit_surface(
        x,
        y,
        z,
        run=np.repeat(np.arange(len(rows)), [len(one.step) for one in rows]),
        x_scale=x_scale,
        y_scale=y_scale,
        z_scale="log" if axes[2].log else "auto",
        strictness=strictness,
    )


def _frame(
    rows: Sequence[ExploreRows], axes: Sequence[ExploreAxis], color: ExploreAxis | None
) -> Frame:
    points = np.concatenate([one.points for one in rows])
    x, y, z = (span(points[:, k]) for k in range(3))
    return Frame(x, y, z, span(points[:, 3]) if color else None, log=axes[2].log)


def _nothing(
    runs: Sequence[Run], axes: Sequence[ExploreAxis], read: Sequence[ExploreRows]
) -> ChartError:
    """Say why no run has a row."""
    below, nonfinite = sum(one.below for one in read), sum(one.nonfinite for one in read)
    if below:
        logs = listed([axis.title for axis in axes if axis.log])
        return ChartError(
            f"No row is left: {below:,} have a value of {logs} that is not above 0, which a log "
            "axis cannot show; switch the log scale off."
        )
    if nonfinite:
        return ChartError(
            f"No row is left: in {nonfinite:,} a value is NaN or infinity; choose another metric."
        )
    return missing(runs, [axis.what.name for axis in axes])
