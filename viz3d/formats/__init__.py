"""What files mean: one module per format, each of which declines what is not its own.

`FORMATS` is the order in which they are asked: the narrow ones first, those that take any column
names last.
"""

from __future__ import annotations

from viz3d.formats import (
    algoperf,
    config,
    csv_any,
    hf_trainer,
    json_arrays,
    jsonl,
    landscape_hdf5,
    landscape_npz,
    landscape_path_hdf5,
    modded_nanogpt,
    nanochat_console,
    nanochat_report,
    sb3_progress,
    viz3d_run,
    wandb_history,
)
from viz3d.formats.base import Format

FORMATS: tuple[Format, ...] = (
    viz3d_run,
    wandb_history,
    landscape_npz,
    landscape_hdf5,
    landscape_path_hdf5,
    nanochat_report,
    hf_trainer,
    algoperf,
    sb3_progress,
    nanochat_console,
    modded_nanogpt,
    json_arrays,
    jsonl,
    csv_any,
    config,
)
