"""viz3d: honest 3D views of language-model training runs.

The public names below are loaded when they are first used, so that importing the package (as a
training loop does for the recorder) costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from viz3d.version import __version__ as __version__

_PUBLIC = {
    "Run": "viz3d.run",
    "RunInfo": "viz3d.run",
    "Problem": "viz3d.run",
    "Origin": "viz3d.run",
    "Report": "viz3d.run",
    "Viz3dError": "viz3d.errors",
    "open_source": "viz3d.load",
    "list_runs": "viz3d.load",
    "load_run": "viz3d.load",
    "load_runs": "viz3d.load",
    "join_runs": "viz3d.analysis.joining",
    "fit_surface": "viz3d.analysis.surface",
    "Surface": "viz3d.analysis.surface",
    "embed": "viz3d.analysis.embedding",
    "Embedding": "viz3d.analysis.embedding",
    "loss_landscape": "viz3d.figures.loss_landscape",
    "gradient_flow": "viz3d.figures.gradient_flow",
    "reward_landscape": "viz3d.figures.reward_landscape",
    "training_dynamics": "viz3d.figures.training_dynamics",
    "compare": "viz3d.figures.difference",
    "seeds": "viz3d.figures.seeds",
    "curves": "viz3d.figures.curves",
    "align": "viz3d.analysis.alignment",
    "explore": "viz3d.figures.explore",
    "weight_space": "viz3d.figures.weight_space",
    "LandscapeGrid": "viz3d.grid",
    "Recorder": "viz3d.record.recorder",
    "HuggingFaceCallback": "viz3d.record.huggingface",
    "LightningCallback": "viz3d.record.lightning",
    "pack": "viz3d.packing",
    "landscape": "viz3d.record.landscape.measure",
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'viz3d' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return ["__version__", *_PUBLIC]
