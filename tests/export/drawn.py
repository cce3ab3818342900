"""A chart of every kind, of runs whose names want to be markup, formulas and worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from viz3d.figures import overlay
from viz3d.figures.chart import Chart
from viz3d.figures.kinds import make_chart
from viz3d.grid import LandscapeGrid, LandscapePath
from viz3d.run import Report, Run

HOSTILE = (
    '=HYPERLINK("http://x.example"),=1+1;@SUM(A1)',
    "</script><img src=x onerror=alert(1)>|[a](http://x.example)",
    "two\nlines # and `code` & www.x.example @all",
    "long " * 200 + "🦙",
)


KINDS = (
    "loss-landscape", "gradient-flow", "reward-landscape", "training-dynamics", "plain",
    "difference", "overlay", "overlay of gradients", "overlay of dynamics", "seeds", "explore",
    "weight-space",
)  # fmt: skip
"""Keys of `make_charts`."""


def make_run(name: str, rate: float, seed: int) -> Run:
    """Return a run of 80 steps with a loss, a rate, a reward and three layers."""
    rng = np.random.default_rng(seed)
    step = np.arange(80)
    loss = 1 + 4 * np.exp(-step / 20) + (np.log10(rate) + 2.5) ** 2 + rng.normal(0, 0.02, 80)
    if seed == 1:
        loss[76:] = np.nan
    history = pd.DataFrame(
        {
            "loss": loss,
            "lr": np.full(80, rate),
            "reward": np.tanh(step / 30) + rng.normal(0, 0.05, 80),
            "norm": 1 / (1 + step) + rng.uniform(0, 0.05, 80),
        },
        index=pd.Index(step, name="step", dtype="int64"),
    )
    roles = {"loss": "loss", "learning_rate": "lr", "reward": "reward", "grad_norm": "norm"}
    layers = pd.DataFrame(
        {
            "step": np.repeat(step, 3),
            "layer": np.tile([0, 1, 2], 80),
            "name": [f"h.{name[:9]}{i}" for i in (0, 1, 2)] * 80,
            "grad_norm": 10 ** rng.normal(-1, 0.1, 240),
        }
    )
    config = {"learning_rate": rate}
    digest = f"{seed}" * 64
    return Run(name, "tests", history, layers=layers, config=config, roles=roles, digest=digest)


def make_grid() -> LandscapeGrid:
    """Return a plane of 9 x 7 nodes, one of which is missing, with a path of three checkpoints."""
    alpha, beta = np.linspace(-1, 1, 9), np.linspace(-1, 2, 7)
    loss = 2 + alpha**3 + beta[:, None] ** 2
    loss[0, 0] = np.nan
    across = np.array([1.5, 0.5, 0.0])
    path = LandscapePath(across / 2, across, across / 2, np.array([0, 5, 9]), 1 + across**2)
    meta = {"kind": "random", "title_alpha": HOSTILE[1], "ignored": HOSTILE[2]}
    return LandscapeGrid(
        HOSTILE[0], alpha, beta, {"loss": loss, HOSTILE[1]: -loss}, {"loss": loss / 20}, path,
        np.array([3.0]), np.array([0.01]), meta,
    )  # fmt: skip


def make_runs() -> list[Run]:
    """Return four runs of a sweep, one of which logs NaN in the end."""
    rates = np.geomspace(1e-4, 1e-1, 4)
    pairs = zip(HOSTILE, rates, strict=True)
    return [make_run(name, float(rate), i) for i, (name, rate) in enumerate(pairs)]


def make_charts(runs: list[Run]) -> dict[str, Chart]:
    """Return one chart of each kind that has a scene."""
    groups = {HOSTILE[0]: runs[::2], HOSTILE[1]: runs[1::2]}
    return {
        "loss-landscape": make_chart("loss-landscape", runs),
        "gradient-flow": make_chart("gradient-flow", runs[:1]),
        "reward-landscape": make_chart("reward-landscape", runs),
        "training-dynamics": make_chart("training-dynamics", runs),
        "plain": make_chart("training-dynamics", runs, view="plain"),
        "difference": make_chart("difference", runs[::2], runs[1::2]),
        "overlay": overlay.chart(groups),
        "overlay of gradients": overlay.chart(groups, "gradient-flow"),
        "overlay of dynamics": overlay.chart(groups, "training-dynamics"),
        "seeds": make_chart("seeds", groups),
        "explore": make_chart("explore", runs, draw="surface", color="norm"),
        "weight-space": make_chart("weight-space", [replace(runs[1], landscapes=(make_grid(),))]),
    }


def make_report() -> Chart:
    """Return the one kind of chart that is flat."""
    run = make_run(HOSTILE[0], 1e-3, 0)
    scores = {"CORE": {"base": 0.2, HOSTILE[1]: 0.3}, HOSTILE[2]: {"base": -0.1}}
    return make_chart("report", [replace(run, report=Report("r", ("base", HOSTILE[1]), scores))])
