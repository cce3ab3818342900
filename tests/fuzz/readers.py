"""One file of each reader, for fuzzers that know nothing of logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from tests.formats import events, wandb_file

from .check import read
from .documents import DOCUMENTS
from .writers import WRITERS

CRASHES = Path(__file__).parent / "crashes"
"""Files ``READER-WHAT``, each of which once ended in an exception."""
READERS = {one.name: one for one in (*WRITERS, *DOCUMENTS)}
MOST_BYTES = 2_000  # of a file that is kept
# No fuzzer guesses a checksum: these are single records, around which a good file is put.
RECORDS: dict[str, tuple[str, Callable[[bytes], bytes], tuple[bytes, ...]]] = {
    "tensorboard_record": (
        "tensorboard",
        lambda data: events.VERSION + events.record(data),
        tuple(
            # Without its length and checksums.
            events.event(3, value)[12:-4]
            for value in (
                events.simple("loss", 2.0),
                events.tensor("loss", 1, events.inside(4, b"\0\0\x80?")),
                events.tensor("loss", 19, events.inside(13, b"\x80x")),
                events.hparams({"lr": 0.5, "name": "x", "fast": True}),
            )
        ),
    ),
    "wandb_record": (
        "wandb_offline",
        lambda data: wandb_file.wandb_file(wandb_file.run("abc"), data),
        (
            wandb_file.row(3, loss=2.0, train={"lr": 0.5, "image": {"_type": "image-file"}}),
            wandb_file.run("abc", 1_700_000_000, lr={"value": 0.5}),
            wandb_file.config(lr=0.5, deep={"a": [1]}),
            wandb_file.ended(1),
        ),
    ),
}


@cache
def seeds(reader: str, count: int = 40) -> tuple[Mapping[str, bytes], ...]:
    """Return files of good logs, always the same; the first of each is the one to be changed."""
    if reader in RECORDS:
        return tuple({"record": data} for data in RECORDS[reader][2])
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
    if reader in RECORDS:
        reader, around, _ = RECORDS[reader]
        content = around(content)
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
