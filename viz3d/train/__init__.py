"""Small reference trainers; they need PyTorch."""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("torch") is None:
    raise ModuleNotFoundError(
        'viz3d.train needs PyTorch; install it with: pip install "viz3d[train]"', name="torch"
    )
