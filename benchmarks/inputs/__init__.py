"""The largest inputs: each is made in a folder, with files of about a size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.inputs.console_logs import (
    console_llmc,
    console_modded,
    console_nanochat,
    console_nanogpt,
    console_runs,
    console_short,
    console_verl,
)
from benchmarks.inputs.csv_logs import csv, csv_lightning, csv_sparse
from benchmarks.inputs.documents import document, trainer_state
from benchmarks.inputs.event_files import events, events_large, events_many, events_sparse
from benchmarks.inputs.joined_runs import joined, joined_50, joined_formats
from benchmarks.inputs.jsonl_logs import (
    gz,
    jsonl,
    jsonl_from_0,
    jsonl_layers,
    jsonl_long_layers,
    jsonl_long_line,
    jsonl_nan,
    jsonl_restart,
    jsonl_sparse,
    jsonl_too_large,
    jsonl_turns,
)
from benchmarks.inputs.parquet_files import (
    neptune,
    neptune_sparse,
    parquet,
    parquet_back,
    parquet_gaps,
)
from benchmarks.inputs.wandb_runs import wandb, wandb_segments, wandb_short, wandb_sparse

Make = Callable[[Path, int], None]

CASES: dict[str, Make] = {
    made.__name__: made
    for made in (
        jsonl, jsonl_restart, jsonl_from_0, jsonl_sparse, jsonl_turns, jsonl_layers,
        jsonl_long_layers, jsonl_nan, jsonl_long_line, jsonl_too_large, gz, csv, csv_lightning,
        csv_sparse, console_nanogpt, console_short, console_runs, console_llmc, console_modded,
        console_nanochat, console_verl, wandb, wandb_short, wandb_sparse, wandb_segments, events,
        events_sparse, events_many, events_large, trainer_state, document, parquet, parquet_gaps,
        parquet_back, neptune, neptune_sparse, joined, joined_50, joined_formats,
    )
}  # fmt: skip
