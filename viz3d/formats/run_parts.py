"""The rows of a run folder: which of its files count, and in which order.

A record is written as lines (``metrics.jsonl``) or sent as numbered parts of lines
(``metrics/part-00001.jsonl``). Packing adds ``metrics/packed-DIGEST.parquet`` and a manifest, and
deletes nothing. A packed part that the manifest does not name does not count; what comes after the
last one that it names does. Where one cannot be read, what it stands for is read instead.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats import jsonl, parquet, text
from viz3d.formats.run_manifest import MANIFEST, Packed, read_manifest
from viz3d.formats.table import Table, stack
from viz3d.formats.tally import Tally

_PART = re.compile(r"(?:.*/)?(metrics|layers)/part-(\d+)\.(?:jsonl|parquet)")
_PACKED = re.compile(r"(?:.*/)?(metrics|layers)/packed-[0-9a-f]{16}\.parquet")
_LINES = re.compile(r"(?:.*/)?(metrics|layers)\.jsonl")


def stood_for(paths: Iterable[str], manifest: Path) -> set[str]:
    """Return the parts that need not be fetched: packed ones that are there hold their rows.

    Parameters
    ----------
    paths : iterable of str
        All files of one run.
    manifest : Path
        Its manifest here; one that cannot be used stands for nothing.
    """
    try:
        entries = read_manifest(manifest)
    except NotMine:
        return set()
    found = [match for path in paths if (match := _PART.fullmatch(path) or _PACKED.fullmatch(path))]
    there = {(match[1], match[0].rpartition("/")[2]) for match in found}
    through = {
        kind: max((one.through for one in named), default=0)
        for kind, named in entries.items()
        if all((kind, one.part) in there for one in named)
    }
    return {
        match[0]
        for match in found
        if match.re is _PART and 0 < int(match[2]) <= through.get(match[1], 0)
    }


class Parts:
    """The files of one kind in a run folder.

    Parameters
    ----------
    kind : str
    files : mapping of {path in the source: local path}
        All of the run.
    entries : sequence of Packed
        Of the manifest.
    """

    def __init__(self, kind: str, files: Mapping[str, Path], entries: Sequence[Packed]) -> None:
        self._entries = entries
        self._numbered: dict[str, int] = {}
        self._packed: dict[str, str] = {}
        self._lines = ""
        for name in files:
            if (found := _PART.fullmatch(name)) and found[1] == kind:
                self._numbered[name] = int(found[2])
            elif (found := _PACKED.fullmatch(name)) and found[1] == kind:
                self._packed[name.rpartition("/")[2]] = name
            elif (found := _LINES.fullmatch(name)) and found[1] == kind:
                self._lines = name
        self._in_order = sorted(self._numbered, key=self._numbered.__getitem__)
        self._missing = self._first_missing = 0
        lines = [self._lines] if self._lines else []
        self.names = (*self._packed.values(), *self._in_order, *lines)
        self._files = {name: files[name] for name in self.names}

    def read(self, tally: Tally) -> Table:
        """Read every row once; what cannot be read is counted in `tally`."""
        return stack(self._tables(tally), tally, cut=True)

    def _tables(self, tally: Tally) -> Iterator[Table]:
        # Others count from 0: no packed part stands for that one.
        yield from self._originals(-1, 0, 0, 0, tally)
        through = start = 0
        for entry in self._entries:
            name = self._packed.get(entry.part)
            packed = self._read_one(name, tally) if name else None
            if packed is None:
                tally.add(
                    "{n} packed part{|s} ({names}) {is|are} not there or cannot be read; the rows "
                    "were read from the original parts.",
                    name=entry.part,
                )
                yield from self._originals(through, entry.through, start, entry.bytes, tally)
            else:
                yield packed
            through, start = entry.through, entry.bytes
        yield from self._originals(through, None, start, None, tally)
        if self._missing:
            tally.add(
                f"{{n}} part{{|s}} {{is|are}} missing (the first is number {self._first_missing}); "
                "what {it|they} held was not read.",
                count=self._missing,
            )
        unnamed = set(self._packed) - {entry.part for entry in self._entries}
        for name in sorted(unnamed):
            tally.add(
                f"{{n}} packed part{{|s}} that {MANIFEST} does not name {{was|were}} left out "
                "({names}); the rows were read from the original parts.",
                name=name,
            )

    def _originals(
        self, after: int, upto: int | None, start: int, stop: int | None, tally: Tally
    ) -> Iterator[Table]:
        """Read the numbered parts above `after` up to `upto`, and the lines between two bytes."""
        number = self._numbered.__getitem__
        first = bisect_right(self._in_order, after, key=number)
        behind = None if upto is None else bisect_right(self._in_order, upto, key=number)
        found = self._in_order[first:behind]
        self._count_missing(after, upto, dict.fromkeys(map(number, found)))
        yield from self._numbered_tables(found, tally)
        if self._lines and (stop is None or stop > start):
            path = self._files[self._lines]
            begun_anew = stop is None and path.stat().st_size < start
            table = self._read_one(self._lines, tally, 0 if begun_anew else start, stop)
            if table is not None:
                yield table

    def _count_missing(self, after: int, upto: int | None, there: Iterable[int]) -> None:
        numbers = [number for number in there if number > 0]
        last = max(numbers, default=after) if upto is None else upto
        if missing := last - max(after, 0) - len(numbers):
            expected = enumerate([*numbers, last + 1], start=after + 1)
            first = next(number for number, found in expected if number != found)
            self._missing += missing
            self._first_missing = self._first_missing or first

    def _numbered_tables(self, names: Sequence[str], tally: Tally) -> Iterator[Table]:
        """Read parts in their order: small ones together, since there may be thousands."""
        for some in _bundles(names, self._files):
            table = self._read_together(some, tally) if len(some) > 1 else None
            # Where anything is odd each is read by itself, to tell which.
            each = iter([table]) if table else (self._read_one(name, tally) for name in some)
            yield from (found for found in each if found is not None)

    def _read_together(self, names: Sequence[str], tally: Tally) -> Table | None:
        try:
            lines = [self._files[name].read_bytes() for name in names]
        except OSError:
            return None
        whole = all(part.endswith(b"\n") for part in lines)
        return jsonl.read_fast(b"".join(lines), tally) if whole else None

    def _read_one(
        self, name: str, tally: Tally, start: int = 0, stop: int | None = None
    ) -> Table | None:
        of_file = Tally(name)
        path = self._files[name]
        try:
            if name.endswith(".parquet"):
                # What a packed part does not give whole is read from what it stands for.
                packed = name in self._packed.values()
                return parquet.read_table(path, of_file, whole=packed)
            return jsonl.read_table(path, of_file, start, stop)
        except NotMine as reason:
            of_file.add(f"The file was left out: {reason}.")
            return None
        finally:
            tally.take(of_file)


def _bundles(names: Sequence[str], files: Mapping[str, Path]) -> Iterator[list[str]]:
    """Yield parts of lines that follow each other and are small together; others one by one."""
    bundle: list[str] = []
    size = 0
    for name in names:
        more = text.BLOCK_BYTES
        if name.endswith(".jsonl"):
            with suppress(OSError):
                more = files[name].stat().st_size
        if bundle and size + more > text.BLOCK_BYTES:
            yield bundle
            bundle, size = [], 0
        bundle.append(name)
        size += more
    if bundle:
        yield bundle
