"""What is known of the code of a function: enough to tell a changed loss of the same name.

Seen are bytecode and constants, also of functions inside it; defaults; what it closes over; the
globals that it names; and of those each function in turn. Of libraries, classes and other objects
only type and name are seen: not what their functions and methods do.
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


def _seen(thing: Any, known: dict[int, tuple[int, Any]], depth: int) -> Any:
    """Return what is seen of a value; of one that was met before, when it was."""
    if isinstance(thing, PLAIN) or _is_array(thing):
        return thing
    if id(thing) in known:
        return ("again", known[id(thing)][0])
    known[id(thing)] = len(known), thing  # held, so that no other gets its id
    parts = _parts(thing) if depth < DEEPEST else ()
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
    return type(thing).__qualname__, str(name), *[_seen(part, known, depth + 1) for part in parts]


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
        yield from (*thing.keys(), *thing.values())
    elif isinstance(thing, torch.nn.Module):
        yield from _of_module(thing)
    elif not isinstance(thing, type) and callable(thing):
        yield type(thing).__call__


def _of_function(function: FunctionType) -> Iterator[Any]:
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
        if isinstance(value, (*PLAIN, list, tuple)) and name != "training":
            yield from (name, value)
    for name, child in module.named_children():
        yield from (name, child)


def _is_array(thing: Any) -> bool:
    import torch

    return isinstance(thing, (torch.Tensor, np.ndarray))
