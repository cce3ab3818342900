"""The names W&B accepts, and those under which charts are logged."""

from __future__ import annotations

import re
from collections.abc import Sequence

from viz3d.errors import BadArgument

PROJECT = "viz3d"
"""The project where none is named."""

STEP = "viz3d/step"
"""The metric that holds the training step of what is logged."""

FILES = {"_image": "image", "_html": "page"}
"""Ending of the key -> what stands beside a figure."""

MOST = 128
"""Characters of a name; W&B takes no longer project, and no longer name of a run is read."""


def chart_key(kind: str, *, final: bool = False) -> str:
    """Return the key of a kind of chart, such as ``3d/loss_landscape``.

    Parameters
    ----------
    kind : str
        For example ``"loss-landscape"``.
    final : bool
        Whether it is the chart at the end of training: ``final/3d/...``.
    """
    # W&B makes a file name of a key, and on Windows refuses what a file name there cannot hold.
    word = re.sub(r"[^A-Za-z0-9_]+", "_", kind).strip("_")
    return f"{'final/' if final else ''}3d/{word}"


def run_name(names: Sequence[str]) -> str:
    """Return the name of a new run that holds charts of runs with these names."""
    first = " ".join("".join(c if c.isprintable() else " " for c in names[0]).split())
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return f"viz3d {first}"[: MOST - len(more)] + more


def check_names(project: str, entity: str, run_id: str) -> None:
    """Check what the user typed.

    Parameters
    ----------
    project, entity, run_id : str
        Empty where none is named.

    Raises
    ------
    BadArgument
        If W&B would not accept one of them.
    """
    for what, value, forbidden in (
        ("project", project, "/\\#?%:"),
        ("entity", entity, "/\\#?%: "),
        ("run id", run_id, "/\\#?%:;,'"),
    ):
        found = "".join(dict.fromkeys(c for c in value if c in forbidden or not c.isprintable()))
        if found or len(value) > MOST or value != value.strip():
            why = f"it holds {found!r}" if found else f"it has over {MOST} characters"
            why = "it begins or ends with a space" if value != value.strip() else why
            raise BadArgument(f"W&B takes no {what} {value[:40]!r}: {why}. Choose another name.")
