"""What is no part of any run: folders of weights, code or caches, and whatever is hidden."""

from __future__ import annotations

import re
from functools import lru_cache

SKIPPED = re.compile(
    r"\..*|checkpoints|.*_checkpoints|tokenizer|eval_bundle|base_data|node_modules|__pycache__"
    r"|venv|site-packages"
)


def skipped(path: str) -> bool:
    """Say whether a file is hidden or lies, at any depth, in a folder that holds no histories.

    Parameters
    ----------
    path : str
        Relative to the source. One that ends with ``/`` is a folder.
    """
    folder, _, name = path.rpartition("/")
    return name.startswith(".") or _folder_skipped(folder)


@lru_cache(maxsize=4096)
def _folder_skipped(folder: str) -> bool:
    return any(SKIPPED.fullmatch(part) for part in folder.split("/"))
