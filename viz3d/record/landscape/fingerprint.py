"""A digest of weights and batches: whether a measure that was begun is the one asked for now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np


def fingerprint(*things: Any) -> str:
    """Return the SHA-256 (hex) of tensors, arrays, numbers and text, nested as they may be.

    Of an object its attributes count, and where it has none only its type, since nothing else is
    known of it.
    """
    import torch

    digest = hashlib.sha256()
    inside: set[int] = set()

    def add(thing: Any) -> None:
        if isinstance(thing, torch.Tensor):
            digest.update(f"{thing.dtype}{tuple(thing.shape)}".encode())
            flat = thing.detach().cpu().contiguous().flatten()
            digest.update(flat.view(torch.uint8).numpy().data if flat.numel() else b"")
        elif isinstance(thing, np.ndarray) and not thing.dtype.hasobject:
            digest.update(f"{thing.dtype}{thing.shape}".encode() + thing.tobytes())
        elif isinstance(thing, Mapping):
            digest.update(f"mapping{len(thing)}".encode())
            for key, value in thing.items():
                add(key)
                add(value)
        elif isinstance(thing, (list, tuple)):
            digest.update(f"sequence{len(thing)}".encode())
            for value in thing:
                add(value)
        elif thing is None or isinstance(thing, (str, bytes, int, float, complex)):
            digest.update(repr(thing).encode())
        else:
            digest.update(type(thing).__qualname__.encode())
            if id(thing) not in inside:  # an object may hold itself
                inside.add(id(thing))
                add(getattr(thing, "__dict__", None))
                inside.discard(id(thing))
        digest.update(b"\0")

    add(things)
    return digest.hexdigest()
