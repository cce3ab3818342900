"""Writes ``.wandb`` files: LevelDB's framing and a few kinds of records."""

from __future__ import annotations

import json
import zlib
from typing import Any

from viz3d.formats.wandb_offline import MAGIC
from viz3d.formats.wandb_records import record_class

BLOCK, HEADER = 32 * 1024, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def framed(records: list[bytes], magic: bytes = MAGIC) -> tuple[bytes, list[int]]:
    """Return a log, and for each record the place behind its last byte."""
    log, ends = bytearray(magic), []
    for record in records:
        left, kind = record, FULL
        while True:
            room = BLOCK - len(log) % BLOCK
            if room < HEADER:
                log += bytes(room)
                room = BLOCK
            part, left = left[: room - HEADER], left[room - HEADER :]
            begun = kind in (FIRST, MIDDLE)
            kind = (MIDDLE if begun else FIRST) if left else (LAST if begun else FULL)
            log += piece(kind, part)
            if not left:
                break
        ends.append(len(log))
    return bytes(log), ends


def piece(kind: int, data: bytes) -> bytes:
    """Return a piece of a record with its header."""
    body = bytes([kind]) + data
    return zlib.crc32(body).to_bytes(4, "little") + len(data).to_bytes(2, "little") + body


def row(call: int, /, **values: Any) -> bytes:
    """Return a row of the history, as W&B's library writes it: nested keys apart."""
    record = record_class()()
    record.history.step.num = call
    _add(record.history.item, values | {"_step": call}, ())
    return bytes(record.SerializeToString())


def config(**values: Any) -> bytes:
    """Return a record that sets values of the config."""
    record = record_class()()
    for key, value in values.items():
        record.config.update.add(key=key, value_json=json.dumps(value))
    return bytes(record.SerializeToString())


def run(run_id: str, started: int = 0, **values: Any) -> bytes:
    """Return the record that describes a run."""
    record = record_class()()
    record.run.run_id, record.run.project = run_id, "p"
    record.run.start_time.seconds = started
    for key, value in values.items():
        record.run.config.update.add(key=key, value_json=json.dumps(value))
    return bytes(record.SerializeToString())


def ended(code: int = 0) -> bytes:
    """Return the record of an end."""
    record = record_class()()
    record.exit.exit_code = code
    return bytes(record.SerializeToString())


def wandb_file(*records: bytes) -> bytes:
    """Return a whole file."""
    return framed(list(records))[0]


def _add(items: Any, values: dict[str, Any], above: tuple[str, ...]) -> None:
    for key, value in values.items():
        if isinstance(value, dict):
            _add(items, value, (*above, key))
        else:
            items.add(nested_key=[*above, key], value_json=json.dumps(value))
