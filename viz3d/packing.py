"""Pack the parts of a run where they lie, in a folder or a bucket; nothing is deleted.

The packed parts are written first, under names made of content and place, and the manifest that
names them last: until then, and where any of it is cut short, the original parts count.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from viz3d.errors import FormatError, NotMine, SourceError
from viz3d.formats.run_manifest import KINDS, MANIFEST, Packed, read_manifest
from viz3d.formats.run_parquet import Compacted, parquet_of, rows_of
from viz3d.formats.viz3d_run import claim
from viz3d.load import open_source
from viz3d.settings import load_settings
from viz3d.sources import checksum
from viz3d.sources.address import is_bucket
from viz3d.sources.sending import open_bucket
from viz3d.whole_file import write_whole

if TYPE_CHECKING:
    from viz3d.run import FileInfo
    from viz3d.settings import Settings


def pack(run: str | Path, settings: Settings | None = None) -> Compacted:
    """Pack the rows of a run that are not packed yet into Parquet; the run may be growing.

    Parameters
    ----------
    run : str or Path
        A run folder, or ``gs://BUCKET/FOLDER/RUN``.
    settings : Settings, optional
        For buckets; by default those of the environment and of ``.env``.

    Returns
    -------
    Compacted
        What was packed now.

    Raises
    ------
    SourceError, BucketError
        If the run cannot be read or written.
    FormatError
        If it is no recorded run, or was packed by someone else meanwhile.
    """
    settings = settings or load_settings()
    files, local = _fetched(run, settings)
    place = _place(run, settings)
    entries = _entries(local)
    counts: dict[str, int] = {}
    unreadable = 0
    for kind in KINDS:
        try:
            lines, through, stop = _unpacked(kind, local, entries[kind])
        except OSError as error:
            raise SourceError(f"The {kind} of {run} cannot be read: {error.strerror}.") from error
        rows, torn = rows_of(lines)
        counts[kind], unreadable = len(rows), unreadable + torn
        if rows:
            data = parquet_of(rows)
            # Rows may repeat, of layers after a restart: each part has a name of its own.
            digest = hashlib.sha256(data + b"%d %d" % (through, stop)).hexdigest()
            name = f"packed-{digest[:16]}.parquet"
            place.create(f"{kind}/{name}", data)
            entries[kind].append(Packed(name, through, stop))
    if any(counts.values()):
        said = {kind: [asdict(entry) for entry in found] for kind, found in entries.items()}
        text = json.dumps({"schema": 1, **said}, indent=1)
        place.replace(MANIFEST, text.encode(), files.get(MANIFEST))
    return Compacted(counts["metrics"], counts["layers"], unreadable)


def _fetched(run: str | Path, settings: Settings) -> tuple[dict[str, FileInfo], dict[str, Path]]:
    """Return the files of a run that packing reads, and their local paths."""
    source = open_source(run, settings)
    claimed = [(file, claim(file.path)) for file in source.files()]
    files = {file.path: file for file, found in claimed if found and not found.run}
    if source.as_of is not None:
        raise SourceError(f"{source.name} cannot be asked now, so it was not packed; try again.")
    if not files.keys() - {MANIFEST, "run.json"}:
        raise FormatError(f"{source.name} has no rows; name the folder of one recorded run.")
    if any("/part-" in path and path.endswith(".parquet") for path in files):
        raise FormatError(f"{source.name} holds parts of Parquet, which need no packing.")
    read = [file for path, file in files.items() if not path.endswith(".parquet")]
    source.prepare(read)
    return files, {file.path: source.fetch(file) for file in read}


def _entries(local: Mapping[str, Path]) -> dict[str, list[Packed]]:
    if MANIFEST not in local:
        return {kind: [] for kind in KINDS}
    try:
        return {kind: list(found) for kind, found in read_manifest(local[MANIFEST]).items()}
    except NotMine as reason:
        raise FormatError(
            f"{MANIFEST} cannot be used: {reason}. Remove it to pack the whole run anew."
        ) from None


def _unpacked(
    kind: str, local: Mapping[str, Path], entries: list[Packed]
) -> tuple[bytes, int, int]:
    """Return the whole lines that no entry stands for, and where they end."""
    through, stop = (entries[-1].through, entries[-1].bytes) if entries else (0, 0)
    numbered: dict[int, list[Path]] = {}
    for name, path in local.items():
        if found := re.fullmatch(rf"{kind}/part-(\d+)\.jsonl", name):
            numbered.setdefault(int(found[1]), []).append(path)
    data = b""
    # A part that is not to be seen yet comes with the next packing, and so does what follows it.
    while through + 1 in numbered:
        through += 1
        data += b"".join(path.read_bytes() for path in numbered[through])
    lines = local.get(f"{kind}.jsonl")
    if lines is not None:
        more = lines.read_bytes()[stop:]
        more = more[: more.rfind(b"\n") + 1]
        data, stop = data + more, stop + len(more)
    return data, through, stop


class _Place(Protocol):
    """Where a run lies, for writing."""

    def create(self, name: str, data: bytes) -> None:
        """Write a file whose name is made of its content."""

    def replace(self, name: str, data: bytes, seen: FileInfo | None) -> None:
        """Write a file in the place of the one that was seen."""


def _place(run: str | Path, settings: Settings) -> _Place:
    return _InBucket(str(run), settings) if is_bucket(str(run)) else _InFolder(Path(run))


class _InFolder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser()

    def create(self, name: str, data: bytes) -> None:
        self.replace(name, data, None)

    def replace(self, name: str, data: bytes, seen: FileInfo | None) -> None:
        try:
            write_whole(
                self._folder / name, data
            )  # on the disk: the manifest comes after its parts
        except OSError as error:
            raise SourceError(f"{name} cannot be written: {error.strerror}.") from error


class _InBucket:
    def __init__(self, address: str, settings: Settings) -> None:
        self._bucket, self._prefix = open_bucket(address, settings)

    def create(self, name: str, data: bytes) -> None:
        # Where it is there already, its content is this.
        self._bucket.write(self._prefix + name, data)

    def replace(self, name: str, data: bytes, seen: FileInfo | None) -> None:
        if self._bucket.write(self._prefix + name, data, seen.generation if seen else ""):
            return
        there = self._bucket.stat(self._prefix + name)
        ours = (len(data), checksum.extend(0, data))
        if there is None or (there.size, there.crc32c) != ours:  # else the answer was lost
            raise FormatError("The run was packed by someone else meanwhile; pack it once more.")
