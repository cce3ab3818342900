"""What files mean: one module per format, each of which declines what is not its own.

`FORMATS` is the order in which they are asked: the narrow ones first, those that take any column
names last.
"""

from __future__ import annotations

from viz3d.formats import (
    algoperf,
    config,
    csv_any,
    gzipped,
    hf_trainer,
    json_arrays,
    jsonl,
    landscape_hdf5,
    landscape_npz,
    landscape_path_hdf5,
    llmc_console,
    modded_nanogpt,
    nanochat_console,
    nanochat_report,
    nanogpt_console,
    neptune,
    parquet_any,
    prefixed_console,
    sb3_progress,
    tensorboard,
    verl_console,
    viz3d_run,
    wandb_chart,
    wandb_history,
    wandb_offline,
)
from viz3d.formats.base import Format

FORMATS: tuple[Format, ...] = (
    viz3d_run,
    wandb_history,
    wandb_offline,
    neptune,
    landscape_npz,
    landscape_hdf5,
    landscape_path_hdf5,
    nanochat_report,
    hf_trainer,
    algoperf,
    sb3_progress,
    llmc_console,
    verl_console,
    nanochat_console,
    modded_nanogpt,
    nanogpt_console,
    prefixed_console,
    json_arrays,
    jsonl,
    wandb_chart,
    csv_any,
    gzipped,
    parquet_any,
    tensorboard,  # Behind those that write text: of two copies theirs has all the digits.
    config,
)
