"""Lines of a record on their way to a bucket: numbered parts, each written once.

Nothing is noted of what has arrived but an offset in memory. Whoever begins again, after a kill as
after an answer that was lost, compares the parts in the bucket with the lines of the record.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from viz3d.run import FileInfo
from viz3d.sources import checksum
from viz3d.sources.faults import fault
from viz3d.sources.gcs_writing import WritableBucket

# Of one part, but for the rest of its last line: what a slow network carries in seconds.
PART_BYTES = 1 << 20
# Of the end of what was sent, by which a file that was begun anew is told from one that grew.
_END_BYTES = 256
_PART = re.compile(r".*/part-(\d+)\.jsonl")


class Lines:
    """One file of lines and its parts.

    Parameters
    ----------
    file : Path
    bucket : WritableBucket
    folder : str
        What the names of its parts begin with, with a slash at the end.

    Attributes
    ----------
    foreign : int
        Parts found in the bucket that hold other lines; ours are numbered after them.
    """

    def __init__(self, file: Path, bucket: WritableBucket, folder: str) -> None:
        self.foreign = 0
        self._file, self._bucket, self._folder = file, bucket, folder
        self._offset, self._number, self._end = 0, 1, b""

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
                self._go_behind_sent(file)
                data = file.read(PART_BYTES) + file.readline()
                data = data[: data.rfind(b"\n") + 1]
                if not data:
                    return False
                name = f"{self._folder}part-{self._number:05d}.jsonl"
                if self._bucket.write(name, data):
                    self._offset += len(data)
                    self._number, self._end = self._number + 1, data[-_END_BYTES:]
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
                self._go_behind_sent(file)
                return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        except OSError:
            return 0

    def _go_behind_sent(self, file: BinaryIO) -> None:
        """Seek to what comes next: the beginning if somebody truncated or replaced the file."""
        file.seek(self._offset - len(self._end))
        if file.read(len(self._end)) != self._end:
            self._offset, self._number, self._end = 0, 1, b""
            file.seek(0)

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
                file.seek(max(0, self._offset - _END_BYTES))
                self._end = file.read(self._offset - file.tell())
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
