"""Writes a log in each format that holds rows, as the programs do that write it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from tests.formats import events, wandb_file
from viz3d.formats import (
    algoperf,
    csv_any,
    gzipped,
    hf_trainer,
    json_arrays,
    jsonl,
    llmc_console,
    modded_nanogpt,
    nanochat_console,
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
from viz3d.formats.numbers import clean_name
from viz3d.formats.run_parquet import parquet_of

from .logs import FLOATS, NUMBERS, ODD_NAMES, PLAIN_NAMES, SINGLES, Record, logs


@dataclass(frozen=True)
class Written:
    """A log in files.

    Attributes
    ----------
    files : dict of {path in the source: content}
    ends : tuple of int
        In the first file, what of it a writer had written after each record; empty where a file is
        written at once.
    """

    files: dict[str, bytes]
    ends: tuple[int, ...] = ()


@dataclass(frozen=True)
class Writer:
    """How a format's logs are made.

    Attributes
    ----------
    name : str
    format : Format
    write : callable
    logs : strategy
        What it can hold.
    adds : tuple of str
        Metrics that the program logs beside.
    needs : int
        Records before which the file says too little.
    """

    name: str
    format: Format
    write: Callable[[Sequence[Record]], Written]
    logs: st.SearchStrategy[list[Record]]
    adds: tuple[str, ...] = ()
    needs: int = 1


def _lines(name: str, lines: Sequence[str], header: str = "") -> Written:
    """Return a file of lines, each a record."""
    content, ends = header.encode(), []
    for line in lines:
        content += f"{line}\n".encode()
        ends.append(len(content))
    return Written({name: content}, tuple(ends))


def _objects(records: Sequence[Record], step: str = "step") -> list[dict[str, float | None]]:
    return [{step: at, **values} for at, values in records]


def _jsonl(records: Sequence[Record]) -> Written:
    return _lines("log.jsonl", [json.dumps(row) for row in _objects(records)])


def _run_lines(records: Sequence[Record]) -> Written:
    lines = _lines("r/metrics.jsonl", [json.dumps(row) for row in _objects(records)])
    return Written(lines.files | {"r/run.json": b'{"config": {"seed": 1}}'}, lines.ends)


def _run_parts(records: Sequence[Record]) -> Written:
    """Write a packed part, numbered ones that it stands for, one that it does not, and lines."""
    rows = _objects(records)
    third = len(rows) // 3
    parts = [rows[:third], rows[third : 2 * third], rows[2 * third :]]
    lines = ["".join(json.dumps(row) + "\n" for row in part).encode() for part in parts]
    packed = "packed-0123456789abcdef.parquet"
    entry = {"part": packed, "through": 1, "bytes": 0}
    manifest = {"schema": 1, "metrics": [entry], "layers": []}
    files = {
        "r/metrics/part-00001.jsonl": lines[0],
        "r/metrics/part-00002.jsonl": lines[1],
        "r/metrics.jsonl": lines[2],
    }
    if parts[0]:
        files[f"r/metrics/{packed}"] = parquet_of(parts[0])
        files["r/manifest.json"] = json.dumps(manifest).encode()
    return Written(files)


def _json_arrays(records: Sequence[Record]) -> Written:
    arrays = {"step": [step for step, _ in records]}
    arrays |= {name: [values[name] for _, values in records] for name in records[0][1]}
    return Written({"log.json": json.dumps(arrays).encode()})


def _json_records(records: Sequence[Record]) -> Written:
    return Written({"log.json": json.dumps(_objects(records), indent=1).encode()})


def _trainer(records: Sequence[Record]) -> Written:
    state = {"global_step": records[-1][0], "log_history": _objects(records), "epoch": 1.0}
    return Written({"r/trainer_state.json": json.dumps(state, indent=2).encode()})


def _delimited(name: str, step: str, delimiter: str = ",") -> Callable[..., Written]:
    def write(records: Sequence[Record]) -> Written:
        header, *lines = (
            _row(cells, delimiter)
            for cells in [
                [step, *records[0][1]],
                *([at, *values.values()] for at, values in records),
            ]
        )
        return _lines(name, lines, f"{header}\n")

    return write


def _row(cells: Sequence[object], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="").writerow(cells)  # type: ignore[arg-type]
    return out.getvalue()


def _chart(records: Sequence[Record]) -> Written:
    names = [f"run - {metric}{end}" for metric in records[0][1] for end in ("", "__MIN", "__MAX")]
    lines = [
        _row([step, *(value for value in values.values() for _ in range(3))], quoting=csv.QUOTE_ALL)
        for step, values in records
    ]
    header = _row(["Step", *names], quoting=csv.QUOTE_ALL)
    return _lines("wandb_export.csv", lines, f"{header}\n")


def _console(first: str, between: str, colon: str) -> Callable[..., Written]:
    def write(records: Sequence[Record]) -> Written:
        lines = []
        for step, values in records:
            pairs = [
                f"{name}{colon}{value!r}" for name, value in values.items() if value is not None
            ]
            lines.append(first.format(step=step) + between.join(pairs))
        return _lines("train.log", lines)

    return write


def _llmc(records: Sequence[Record]) -> Written:
    lines = []
    for step, values in records:
        parts = [
            f"{name.removeprefix('train_')} {value!r}"
            for name, value in values.items()
            if value is not None
        ]
        lines.append(f"step {step:4d}/99 | {' | '.join(parts)} | 12.5 ms | 1.0% bf16 MFU")
    return _lines("main.log", lines)


def _events(records: Sequence[Record]) -> Written:
    content, ends = events.VERSION, []
    for step, values in records:
        there = [events.simple(tag, value) for tag, value in values.items() if value is not None]
        content += events.event(step, *there)
        ends.append(len(content))
    return Written({"r/events.out.tfevents.1700000000.host": content}, tuple(ends))


def _wandb(records: Sequence[Record]) -> Written:
    rows = [
        wandb_file.row(
            call, step=step, **{name: value for name, value in values.items() if value is not None}
        )
        for call, (step, values) in enumerate(records)
    ]
    content, ends = wandb_file.framed([wandb_file.run("abc"), *rows])
    return Written(
        {"wandb/offline-run-20250101_000000-abc/run-abc.wandb": content}, tuple(ends[1:])
    )


def _parquet(columns: dict[str, pa.Array]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, row_group_size=4, write_page_checksum=True)
    return out.getvalue()


def _history(records: Sequence[Record]) -> Written:
    columns = {"step": pa.array([step for step, _ in records], pa.int64())}
    for name in records[0][1]:
        values = [row[name] for _, row in records]
        there = [None if value is None else float(value) for value in values]
        columns[name] = pa.array(there, pa.float64())
    return Written({"history.parquet": _parquet(columns)})


def _packed(records: Sequence[Record]) -> Written:
    ((name, content),) = _jsonl(records).files.items()
    return Written({f"{name}.gz": gzip.compress(content)})


def _wandb_kept(records: Sequence[Record]) -> Written:
    rows = (
        json.dumps({"_step": call, "step": step, **values})
        for call, (step, values) in enumerate(records)
    )
    kept = wandb_history.pack(None, rows, {"id": "abc", "name": "x", "config": {}})
    return Written({f"p/abc/{wandb_history.FILE}": kept})


def _neptune(records: Sequence[Record]) -> Written:
    cells = [
        (step, name, float(value))
        for step, values in records
        for name, value in values.items()
        if value is not None
    ]
    n = len(cells)
    columns = {
        "project_id": pa.array(["team/p"] * n),
        "run_id": pa.array(["P-1"] * n),
        "attribute_path": pa.array([name for _, name, _ in cells]),
        "attribute_type": pa.array(["float_series"] * n),
        "step": pa.array([float(step) for step, _, _ in cells]),
        "float_value": pa.array([value for _, _, value in cells]),
        "string_value": pa.array([None] * n, pa.string()),
        "datetime_value": pa.array([None] * n, pa.timestamp("ms", "UTC")),
    }
    return Written({"p/P-1-0123456789abcdef_part_0.parquet": _parquet(columns)})


# Series have no order among each other: of two alike that log a step again, none is the last.
_SERIES = logs(restarts=False) | logs(restarts=False, again=False, alike=True)
_TSV = tuple(name for name in ODD_NAMES if "\t" not in name)
# What cannot be shown is replaced in a column's whole name, and that is no metric's any more.
_CHARTS = tuple(
    name for name in ODD_NAMES if " - " not in name and "(" not in name and name.isprintable()
)
_BOUNDS = tuple(f"{clean_name(name)}{end}" for name in _CHARTS for end in ("__MIN", "__MAX"))
_LLMC = ("norm", "lr")
_PATHS = (*PLAIN_NAMES, "actor/pg_loss", "critic/rewards/mean")

WRITERS = (
    Writer("jsonl", jsonl, _jsonl, logs(alike=True)),
    Writer("run", viz3d_run, _run_lines, logs(alike=True)),
    Writer("run_parts", viz3d_run, _run_parts, logs(alike=True)),
    Writer("json_arrays", json_arrays, _json_arrays, logs(alike=True)),
    Writer("json_records", json_arrays, _json_records, logs(alike=True)),
    Writer("hf_trainer", hf_trainer, _trainer, logs(alike=True)),
    Writer("csv", csv_any, _delimited("log.csv", "step"), logs()),
    Writer("tsv", csv_any, _delimited("log.tsv", "iter", "\t"), logs(_TSV)),
    Writer("algoperf", algoperf, _delimited("r/measurements.csv", "global_step"), logs()),
    Writer("sb3", sb3_progress, _delimited("r/progress.csv", "time/total_timesteps"), logs()),
    # A cut number is not equal to its bound, which is then kept.
    Writer("wandb_chart", wandb_chart, _chart, logs(_CHARTS), _BOUNDS),
    Writer("wandb_offline", wandb_offline, _wandb, logs(alike=True)),
    Writer(
        "nanochat", nanochat_console, _console("step {step:05d} | ", " | ", ": "),
        logs(PLAIN_NAMES, NUMBERS),
    ),
    Writer(
        "modded", modded_nanogpt, _console("step:{step}/9999 ", " ", ":"),
        logs(PLAIN_NAMES, NUMBERS),
    ),
    Writer("verl", verl_console, _console("step:{step} - ", " - ", ":"), logs(_PATHS, NUMBERS)),
    Writer(
        "llmc", llmc_console, _llmc, logs(_LLMC, NUMBERS, first="train_loss"), ("dt_ms", "mfu")
    ),
    Writer(
        "nanogpt", nanogpt_console, _console("iter {step}: ", ", ", " "),
        logs(("lr", "val_bpb", "norm", "x1"), NUMBERS, first="loss"),
    ),
    Writer(
        "prefixed", prefixed_console, _console("[train] iter {step}: ", ", ", " "),
        logs(("lr", "val_bpb", "norm", "x1"), NUMBERS, first="loss"), needs=2,
    ),
    Writer("tensorboard", tensorboard, _events, logs(values=SINGLES, alike=True)),
    Writer("gzip", gzipped, _packed, logs(alike=True)),
    Writer("wandb_history", wandb_history, _wandb_kept, logs(alike=True)),
    Writer("parquet", parquet_any, _history, logs(values=FLOATS, alike=True)),
    Writer("neptune", neptune, _neptune, _SERIES),
)  # fmt: skip
