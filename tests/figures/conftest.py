"""Small runs that the charts are tested on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from viz3d.run import Run


@pytest.fixture(scope="session")
def make_run():
    """Return a function that builds a run from columns."""

    def build(columns, *, name="run", steps=None, roles=None, **more):
        history = pd.DataFrame(columns, dtype=np.float64)
        history.index = pd.Index(
            np.arange(len(history)) if steps is None else steps, name="step", dtype="int64"
        )
        known = {"loss": "loss", "lr": "learning_rate", "reward": "reward", "gnorm": "grad_norm"}
        found = {known[metric]: metric for metric in history.columns if metric in known}
        return Run(name, "tests", history, roles=found | (roles or {}), digest="d" * 64, **more)

    return build


@pytest.fixture(scope="session")
def sweep(make_run):
    """Seven runs of 300 steps, peak rates 1e-4 to 1e-1, best at 3e-3; one of them logs NaN."""
    rng = np.random.default_rng(0)
    step = np.arange(300)
    runs = []
    for rate in np.geomspace(1e-4, 1e-1, 7):
        loss = 2 + 4 * np.exp(-step / 40) + (np.log10(rate) + 2.5) ** 2
        loss = loss + rng.normal(0, 0.03, 300)
        schedule = rate * np.minimum(1, (step + 1) / 20)
        columns = {"loss": loss, "lr": schedule}
        runs.append(make_run(columns, name=f"lr-{rate:.0e}", config={"learning_rate": rate}))
    broken = runs[-1]
    history = broken.history.copy()
    history.loc[250:, "loss"] = np.nan
    nonfinite = pd.DataFrame({"step": np.arange(250, 300), "metric": "loss", "value": np.nan})
    runs[-1] = Run(
        broken.name, "tests", history, config=broken.config, roles=broken.roles,
        nonfinite=nonfinite, digest="e" * 64,
    )  # fmt: skip
    return runs


@pytest.fixture(scope="session")
def layered(make_run):
    """A run with gradient norms of five layers; one vanishes, one is exactly zero at times."""
    rng = np.random.default_rng(1)
    norms = 10 ** rng.normal(-1, 0.1, (500, 5))
    norms[400:, 1] *= 1e-5
    norms[::7, 3] = 0.0
    names = ["transformer.wte", "transformer.h.0", "transformer.h.1", "transformer.h.2", "lm_head"]
    layers = pd.DataFrame(
        {
            "step": np.repeat(np.arange(500), 5),
            "layer": np.tile(np.arange(5), 500),
            "name": names * 500,
            "grad_norm": norms.ravel(),
        }
    )
    return make_run({"loss": np.linspace(3, 2, 500)}, name="layered", layers=layers)
