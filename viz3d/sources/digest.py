"""Fingerprint of what was read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

BLOCK = 1024 * 1024


def digest(files: Mapping[str, Path], known: Mapping[str, bytes] = MappingProxyType({})) -> str:
    """Return the SHA-256 of the names and bytes of files.

    Parameters
    ----------
    files : mapping of {path in the source: local path}
        Names count from the folder that holds them all, so that a moved run keeps its digest.
    known : mapping of {path in the source: SHA-256}
        Of the bytes of some of them, which need not be read then.

    Returns
    -------
    str
        Hexadecimal.

    Raises
    ------
    OSError
        If a file has gone or cannot be read.
    """
    whole = hashlib.sha256()
    depth = _common_depth(list(files))
    for path in sorted(files):
        name = "/".join(path.split("/")[depth:])
        content = known[path] if path in known else of_file(files[path])
        whole.update(name.encode("utf-8", "surrogatepass") + b"\0" + content)
    return whole.hexdigest()


def of_file(path: Path) -> bytes:
    """Return the SHA-256 of the bytes of a file.

    Raises
    ------
    OSError
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def of_grown(path: Path, before: int) -> tuple[bytes, bytes]:
    """Return the SHA-256 of a file and that of its first `before` bytes, in one reading.

    Raises
    ------
    OSError
    """
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while before > 0 and (block := file.read(min(before, BLOCK))):
            whole.update(block)
            before -= len(block)
        begin = whole.copy()
        while block := file.read(BLOCK):
            whole.update(block)
    return whole.digest(), begin.digest()


def _common_depth(paths: Sequence[str]) -> int:
    """Return how many leading folders all `paths` share, so that a moved run keeps its digest."""
    parts = [path.split("/")[:-1] for path in paths]
    shared = 0
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared += 1
    return shared
