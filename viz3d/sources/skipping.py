"""Which files a source leaves out by their path alone."""

from __future__ import annotations

import re

# Folders that hold no histories, only weights, code or caches; entering them costs much.
SKIPPED = re.compile(
    r"\..*|checkpoints|.*_checkpoints|tokenizer|eval_bundle|base_data|node_modules|__pycache__"
    r"|venv|site-packages"
)


def skipped(path: str) -> bool:
    """Say whether a file lies in a folder that is left out, or is hidden itself.

    Parameters
    ----------
    path : str
        Relative to the source, with ``/`` between the parts.
    """
    *folders, name = path.split("/")
    return name.startswith(".") or any(SKIPPED.fullmatch(folder) for folder in folders)
