"""Read numbers out of values of any type, without trusting them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

from viz3d.record.limit import Helper

# Types whose number is there at once; anything else may run code of a stranger, or wait for a GPU.
_AT_ONCE = frozenset({int, float, bool})
_NO_NUMBERS = frozenset({str, bytes, bytearray, list, tuple, dict, set, complex, type(None)})

_helper = Helper()


def number(value: Any) -> int | float | None:
    """Return `value` as a plain number, or None if it is not one.

    Parameters
    ----------
    value : Any
        A Python, NumPy or PyTorch number; anything else with a number behind ``item()``, which is
        asked on a thread of its own.

    Returns
    -------
    int, float or None
        Booleans become 0 or 1. NaN and infinities are facts and stay. None also where ``item()``
        raises or takes longer than 50 ms.
    """
    if not is_known(value):
        return foreign([value])[0]
    try:
        return None if type(value) in _NO_NUMBERS else _item(value)
    except Exception:  # an array of several numbers, an integer too large for a float
        return None


def foreign(values: list[Any]) -> list[int | float | None]:
    """Return the numbers of values that cannot be trusted, all of them within 50 ms.

    Returns
    -------
    list of int, float or None
        As long as `values`; None for what is no number or was not read in time.
    """
    found: list[int | float | None] = []
    stream = _stream_of_caller()

    def read() -> None:
        with stream:
            for value in values:
                try:
                    found.append(_item(value))
                except BaseException:  # a stranger's; this is not the loop's thread
                    found.append(None)

    _helper.do(read)
    got = found[:]
    return got + [None] * (len(values) - len(got))


def is_known(value: Any) -> bool:
    """Say whether the number of `value` (or that it has none) can be told without a thread."""
    kind = type(value)
    return kind in _AT_ONCE or kind in _NO_NUMBERS or _lies_in_memory(kind, value)


def copied(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the entries of any mapping, within 50 ms.

    Raises
    ------
    ValueError
        If it raises when it is gone through, or takes longer.
    """
    if type(values) is dict and all(type(name) is str for name in values):
        return values
    found: list[dict[str, Any]] = []

    def read() -> None:
        found.append({str(name): values[name] for name in values})

    _helper.do(read)
    if not found:
        raise ValueError("the mapping of its metrics could not be read")
    return found[0]


def _item(value: Any) -> int | float | None:
    if not isinstance(value, (int, float)):
        item = getattr(value, "item", None)
        value = item() if callable(item) else None
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        # JSON readers keep 64 bits; a larger integer is a float to all of them.
        return int(value) if -(2**63) <= value < 2**63 else float(value)
    return None


def _lies_in_memory(kind: type, value: Any) -> bool:
    """Say whether `value` is NumPy's own, or a tensor of PyTorch itself on the CPU.

    Neither package is imported for it: whoever has such a value has its package.
    """
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and kind in _scalars(numpy):
        return True
    if numpy is not None and kind is numpy.ndarray:
        return not value.dtype.hasobject
    torch: Any = sys.modules.get("torch")
    tensor = getattr(torch, "Tensor", None)
    if tensor is None or (kind is not tensor and kind is not torch.nn.Parameter):
        return False
    return bool(value.device.type == "cpu")


@cache
def _scalars(numpy: Any) -> frozenset[type]:
    return frozenset(numpy.sctypeDict.values()) - {numpy.object_}


def _stream_of_caller() -> AbstractContextManager[Any]:
    """Return what makes another thread wait for the work that this one gave to a GPU.

    A thread has a stream of its own, which does not wait for those of others: a number read there
    could be that of a computation that is not finished.
    """
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    if cuda is None or not cuda.is_initialized():
        return nullcontext()
    return cuda.stream(cuda.current_stream())


def _forked() -> None:
    """Begin anew in a forked child, which has none of its parent's threads."""
    global _helper  # noqa: PLW0603
    _helper = Helper()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
