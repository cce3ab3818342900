"""The wire format of protocol buffers, as far as reading a few known fields needs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from viz3d.formats import limits

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIZES = {FIXED64: 8, FIXED32: 4}


class TooManyFields(ValueError):
    """A message has more fields than the cap allows."""


def key(number: int, kind: int) -> int:
    """Return what stands before a field of that number and wire type."""
    return number << 3 | kind


def fields(message: bytes | memoryview) -> Iterator[tuple[int, Any]]:
    """Take a message apart.

    Parameters
    ----------
    message : bytes or memoryview

    Yields
    ------
    key : int
        As `key` gives it: a known field of another type than expected is an unknown one.
    value : int or bytes
        An unsigned int for `VARINT`, the bytes themselves for the others, as the message has them.

    Raises
    ------
    ValueError
        If the message is damaged; `TooManyFields` where it has more than the cap allows.
    """
    at, end = 0, len(message)
    for _ in range(limits.FIELDS):
        if at >= end:
            return
        found = message[at]
        found, at = (found, at + 1) if found < 0x80 else varint(message, at)
        kind = found & 7
        size = _SIZES.get(kind)
        if size is None:
            if kind not in (VARINT, BYTES):
                raise ValueError(f"wire type {kind}")
            size, at = varint(message, at)
            if kind == VARINT:
                yield found, size
                continue
        if size > end - at:
            raise ValueError("cut field")
        yield found, message[at : at + size]
        at += size
    if at < end:
        raise TooManyFields


def picked(message: bytes | memoryview, *keys: int) -> dict[int, Any]:
    """Return the fields of `message` with these keys, of a repeated one the last.

    Raises
    ------
    ValueError
        If the message is damaged.
    """
    return {found: value for found, value in fields(message) if found in keys}


def varint(message: bytes | memoryview, at: int) -> tuple[int, int]:
    """Read an unsigned integer at `at`; return it and where the next thing stands.

    Raises
    ------
    ValueError
        If it is cut or longer than 64 bits.
    """
    value = shift = 0
    for byte in message[at : at + 10]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value & (1 << 64) - 1, at + shift // 7
    raise ValueError("cut number")


def signed(value: int) -> int:
    """Return an unsigned 64-bit integer as the signed one of the same bits."""
    return value - (1 << 64) if value >> (63) else value
