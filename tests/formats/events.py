"""Writes event files byte by byte, as ``event.proto``, ``summary.proto`` and TFRecord say."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import google_crc32c

from viz3d.formats import tensorboard
from viz3d.formats.base import Parsed

from .conftest import Reader

NAME = "run/events.out.tfevents.1761924447.host.5700.0"
LATER = "run/events.out.tfevents.1761930000.host.90.0"


def one(read: Reader, content: bytes) -> Parsed:
    """Read one file of events."""
    (parsed,) = read(tensorboard, {NAME: content})
    return parsed


def masked(data: bytes) -> bytes:
    """Return the checksum of `data` as TFRecord stores it."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """Frame `data`."""
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def varint(number: int) -> bytes:
    """Encode a whole number; a negative one takes ten bytes."""
    number &= (1 << 64) - 1
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def whole(field: int, number: int) -> bytes:
    """Encode a field that holds a whole number."""
    return varint(field << 3) + varint(number)


def inside(field: int, data: bytes | str) -> bytes:
    """Encode a field that holds text, bytes or a message."""
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def double(field: int, number: float) -> bytes:
    """Encode a field that holds a double."""
    return varint(field << 3 | 1) + struct.pack("<d", number)


def single(field: int, number: float) -> bytes:
    """Encode a field that holds a float."""
    return varint(field << 3 | 5) + struct.pack("<f", number)


def event(step: int, *values: bytes, time: float = 0.0, more: bytes = b"") -> bytes:
    """Return the record of an event with these summary values."""
    summary = inside(5, b"".join(inside(1, value) for value in values)) if values else b""
    return record(double(1, time) + whole(2, step) + summary + more)


VERSION = record(double(1, 1.0) + inside(3, "brain.Event:2"))


def simple(tag: str, number: float) -> bytes:
    """Return a value as TensorFlow 1 and PyTorch write it."""
    return inside(1, tag) + single(2, number)


def plugin(name: str, content: bytes = b"") -> bytes:
    """Return the metadata of a value."""
    return inside(9, inside(1, inside(1, name) + inside(2, content)))


def tensor(
    tag: str, dtype: int, held: bytes, *, shape: bytes = b"", told: str = "scalars"
) -> bytes:
    """Return a value as TensorFlow 2 writes it."""
    tensor = whole(1, dtype) + inside(2, shape) + held
    return inside(1, tag) + inside(8, tensor) + (plugin(told) if told else b"")


def start(step: int) -> bytes:
    """Return the record that a session begins with."""
    return event(step, more=inside(7, whole(1, 1)))


def hparams(values: Mapping[str, float | str | bool]) -> bytes:
    """Return the value that holds the hyper-parameters of a run."""
    entries = b""
    for name, value in values.items():
        if isinstance(value, bool):
            held = whole(4, value)
        elif isinstance(value, str):
            held = inside(3, value)
        else:
            held = double(2, value)
        entries += inside(1, inside(1, name) + inside(2, held))
    tag = inside(1, "_hparams_/session_start_info")
    return tag + plugin("hparams", whole(1, 0) + inside(3, entries))


def scalars(tag: str, values: Mapping[int, float]) -> bytes:
    """Return the records of a curve."""
    return b"".join(event(step, simple(tag, value)) for step, value in values.items())
