"""Every name that comes from data wants to be a tag, a link, a formula or a template of Plotly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.export import drawn
from viz3d.figures import overlay
from viz3d.figures.chart import Chart
from viz3d.figures.kinds import make_chart
from viz3d.run import Report, Run

FORMS = ("<svg>q{}", "%{{q{}}}", "<a href=x>q{}", "$q{}$")
NAMES = (
    "run 0", "run 1", "run 2", "run 3", "loss", "lr", "reward", "grad", "key", "value", "other",
    "layer", "landscape", "quantity", "axis", "group 0", "group 1", "task", "stage",
)  # fmt: skip
WANTS = {name: FORMS[i % 4].format(i) for i, name in enumerate(NAMES)}
"""What each kind of name is here: short, and told apart by its number."""

MARKUP = re.compile(r"<svg|<a |&amp;(?:lt|gt|amp|#)")
"""Tags and links as they came, and what was made safe twice."""

TEMPLATE = re.compile(r"%\{q|\$q")
"""Templates and formulas, which the axes of a scene do not know."""


def make_runs() -> list[Run]:
    """Return the four runs of the exporters' tests by other names."""
    metrics = {name: WANTS[name] for name in ("loss", "lr", "reward")}
    made = []
    for i, rate in enumerate(np.geomspace(1e-4, 1e-1, 4)):
        run = drawn.make_run(WANTS[f"run {i}"], float(rate), i)
        history = run.history.rename(columns=metrics)
        history[WANTS["grad"]] = history["norm"]
        layers = run.layers.assign(name=[f"h.{WANTS['layer']}{n}" for n in run.layers["layer"]])
        made.append(
            replace(
                run,
                history=history,
                layers=layers,
                config={**run.config, WANTS["key"]: WANTS["value" if i % 2 else "other"]},
                roles={role: metrics.get(name, name) for role, name in run.roles.items()},
            )
        )
    return made


def make_charts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Chart]:
    """Return charts of every kind, with what people choose by name chosen by name."""
    names = ("group 0", "quantity", "axis", "landscape")
    monkeypatch.setattr(drawn, "HOSTILE", [WANTS[name] for name in names])
    runs = make_runs()
    groups = {WANTS["group 0"]: runs[::2], WANTS["group 1"]: runs[1::2]}
    loss, grad, key = WANTS["loss"], WANTS["grad"], f"config.{WANTS['key']}"
    grid = drawn.make_grid()
    grid = replace(grid, name=WANTS["landscape"], meta={**grid.meta, "title_alpha": WANTS["axis"]})
    line = replace(grid, beta=None, path=None, values={"loss": grid.values["loss"][0]}, errors={})
    report = Report("r", ("base", WANTS["stage"]), {WANTS["task"]: {WANTS["stage"]: 0.2}})
    reports = [replace(run, report=report) for run in runs]
    crowd = [replace(runs[0], name=f"{i} {run.name}") for i in range(5) for run in runs]
    return {
        **drawn.make_charts(runs),
        "reward against a metric": make_chart("reward-landscape", runs, against=grad),
        "difference of rewards": make_chart(
            "difference", runs[::2], runs[1::2], of="reward-landscape", against=grad
        ),
        "overlay of rewards": overlay.chart(groups, "reward-landscape", against=grad),
        "plain of metrics": make_chart(
            "training-dynamics", runs, view="plain", axes=[loss, grad, "norm"]
        ),
        "seeds of a metric": make_chart("seeds", groups, metric=grad),
        "explore a setting": make_chart("explore", runs, x=grad, y=key, z=loss, color=key),
        "explore a run": make_chart("explore", runs[:1], x="step", y=grad, z=loss, color=key),
        "quantity": make_chart(
            "weight-space", [replace(runs[1], landscapes=(grid,))], quantity=WANTS["quantity"]
        ),
        "line": make_chart("weight-space", [replace(runs[1], landscapes=(line,))]),
        "report": make_chart("report", reports),
        "curves": make_chart("curves", runs, metric=grad),
        **{
            f"crowd, {kind}": make_chart(kind, crowd)
            for kind in ("loss-landscape", "reward-landscape", "training-dynamics", "explore")
        },
    }


def texts(part: Any, *path: str) -> Iterator[tuple[str, str]]:
    """Yield every string of a figure with its place; what it tells of itself is not drawn."""
    if isinstance(part, str):
        yield ".".join(path), part
    elif isinstance(part, dict):
        for key, value in part.items():
            if key != "meta":
                yield from texts(value, *path, key)
    elif isinstance(part, list | tuple | np.ndarray):
        for value in part:
            yield from texts(value, *path)


def test_no_name_from_data_is_read_as_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made safe is shown, once; nothing else reaches Plotly."""
    seen = []
    for kind, chart in make_charts(monkeypatch).items():
        for picture in (chart.figure, chart.flat):
            for place, text in texts(picture.to_plotly_json()):
                assert not MARKUP.search(text), f"{kind}: {place}: {text}"
                if not place.startswith("layout.scene.") and place != "data.text":
                    assert not TEMPLATE.search(text), f"{kind}: {place}: {text}"
                seen.append(text)
    shown = {int(n) for text in seen for n in re.findall(r"q(\d+)", text)}
    missing = [name for i, name in enumerate(NAMES) if i not in shown]
    assert missing == []
