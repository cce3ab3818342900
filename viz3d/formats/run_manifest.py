"""``manifest.json`` of a run folder: which packed parts count, and what each stands for.

::

    {"schema": 1, "metrics": [{"part": "packed-….parquet", "through": 6, "bytes": 0}], "layers": []}

The first entry stands for the parts up to number 6 and the first 0 bytes of ``metrics.jsonl``, each
further one for what follows up to its own numbers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats import text

KINDS = ("metrics", "layers")
MANIFEST = "manifest.json"

_MOST = 1 << 60  # bytes of a file
_ENTRIES = 10_000  # of a kind: one packing a minute, for a week


@dataclass(frozen=True)
class Packed:
    """One entry of a manifest.

    Attributes
    ----------
    part : str
        Name of the file, in the folder of its kind.
    through, bytes : int
        The last numbered part, and the bytes of the lines, that it and those before it stand for.
    """

    part: str
    through: int
    bytes: int


def read_manifest(path: Path) -> dict[str, tuple[Packed, ...]]:
    """Read a manifest: kind -> entries.

    Raises
    ------
    NotMine
        If it cannot be read.
    """
    text.check(path, "DOCUMENT_BYTES")
    try:
        said = json.loads(path.read_text(encoding="utf-8-sig"))
        if said["schema"] != 1:
            raise NotMine(f"its schema is {said['schema']!r}, and this version reads 1")
        found = {
            kind: tuple(
                Packed(str(one["part"]), int(one["through"]), int(one["bytes"]))
                for one in said.get(kind, ())
            )
            for kind in KINDS
        }
    except (
        ValueError,
        RecursionError,
        AttributeError,
        KeyError,
        TypeError,
        OSError,
        OverflowError,
    ) as error:
        raise NotMine("it is no manifest of parts") from error
    for entries in found.values():
        ends = [(0, 0), *((one.through, one.bytes) for one in entries)]
        if any(b[0] < a[0] or b[1] < a[1] or b[1] > _MOST for a, b in pairwise(ends)):
            raise NotMine("its entries are in no order")
        # A stranger's could have one part read a million times.
        if len(entries) > _ENTRIES or len({one.part for one in entries}) < len(entries):
            raise NotMine("it names a part twice, or more parts than there can be")
    return found
