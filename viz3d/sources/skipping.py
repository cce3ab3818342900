"""What is no part of any run: folders of weights, code or caches, and whatever is hidden."""

from __future__ import annotations

import re
from functools import lru_cache

SKIPPED = re.compile(
    r"\..*|checkpoints|.*_checkpoints|tokenizer|eval_bundle|base_data|node_modules|__pycache__"
    r"|venv|site-packages"
)

ARCHIVE = re.compile(r".*\.(zip|tar|tgz|tbz2?|txz|tar\.\w{1,4}|7z|rar)", re.IGNORECASE)
"""What can unpack to anything, to any size and under any name, and is never opened."""
PICKLE = re.compile(r".*\.(pkl|pickle|pt|pth|ckpt|joblib|npy|bin|safetensors)", re.IGNORECASE)
"""Weights and pickles: to open one may be to run what is in it."""


def why_not_opened(path: str) -> str:
    """Say why a file that somebody named is never opened; empty where it may be."""
    if ARCHIVE.fullmatch(path):
        return "Archives are not opened."
    return "Files of weights and pickles are not opened." if PICKLE.fullmatch(path) else ""


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
