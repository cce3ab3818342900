"""One file of each reader, for fuzzers that know nothing of logs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from .check import read
from .documents import DOCUMENTS
from .writers import WRITERS

CRASHES = Path(__file__).parent / "crashes"
"""Files ``READER-WHAT``, each of which once ended in an exception."""
READERS = {one.name: one for one in (*WRITERS, *DOCUMENTS)}
MOST_BYTES = 2_000  # of a file that is kept


@cache
def seeds(reader: str, count: int = 40) -> tuple[Mapping[str, bytes], ...]:
    """Return files of good logs, always the same; the first of each is the one to be changed."""
    one = READERS[reader]
    found: list[Mapping[str, bytes]] = []
    cases = one.cases if hasattr(one, "cases") else one.logs.map(one.write)

    @settings(
        max_examples=count, database=None, derandomize=True, phases=[Phase.generate],
        deadline=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(cases)
    def collect(case: object) -> None:
        found.append(case.files)  # type: ignore[attr-defined]

    collect()
    return tuple(found)


def replay(reader: str, content: bytes) -> None:
    """Read `content` as the first file of a reader, beside good ones."""
    files = seeds(reader, 1)[0]
    read({**files, next(iter(files)): content})


def smallest(reader: str, content: bytes) -> bytes:
    """Return less of a file that ends in the same kind of exception: pieces are left out."""
    kind = _ends_in(reader, content)
    piece = len(content) // 2
    while piece:
        at = 0
        while at < len(content):
            less = content[:at] + content[at + piece :]
            if _ends_in(reader, less) == kind:
                content = less
            else:
                at += piece
        piece //= 2
    return content


def _ends_in(reader: str, content: bytes) -> str:
    try:
        replay(reader, content)
    except Exception as error:
        return type(error).__name__
    return ""


def keep(reader: str, content: bytes) -> Path:
    """Write what is left of a file that ends in an exception beside the others, and say where."""
    content = smallest(reader, content)
    path = CRASHES / f"{reader}-{_ends_in(reader, content).lower()}"
    number = 2
    while path.exists():
        path = path.with_name(f"{path.name.rpartition('.')[0] or path.name}.{number}")
        number += 1
    path.write_bytes(content)
    return path
