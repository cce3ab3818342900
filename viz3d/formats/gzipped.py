"""Logs that were compressed with gzip: unpacked within bounds, then read as what they are."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import (
    csv_any,
    jsonl,
    limits,
    llmc_console,
    modded_nanogpt,
    nanochat_console,
    nanogpt_console,
    prefixed_console,
    sb3_progress,
    verl_console,
    wandb_chart,
)
from viz3d.formats.base import Claim, Format, Parsed
from viz3d.formats.names import file_name
from viz3d.formats.tally import Tally

if TYPE_CHECKING:
    from typing import BinaryIO

NAME = "gzip"
INSIDE: tuple[Format, ...] = (
    sb3_progress,
    llmc_console,
    verl_console,
    nanochat_console,
    modded_nanogpt,
    nanogpt_console,
    prefixed_console,
    jsonl,
    wandb_chart,
    csv_any,
)
# No .json.gz: data sets lie so in buckets by the thousand, as do numbered shards of lines.
_LOGS = ("*.jsonl.gz", "*.csv.gz", "*.log.gz", "*.txt.gz")
# Not in any mixture of cases: the pattern of all formats has a largest length.
NAMES: tuple[str, ...] = (*_LOGS, *map(str.upper, _LOGS))
_SHARD = re.compile(r"shard|part[-_.]?\d|-of-\d", re.IGNORECASE)

DAMAGED = "It is damaged, and what follows the damaged place was left out."
CUT = "It is cut, so only what could be unpacked was read."
BLOCK = 64 * 1024
# Below this, what a log unpacks to may be any number of times its size: it does no harm.
HARMLESS = 16 * limits.MIB


def claim(path: str) -> Claim | None:
    """Claim compressed logs, but for the shards of a data set."""
    wanted = path.endswith(tuple(name[1:] for name in NAMES)) and not path.startswith(".")
    if not wanted or _SHARD.search(file_name(path)):
        return None
    return Claim(path) if any(form.claim(path[:-3]) for form in INSIDE) else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one file; where it is damaged, what could be unpacked.

    Raises
    ------
    NotMine
        If it is no gzip, unpacks to more than the limits allow, or nobody can read what is in it.
    """
    ((name, path),) = files.items()
    limits.check_size(path.stat().st_size, "UNPACKED_BYTES")  # hardly a log grows by packing
    tally = Tally(name)
    reasons = []
    with TemporaryDirectory(prefix="viz3d-") as folder:
        unpacked = Path(folder, "log")
        with path.open("rb") as packed, unpacked.open("wb") as out:
            for block in _unpacked(packed, tally):
                out.write(block)
        for form in INSIDE:
            if not form.claim(name[:-3]):
                continue
            try:
                parts = form.read({name[:-3]: unpacked})
            except NotMine as reason:
                reasons.append(f"{form.NAME}: {reason}")
            else:
                told = Parsed(problems=tally.problems())
                return [*(_renamed(part, name) for part in parts), *([told] * bool(told.problems))]
    raise NotMine(f"what it unpacks to cannot be read ({'; '.join(reasons)})")


def _renamed(part: Parsed, name: str) -> Parsed:
    """Say of the file that is there what was said of the one inside."""
    told = tuple(replace(problem, file=name) for problem in part.problems)
    return replace(part, problems=told, used=(name,))


def _unpacked(packed: BinaryIO, tally: Tally) -> Iterator[bytes]:
    """Yield what any number of gzip members hold, up to the first damage.

    Raises
    ------
    NotMine
        If there is no member, or more in it than the limits allow.
    """
    member, data, taken, given = None, b"", 0, 0
    while data or (data := packed.read(BLOCK)):
        if member is None:
            if not (data := data.lstrip(b"\0")):  # padding
                continue
            member = zlib.decompressobj(wbits=31)
        before = member.copy()
        try:
            block = member.decompress(data, BLOCK)
        except zlib.error:
            block = _up_to_damage(before, data)
            if not given + len(block):
                raise NotMine("it is no gzip file") from None
            tally.add(DAMAGED, remedy="Compress the log once more where it was written.")
            yield block
            return
        taken += len(data) - len(member.unconsumed_tail) - len(member.unused_data)
        given += len(block)
        _check(taken, given)
        yield block
        data = member.unconsumed_tail
        if member.eof:
            data, member = member.unused_data, None
    if member is not None:
        tally.add(CUT, remedy="Copy it once more if it should be whole.")


def _up_to_damage(member: zlib._Decompress, data: bytes) -> bytes:
    """Unpack byte by byte: of a whole block nothing is handed out where its end is wrong."""
    block = bytearray()
    with suppress(zlib.error):
        for at in range(len(data)):
            block += member.decompress(data[at : at + 1], BLOCK)
    return bytes(block)


def _check(taken: int, given: int) -> None:
    if given > limits.UNPACKED_BYTES:
        raise NotMine(limits.reason("it unpacks to more than {limit:UNPACKED_BYTES}"))
    if given > max(HARMLESS, limits.RATIO * taken):
        raise NotMine(limits.reason("it unpacks to more than {limit:RATIO} times its size"))
