"""What is known of the code of a function: enough to tell a changed loss of the same name.

Seen are bytecode and constants, also of functions inside it; defaults; what it closes over; the
globals that it names; and of those each function in turn. Of modules and other objects only the
type is seen: not what a library's functions or the methods of an object do.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

PLAIN = (str, bytes, int, float, complex, type(None))
LIBRARIES = frozenset({"torch", "numpy"})
"""Their functions are known by name: they do not change with a user's loss."""

DEEPEST = 60
"""Functions that call each other are followed so far."""


def code_of(thing: Any) -> Any:
    """Return what `thing` would do when it is called, as nested tuples for `fingerprint`.

    Parameters
    ----------
    thing : any
        A function, method, partial or module, an object with ``__call__``; or None.
    """
    return _seen(thing, {}, 0)


def _seen(thing: Any, known: dict[int, int], depth: int) -> Any:
    """Return what is seen of a value; of one that was met before, when it was."""
    if isinstance(thing, PLAIN) or _is_array(thing):
        return thing
    if id(thing) in known:
        return ("again", known[id(thing)])
    known[id(thing)] = len(known)
    parts = _parts(thing) if depth < DEEPEST else ()
    return type(thing).__qualname__, *[_seen(part, known, depth + 1) for part in parts]


def _parts(thing: Any) -> Iterator[Any]:
    import torch

    if isinstance(thing, FunctionType):
        yield from _of_function(thing)
    elif isinstance(thing, CodeType):
        yield from (thing.co_code, *thing.co_consts, *thing.co_names)
    elif isinstance(thing, MethodType):
        yield from (thing.__func__, thing.__self__)
    elif isinstance(thing, functools.partial):
        yield from (thing.func, thing.args, thing.keywords)
    elif isinstance(thing, (list, tuple)):
        yield from thing
    elif isinstance(thing, (set, frozenset)):
        yield from sorted(thing, key=repr)
    elif isinstance(thing, Mapping):
        for key, value in thing.items():
            yield from (key, value)
    elif isinstance(thing, torch.nn.Module):
        yield from _of_module(thing)
    elif isinstance(call := getattr(type(thing), "__call__", None), FunctionType):
        yield call


def _of_function(function: FunctionType) -> Iterator[Any]:
    yield function.__qualname__
    if (function.__module__ or "").split(".")[0] in LIBRARIES:
        return
    yield from (function.__code__, function.__defaults__, function.__kwdefaults__)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # it is empty as yet
            yield None
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield from (name, function.__globals__[name])


def _names(code: CodeType) -> list[str]:
    """Return the names that a function looks up, those of functions inside it too."""
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return sorted({*code.co_names, *(name for part in inner for name in _names(part))})


def _of_module(module: Any) -> Iterator[Any]:
    """Yield the forward code and the settings of a module and of those inside it.

    Its weights and statistics are none of its code, and whether it is in training mode is set by
    whoever measures.
    """
    yield getattr(type(module), "forward", None)
    for name, value in sorted(vars(module).items()):
        if isinstance(value, PLAIN) and name != "training":
            yield from (name, value)
    for name, child in module.named_children():
        yield from (name, child)


def _is_array(thing: Any) -> bool:
    import torch

    return isinstance(thing, (torch.Tensor, np.ndarray))
