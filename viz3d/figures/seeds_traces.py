"""Draw groups of runs: members as thin lines, the mean as a thick one, its interval as a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.figures import style
from viz3d.figures.budget import compact, shares, thin
from viz3d.figures.frame import Range
from viz3d.figures.seeds_groups import Group
from viz3d.figures.text import Drawn, safe, short_names

FOR_MEMBERS = 10_000
"""Most points of all members together."""

FOR_MEANS = 2_000
"""Most points of all means together; each band has twice as many."""

LABEL = 24
"""Characters of a group's title on the axis and in the legend."""

ASIDE = 0.3
"""How far the members of a group stand from its middle, so that each is seen."""

FAINT, BAND = 0.55, 0.3
"""Opacity of members and band."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """The points of one group that are drawn.

    Attributes
    ----------
    label : str
        With the number of runs.
    color : str
    labels : tuple of str
        Of the members.
    step, value : ndarray, shape (n,)
        Of all members one behind the other, NaN between them.
    whose : ndarray of int, shape (n,)
        Which member a point belongs to.
    total : int
        Points of the members before thinning.
    mean : ndarray, shape (m, 5)
        Step, mean, lower and upper end of the band, members behind it.
    means : int
        Rows of `mean` before thinning.
    """

    label: Drawn
    color: str
    labels: tuple[Drawn, ...]
    step: Floats
    value: Floats
    whose: Ints
    total: int
    mean: Floats
    means: int

    @property
    def alone(self) -> bool:
        """Whether there is one run, and so no mean."""
        return len(self.labels) == 1


def labels(groups: Sequence[Group]) -> list[str]:
    """Return the titles of the groups, each with the number of its runs; not yet made safe."""
    names = short_names([group.title for group in groups])
    return [f"{name}, n = {len(g.members)}" for name, g in zip(names, groups, strict=True)]


def thin_groups(groups: Sequence[Group]) -> tuple[Lines, ...]:
    """Thin members and means to the points that one figure may hold, every extreme kept."""
    lengths = [len(member.step) for group in groups for member in group.members]
    of_member = iter(shares(lengths, FOR_MEMBERS))
    of_mean = shares([len(group.joined.step) for group in groups], FOR_MEANS)
    return tuple(
        _lines(
            group,
            safe(label, 2 * LABEL),
            style.run_color(place, len(groups)),
            [next(of_member) for _ in group.members],
            n_mean,
        )
        for place, (group, label, n_mean) in enumerate(
            zip(groups, labels(groups), of_mean, strict=True)
        )
    )


def _lines(group: Group, label: Drawn, color: str, allowed: Sequence[int], n_mean: int) -> Lines:
    names = [member.run for member in group.members]
    steps: list[Any] = []
    values: list[Any] = []
    whose: list[int] = []
    for place, (member, n_out) in enumerate(zip(group.members, allowed, strict=True)):
        value = np.where(np.isfinite(member.value), member.value, np.nan)
        kept = thin(member.step, value, n_out)
        steps += [member.step[kept].astype(np.float64), [np.nan]]
        values += [value[kept], [np.nan]]
        whose += [place] * (len(kept) + 1)
    joined = group.joined
    mean = np.stack([joined.step, joined.mean, joined.lower, joined.upper, joined.n], -1)
    return Lines(
        label=label,
        color=color,
        labels=tuple(safe(name, LABEL) for name in short_names(names)),
        step=np.concatenate(steps),
        value=np.concatenate(values),
        whose=np.array(whose),
        total=sum(len(member.step) for member in group.members),
        mean=mean[_of_band(mean, n_mean)],
        means=len(mean),
    )


def _of_band(mean: Floats, n_out: int) -> Ints:
    """Rows that keep the extremes of both ends of the band."""
    if len(mean) <= n_out:
        return np.arange(len(mean))
    ends = (thin(mean[:, 0].astype(np.int64), mean[:, k], max(8, n_out // 2)) for k in (2, 3))
    return np.union1d(*ends)


def scene_traces(lines: Sequence[Lines], name: Drawn, z: Range) -> list[Any]:
    """Draw the groups one behind the other; the members of each stand side by side.

    Parameters
    ----------
    lines : sequence of Lines
    name : str
        Of the metric.
    z : (low, high)
        The axis of the metric; a band is cut off at its ends.
    """
    traces: list[Any] = []
    for place, group in enumerate(lines):
        n = len(group.labels)
        aside = np.linspace(-ASIDE, ASIDE, n) if n > 1 else np.zeros(1)
        across = compact(place + aside[group.whose])
        members = _member_line(group, name, "z", 4 if group.alone else 2)
        traces.append(go.Scatter3d(y=across, z=compact(group.value), **members))
        if len(group.mean):
            middle = compact(np.full(len(group.mean), float(place)))
            line = _mean_line(group, name, "z", 6)
            traces.append(_ribbon(group, middle, z))
            traces.append(go.Scatter3d(y=middle, z=compact(group.mean[:, 1]), **line))
    return traces


def flat_traces(lines: Sequence[Lines], name: Drawn, z: Range) -> list[go.Scatter]:
    """Draw all groups in one plane of step and metric, the means on top."""
    below, above = [], []
    legend = style.named(len(lines))
    for group in lines:
        line = _member_line(group, name, "y", 2 if group.alone else 1)
        entry = legend and not len(group.mean)
        members = go.Scatter(y=compact(group.value), **{**line, "showlegend": entry})
        if len(group.mean):
            below += [_band(group, z), members]
            line = _mean_line(group, name, "y", 2.5)
            mean = compact(group.mean[:, 1])
            above.append(go.Scatter(y=mean, **{**line, "showlegend": legend}))
        else:
            above.append(members)
    return [*below, *above]


def _member_line(group: Lines, name: Drawn, axis: Drawn, width: float) -> dict[str, Any]:
    """Return what scene and flat twin have in common of a group's members."""
    text = group.labels[0] if group.alone else [group.labels[int(i)] for i in group.whose]
    return {
        "x": compact(group.step),
        "mode": "lines",
        "name": group.label,
        "legendgroup": group.label,
        "showlegend": False,
        "text": text,
        "line": {"color": group.color, "width": width},
        "opacity": 1.0 if group.alone else FAINT,
        "hovertemplate": f"%{{text}}<br>step %{{x:,d}}<br>{name} %{{{axis}:.4~g}}<extra></extra>",
    }


