"""Read a W&B log: LevelDB's framing with a plain CRC32 for each record, Protobuf inside."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

BLOCK, HEADER = 32 * 1024, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def read_log(path: Path) -> list[Any]:
    """Return the records of a ``.wandb`` file; fails where one is damaged."""
    from wandb.proto.wandb_internal_pb2 import Record

    return [Record.FromString(data) for data in _records(path.read_bytes())]


def history(path: Path) -> list[dict[str, Any]]:
    """Return the rows that were logged."""
    rows = [
        record.history for record in read_log(path) if record.WhichOneof("record_type") == "history"
    ]
    return [_nested(row.item) | {"_step": row.step.num} for row in rows]


def _nested(items: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        *above, last = item.nested_key or [item.key]
        place = found
        for key in above:
            place = place.setdefault(key, {})
        place[last] = json.loads(item.value_json)
    return found


def config(path: Path) -> dict[str, Any]:
    """Return the run's config as it was in the end."""
    found: dict[str, Any] = {}
    for record in read_log(path):
        kind = record.WhichOneof("record_type")
        said = record.run.config if kind == "run" else record.config if kind == "config" else None
        for item in said.update if said else ():
            found[item.key or item.nested_key[0]] = json.loads(item.value_json)
    return found


def metrics(path: Path) -> dict[str, str]:
    """Return the step metric of each name, or pattern of names, that has one."""
    said = [r.metric for r in read_log(path) if r.WhichOneof("record_type") == "metric"]
    return {m.name or m.glob_name: m.step_metric for m in said if m.step_metric}


def _records(data: bytes) -> list[bytes]:
    assert data[:4] == b":W&B"
    place, parts, found = HEADER, b"", []
    while place + HEADER <= len(data):
        left = BLOCK - place % BLOCK
        if left < HEADER:
            place += left
            continue
        length = int.from_bytes(data[place + 4 : place + 6], "little")
        kind = data[place + 6]
        body = data[place + HEADER : place + HEADER + length]
        checked = zlib.crc32(bytes([kind]) + body)
        assert checked == int.from_bytes(data[place : place + 4], "little"), f"damaged at {place}"
        parts += body
        if kind in {FULL, LAST}:
            found.append(parts)
            parts = b""
        place += HEADER + length
    assert not parts
    return found
