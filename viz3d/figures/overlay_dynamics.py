"""Training dynamics of several groups in one scene: one basis for all, each in its colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from viz3d.errors import BadArgument
from viz3d.figures import dynamics_pca
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.dynamics_data import TITLE, compute, event_pins
from viz3d.figures.grouped import Groups, in_group, overlaid
from viz3d.figures.pins import event_notes, in_order
from viz3d.figures.text import count
from viz3d.run import Run


def check(runs: Sequence[Run], kind: str, *, view: str = "pca") -> None:
    """Raise the `ChartError` that keeps a group of runs out of the chart, if there is one."""
    compute(runs)


def overlay(groups: Groups, kind: str, *, view: str = "pca") -> Chart:
    """Draw the paths of groups; see `viz3d.figures.overlay.chart`."""
    if view != "pca":
        raise BadArgument(f"The view {view!r} of {kind} is not overlaid; take the view 'pca'.")
    found = compute([run for runs in groups.values() for run in runs])
    sizes = [len(runs) for runs in groups.values()]
    of = [(title, n == 1) for title, n in zip(groups, sizes, strict=True) for _ in range(n)]
    result = replace(
        found,
        groups=tuple(title for title, _ in of),
        labels=tuple(
            in_group(title, label, alone)
            for (title, alone), label in zip(of, found.labels, strict=True)
        ),
        settings={**found.settings, **overlaid(groups)},
    )
    events = event_pins(result)
    numbers = {**dynamics_pca.numbers(result), "groups": dict(zip(groups, sizes, strict=True))}
    words = Words(
        dynamics_pca.table(result),
        f"{TITLE} of {count(len(groups), 'group')} in one scene, each in its colour. "
        + dynamics_pca.summary(result),
        numbers,
        (*dynamics_pca.notes(result), *event_notes(events)),
        in_order(events),
    )
    pictures = dynamics_pca.draw(result), dynamics_pca.draw_flat(result)
    data = partial(dynamics_pca.tidy, result)
    return assemble(kind, result.heading, pictures, words, result.origins, result.settings, data)