def _mean_line(group: Lines, name: Drawn, axis: Drawn, width: float) -> dict[str, Any]:
    """Return what scene and flat twin have in common of a group's mean."""
    return {
        "x": compact(group.mean[:, 0]),
        "customdata": compact(group.mean[:, 2:]),
        "mode": "lines",
        "name": group.label,
        "legendgroup": group.label,
        "showlegend": False,
        "line": {"color": group.color, "width": width},
        "hovertemplate": f"{group.label}<br>step %{{x:,d}}<br>mean {name} %{{{axis}:.4~g}} of "
        "%{customdata[2]:d} runs<br>95 &#37; interval at this step: %{customdata[0]:.4~g} to "
        "%{customdata[1]:.4~g}<extra></extra>",
    }


def _ribbon(group: Lines, across: NDArray, z: Range) -> go.Surface:
    """Return the band as an upright ribbon at the place of the group."""
    return go.Surface(
        x=compact(np.stack([group.mean[:, 0]] * 2)),
        y=compact(np.stack([across] * 2)),
        z=compact(np.clip(group.mean[:, 2:4].T, *z)),
        surfacecolor=np.zeros((2, len(group.mean)), dtype=np.float32),
        colorscale=[[0, group.color], [1, group.color]],
        showscale=False,
        opacity=BAND,
        hoverinfo="skip",
        name=group.label,
        lighting={"ambient": 1.0, "diffuse": 0.0, "specular": 0.0},
    )


def _band(group: Lines, z: Range) -> go.Scatter:
    lower, upper = np.clip(group.mean[:, 2:4].T, *z)
    step = group.mean[:, 0]
    return go.Scatter(
        x=compact(np.r_[step, step[::-1]]),
        y=compact(np.r_[upper, lower[::-1]]),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=group.color,
        opacity=BAND,
        hoverinfo="skip",
        name=group.label,
        legendgroup=group.label,
        showlegend=False,
    )
