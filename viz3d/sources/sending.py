"""A recorded run on its way to a bucket: its rows, its layers and last its description."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.settings import Settings
from viz3d.sources.access import Access
from viz3d.sources.address import is_bucket, parse_bucket
from viz3d.sources.gcs_writing import WritableBucket
from viz3d.sources.patience import Deadlines
from viz3d.sources.sending_lines import Lines


class Description:
    """The run's ``run.json``, replaced only where it still is what we saw.

    Parameters
    ----------
    file : Path
    bucket : WritableBucket
    name : str
        Of the object.
    """

    def __init__(self, file: Path, bucket: WritableBucket, name: str) -> None:
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
            raise BucketError(
                "changed",
                f"{self._name} in gs://{self._bucket.name} is written by another recorder too.",
                "Try again, or give each run a name of its own.",
            )
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
    bucket : WritableBucket
    prefix : str
        What the names of the run's objects begin with, with a slash at the end.
    """

    def __init__(self, folder: Path, bucket: WritableBucket, prefix: str) -> None:
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
    prefix += folder.resolve().name
    parse_bucket(f"{bucket.name}/{prefix}")  # the run's name may be none for an object
    return Sending(folder, bucket, f"{prefix}/")


def open_bucket(address: str, settings: Settings) -> tuple[WritableBucket, str]:
    """Return a bucket to write to, and what the names of objects at the address begin with.

    Raises
    ------
    BucketError
        If `address` is no address of a bucket.
    """
    if not is_bucket(address):
        said = "This" if "@" in address else f"{address!r:.80}"  # there may be a password in it
        raise BucketError("bad_name", f"{said} is no bucket.", "Write gs://BUCKET/FOLDER.")
    place = parse_bucket(address)
    deadlines = Deadlines().scaled(settings.patience)
    bucket = WritableBucket(place.bucket, Access.of(settings), deadlines, str(place))
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
