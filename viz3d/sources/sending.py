"""A recorded run on its way to a bucket: whole lines as numbered parts, each written once.

Nothing is noted of what has arrived but an offset in memory. Whoever begins again, after a kill as
after an answer that was lost, compares the parts in the bucket with the lines of the record.
"""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import Any, BinaryIO

from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.settings import Settings
from viz3d.sources import checksum
from viz3d.sources.access import Access
from viz3d.sources.address import is_bucket, parse_bucket
from viz3d.sources.faults import fault
from viz3d.sources.gcs import Bucket
from viz3d.sources.patience import Deadlines

# Of one part, but for the rest of its last line: what a slow network carries in seconds.
PART_BYTES = 1 << 20
_PART = re.compile(r".*/part-(\d+)\.jsonl")


class Lines:
    """One file of lines and its parts.

    Parameters
    ----------
    file : Path
    bucket : Bucket
    folder : str
        What the names of its parts begin with, with a slash at the end.

    Attributes
    ----------
    foreign : int
        Parts found in the bucket that hold other lines; ours are numbered after them.
    """

    def __init__(self, file: Path, bucket: Bucket, folder: str) -> None:
        self.foreign = 0
        self._file, self._bucket, self._folder = file, bucket, folder
        self._begin()

    def send(self) -> bool:
        """Send the next part, and say whether more may be there than another one takes.

        Raises
        ------
        BucketError
        OSError
            If the file cannot be read.
        """
        try:
            with self._file.open("rb") as file:
                self._see_same(file)
                file.seek(self._offset)
                data = file.read(PART_BYTES) + file.readline()
                data = data[: data.rfind(b"\n") + 1]
                if not data:
                    return False
                name = f"{self._folder}part-{self._number:05d}.jsonl"
                if self._bucket.write(name, data):
                    self._offset += len(data)
                    self._number += 1
                    # What is less comes with the next round: rows may come faster than answers.
                    return len(data) >= PART_BYTES
                self._pass_by(file)
                return True
        except FileNotFoundError:  # no row yet
            return False

    def unsent(self) -> int:
        """Count the lines that are not known to be in the bucket."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._offset)
                return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        except OSError:
            return 0

    def _begin(self) -> None:
        self._offset, self._number = 0, 1
        self._inode: tuple[int, int] | None = None

    def _see_same(self, file: BinaryIO) -> None:
        """Begin anew where the record was removed and begun anew."""
        found = os.fstat(file.fileno())
        inode = (found.st_dev, found.st_ino)
        if self._inode not in (None, inode) or found.st_size < self._offset:
            self._begin()
        self._inode = inode

    def _pass_by(self, file: BinaryIO) -> None:
        """Go behind the parts that are there; those that hold our next lines are sent already."""
        listed = ((_PART.fullmatch(part.path), part) for part in self._parts())
        there = sorted((int(found[1]), part) for found, part in listed if found)
        ahead = [(number, part) for number, part in there if number >= self._number]
        if not ahead:  # it was there a moment ago
            raise fault("bad_answer", where=self._folder, reason="a part is there and is not")
        for number, part in ahead:
            if self._holds_next(file, part):
                self._offset += part.size
            else:
                self.foreign += 1
            self._number = number + 1

    def _parts(self) -> tuple[FileInfo, ...]:
        return self._bucket.level(self._folder).files

    def _holds_next(self, file: BinaryIO, part: FileInfo) -> bool:
        """Say whether a part holds what stands in the file at the offset."""
        file.seek(self._offset)
        crc, left = 0, part.size
        while left and (block := file.read(min(left, checksum.BLOCK))):
            crc, left = checksum.extend(crc, block), left - len(block)
        return not left and part.size > 0 and crc == part.crc32c


class Description:
    """The run's ``run.json``, replaced only where it still is what we saw.

    Parameters
    ----------
    file : Path
    bucket : Bucket
    name : str
        Of the object.
    """

    def __init__(self, file: Path, bucket: Bucket, name: str) -> None:
        self._file, self._bucket, self._name = file, bucket, name
        self._sent, self._generation = b"", ""
        self._before: dict[str, Any] = {}

    def send(self) -> None:
        """Send it if it changed.

        Raises
        ------
        BucketError
        OSError
            If the file cannot be read.
        """
        try:
            said = self._file.read_bytes()
        except FileNotFoundError:
            return
        if said == self._sent:
            return
        written = self._write(said)
        if written is None:
            written = self._see(said) or self._write(said)
        if written is None:
            raise fault("changed", name=self._name, where=f"gs://{self._bucket.name}")
        self._sent, self._generation = said, written.generation

    def _write(self, said: bytes) -> FileInfo | None:
        return self._bucket.write(self._name, _joined(said, self._before), self._generation)

    def _see(self, said: bytes) -> FileInfo | None:
        """Look at what is there, and return it if it is what we wanted to write."""
        there = self._bucket.stat(self._name)
        if there is None:
            self._generation = ""
            return None
        self._generation = there.generation
        found = io.BytesIO()
        self._bucket.read(there, 0, found, self._bucket.deadlines.answer)  # type: ignore[arg-type]
        if found.getvalue() in (said, _joined(said, self._before)):
            return there
        self._before = _mapping(found.getvalue())
        return None


class Sending:
    """A run folder and its place in a bucket.

    Parameters
    ----------
    folder : Path
        As `viz3d.record.recorder.Recorder` writes it.
    bucket : Bucket
    prefix : str
        What the names of the run's objects begin with, with a slash at the end.
    """

    def __init__(self, folder: Path, bucket: Bucket, prefix: str) -> None:
        self.lines = tuple(
            Lines(folder / f"{kind}.jsonl", bucket, f"{prefix}{kind}/")
            for kind in ("metrics", "layers")
        )
        self._description = Description(folder / "run.json", bucket, f"{prefix}run.json")

    @property
    def foreign(self) -> int:
        """Parts found in the bucket that another record wrote."""
        return sum(lines.foreign for lines in self.lines)

    def send(self) -> None:
        """Send what is new; last the description, which may say that the run has ended.

        Raises
        ------
        BucketError
        OSError
            If a file cannot be read.
        """
        left = list(self.lines)
        while left:
            left = [lines for lines in left if lines.send()]
        self._description.send()

    def unsent(self) -> int:
        """Count the rows that are not known to be in the bucket."""
        return sum(lines.unsent() for lines in self.lines)


def open_sending(folder: Path, address: str, settings: Settings) -> Sending:
    """Return a run folder's way to ``address/NAME OF THE FOLDER``; nothing is asked yet.

    Raises
    ------
    BucketError
        If `address` is no address of a bucket.
    """
    bucket, prefix = open_bucket(address, settings)
    return Sending(folder, bucket, f"{prefix}{folder.resolve().name}/")


def open_bucket(address: str, settings: Settings) -> tuple[Bucket, str]:
    """Return a bucket to write to, and what the names of objects at the address begin with.

    Raises
    ------
    BucketError
        If `address` is no address of a bucket.
    """
    if not is_bucket(address):
        raise BucketError("bad_name", f"{address!r} is no bucket.", "Write gs://BUCKET/FOLDER.")
    place = parse_bucket(address)
    deadlines = Deadlines().scaled(settings.patience)
    bucket = Bucket(place.bucket, Access.of(settings), deadlines, str(place), writes=True)
    return bucket, place.prefix


def _joined(said: bytes, before: dict[str, Any]) -> bytes:
    """Return a description with the starts that one before it told of."""
    now = _mapping(said)
    earlier, starts = before.get("attempts"), now.get("attempts")
    if not isinstance(earlier, list) or not isinstance(starts, list):
        return said
    now["attempts"] = [*(start for start in earlier if start not in starts), *starts]
    now["created"] = before.get("created", now.get("created"))
    return json.dumps(now, indent=2).encode() + b"\n"


def _mapping(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
