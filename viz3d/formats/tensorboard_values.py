"""What TensorBoard's summaries hold: a number, hyper-parameters, or something else.

Field numbers are those of ``summary.proto``, ``tensor.proto`` and the hparams plugin's
``plugin_data.proto``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from viz3d.formats import limits
from viz3d.formats.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    fields,
    key,
    picked,
    signed,
    varint,
)

_TAG, _SIMPLE, _TENSOR, _METADATA = key(1, BYTES), key(2, FIXED32), key(8, BYTES), key(9, BYTES)
_OTHER = {key(4, BYTES): "images", key(5, BYTES): "histograms", key(6, BYTES): "audio"}
_ONE, _TWO, _THREE = key(1, BYTES), key(2, BYTES), key(3, BYTES)

_DTYPE, _SHAPE, _CONTENT = key(1, VARINT), key(2, BYTES), key(4, BYTES)
_DIM = key(2, BYTES)
_BFLOAT16 = 14
# DataType -> how one number of it stands in tensor_content, and the field that else holds it.
_TYPES = {
    1: ("<f", 5), 2: ("<d", 6), 3: ("<i", 7), 4: ("<B", 7), 5: ("<h", 7), 6: ("<b", 7),
    9: ("<q", 10), 10: ("<?", 11), _BFLOAT16: ("<f", 13), 17: ("<H", 7), 19: ("<e", 13),
    22: ("<I", 16), 23: ("<Q", 17),
}  # fmt: skip
_FIXED = {5: FIXED32, 6: FIXED64}  # the other fields hold varints
_HALVES = 13  # its numbers are the 16 bits, as whole numbers
_FIELDS = {field for _, field in _TYPES.values()}
_TENSOR_KEYS = (
    *(_DTYPE, _SHAPE, _CONTENT),
    *(key(field, BYTES) for field in _FIELDS),
    *(key(field, _FIXED.get(field, VARINT)) for field in _FIELDS),
)
SCALARS, HPARAMS = "scalars", "hparams"


@dataclass(frozen=True)
class Summary:
    """One value of a summary.

    Attributes
    ----------
    tag : str
    kind : str
        ``"scalars"`` or what else it is; empty for a tensor that does not say.
    number : float or None
        None where it is no single number.
    hparams : dict or None
        Of the run, where it is a record of them.
    """

    tag: str
    kind: str
    number: float | None = None
    hparams: dict[str, Any] | None = None


def summary(message: bytes | memoryview) -> Summary:
    """Read a ``Summary.Value``.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    tag, kind, number, hparams = "", "", None, None
    for field, value in fields(message):
        if field == _TAG:
            tag = text(value[: 4 * limits.NAME_CHARS])
            if len(value) > 4 * limits.NAME_CHARS:
                tag += f"#{crc32(value):08x}"  # longer than any name: its end shall count too
        elif field == _SIMPLE:
            kind, number = SCALARS, struct.unpack("<f", value)[0]
        elif field == _TENSOR:
            number = rank_0(value)
        elif field == _METADATA:
            plugin = picked(picked(value, _ONE).get(_ONE, b""), _ONE, _TWO)
            kind = kind or text(plugin.get(_ONE, b"")[: limits.NAME_CHARS])
            if kind == HPARAMS:
                hparams = _hparams(plugin.get(_TWO, b""))
        else:
            kind = _OTHER.get(field, kind)
    return Summary(tag, kind, number, hparams)


def text(value: bytes | memoryview) -> str:
    """Decode text that may be damaged."""
    return str(value, "utf-8", errors="replace")


def rank_0(tensor: bytes | memoryview) -> float | None:
    """Return the number of a ``TensorProto`` of rank 0, or None for any other tensor.

    Without any value it is 0: TensorFlow leaves out what repeats the default.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    message = picked(tensor, *_TENSOR_KEYS)
    dtype = message.get(_DTYPE, 0)
    has_shape = any(found == _DIM for found, _ in fields(message.get(_SHAPE, b"")))
    if dtype not in _TYPES or has_shape:
        return None
    try:
        return float(_number(message, dtype))
    except (struct.error, OverflowError):
        return None  # another number of bytes than one number has


def _number(message: dict[int, Any], dtype: int) -> float:
    code, field = _TYPES[dtype]
    packed = message.get(key(field, BYTES))
    bits = message.get(_CONTENT)
    if not bits and field in _FIXED:
        bits = packed or message.get(key(field, _FIXED[field]), bytes(struct.calcsize(code)))
    elif not bits:
        whole, _ = varint(packed, 0) if packed else (message.get(key(field, VARINT), 0), 0)
        if field != _HALVES:
            return whole if code == "<Q" else signed(whole)
        bits = whole.to_bytes(2, "little")
    # A bfloat16 is the upper half of a float.
    number: float = struct.unpack(code, bytes(2) + bytes(bits) if dtype == _BFLOAT16 else bits)[0]
    return number


def _hparams(content: bytes | memoryview) -> dict[str, Any] | None:
    """Return the ``hparams`` of a ``SessionStartInfo``, where `content` holds one."""
    started = picked(content, _THREE).get(_THREE)
    if started is None or len(started) > limits.CONFIG_BYTES:
        return None
    found = {}
    for field, entry in fields(started):
        if field == _ONE:
            named = picked(entry, _ONE, _TWO)
            for kind, value in picked(named.get(_TWO, b""), *_PLAIN).items():
                found[text(named.get(_ONE, b""))] = _PLAIN[kind](value)
    return found


# google.protobuf.Value
_PLAIN: dict[int, Callable[[Any], Any]] = {
    key(2, FIXED64): lambda value: struct.unpack("<d", value)[0],
    key(3, BYTES): text,
    key(4, VARINT): bool,
}
