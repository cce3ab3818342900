"""Read numbers out of values of any type, without trusting them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from numbers import Real
from typing import Any, TypeVar

from viz3d.record.limit import Helper, soon

# Types whose number is there at once; anything else may run code of a stranger, or wait for a GPU.
_AT_ONCE = frozenset({int, float, bool})
_NO_NUMBERS = frozenset({str, bytes, bytearray, list, tuple, dict, set, complex, type(None)})

_T = TypeVar("_T")

_helper = Helper()


def number(value: Any, end: float | None = None) -> int | float | None:
    """Return `value` as a plain number, or None if it is not one.

    Parameters
    ----------
    value : Any
        A Python, NumPy or PyTorch number; anything else with a number behind ``item()``, which is
        asked on a thread of its own.
    end : float, optional
        Until when, of ``time.monotonic()``, that is waited for; 40 ms from now by default.

    Returns
    -------
    int, float or None
        Booleans become 0 or 1. NaN and infinities are facts and stay. None also where ``item()``
        raises or takes longer.
    """
    if not is_known(value):
        return foreign([value], soon() if end is None else end)[0]
    try:
        return None if type(value) in _NO_NUMBERS else _item(value)
    except Exception:  # an array of several numbers, an integer too large for a float
        return None


def foreign(values: list[Any], end: float) -> list[int | float | None]:
    """Return the numbers of values that cannot be trusted, as far as they come by `end`.

    Returns
    -------
    list of int, float or None
        As long as `values`; None for what is no number or does not come in time.
    """
    found: list[int | float | None] = []

    def read() -> None:
        for value in values:
            try:
                found.append(_item(value))
            except BaseException:  # a stranger's; this is not the loop's thread
                found.append(None)

    aside(on_stream_of_caller(read), end)
    got = found[:]
    return got + [None] * (len(values) - len(got))


def reader(value: Any) -> Callable[[], int | float | None]:
    """Return what gives the number of `value`, or None, on any thread and at any time.

    A tensor is copied where it lies, without waiting for its device: the training loop may change
    it before its turn comes, and the copy keeps no graph alive.

    Raises
    ------
    RuntimeError
        If the device has failed.
    """
    if _is_tensor(type(value)):
        value = value.detach().clone()
    return on_stream_of_caller(partial(_item, value))


def is_known(value: Any) -> bool:
    """Say whether the number of `value` (or that it has none) can be told without a thread."""
    kind = type(value)
    return kind in _AT_ONCE or kind in _NO_NUMBERS or _lies_in_memory(kind, value)


def copied(values: Mapping[Any, Any], end: float) -> dict[str, Any]:
    """Return the entries of any mapping, if it can be gone through by `end`.

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

    aside(read, end)
    if not found:
        raise ValueError("the mapping of its metrics could not be read")
    return found[0]


def aside(work: Callable[[], object], end: float) -> bool:
    """Do `work`, with code of a stranger's, on the thread for it; False if it is not done by `end`.

    Where earlier work hangs there it is not even begun.
    """
    return _helper.do(work, end)


def _item(value: Any) -> int | float | None:
    if not isinstance(value, (int, float)):
        masked = sys.modules.get("numpy.ma")  # under a mask stands a number that is none
        if masked is not None and masked.is_masked(value):
            return None
        item = getattr(value, "item", None)
        value = item() if callable(item) else value
    if isinstance(value, int):
        # JSON readers keep 64 bits; a larger integer is a float to all of them.
        return int(value) if -(2**63) <= value < 2**63 else float(value)
    return float(value) if isinstance(value, (Real, *_decimal())) else None  # type: ignore[arg-type]


def _decimal() -> tuple[type, ...]:
    """Return Python's decimal numbers, which do not count themselves among the real ones."""
    decimal = sys.modules.get("decimal")
    return () if decimal is None else (decimal.Decimal,)


def _lies_in_memory(kind: type, value: Any) -> bool:
    """Say whether `value` is NumPy's own, or a tensor on the CPU or of not one number.

    Neither package is imported for it: whoever has such a value has its package.
    """
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and kind in _scalars(numpy):
        return True
    if numpy is not None and kind is numpy.ndarray:
        return not value.dtype.hasobject
    return _is_tensor(kind) and bool(value.device.type == "cpu" or value.numel() != 1)


def _is_tensor(kind: type) -> bool:
    """Say whether values of `kind` are PyTorch's own tensors."""
    torch: Any = sys.modules.get("torch")
    tensor = getattr(torch, "Tensor", None)
    return tensor is not None and (kind is tensor or kind is torch.nn.Parameter)


@cache
def _scalars(numpy: Any) -> frozenset[type]:
    return frozenset(numpy.sctypeDict.values()) - {numpy.object_}


def on_stream_of_caller(work: Callable[[], _T]) -> Callable[[], _T]:
    """Return `work` such that, on another thread, it waits for what this one gave to a GPU.

    A thread has a stream of its own, which does not wait for those of others: a number read there
    could be that of a computation that is not finished.
    """
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    if cuda is None or not cuda.is_initialized():
        return work
    stream = cuda.stream(cuda.current_stream())

    def there() -> _T:
        with stream:
            return work()

    return there


def _forked() -> None:
    """Begin anew in a forked child, which has none of its parent's threads."""
    global _helper  # noqa: PLW0603
    _helper = Helper()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
