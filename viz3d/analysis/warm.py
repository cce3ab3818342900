"""Import ahead of time what the first fit of a process would otherwise wait for."""

from __future__ import annotations

from importlib import import_module

LIBRARIES = (
    "scipy.linalg",
    "scipy.signal",
    "scipy.spatial",
    "sklearn.decomposition",
    "sklearn.gaussian_process",
)


def load_libraries() -> None:
    """Import the numerical libraries: seconds on a slow machine, nothing the second time."""
    for name in LIBRARIES:
        import_module(name)
