"""The rows of a history that is being read, in a file that a killed process leaves behind.

Each line begins with its own checksum: what a crash, a full disk or a bad sector made of the file
is found when the reading goes on, and from there on the rows are asked for again.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path


class Begun:
    """See the module.

    Parameters
    ----------
    path : pathlib.Path
        Of a file that this process alone writes; may hold rows of an earlier reading.

    Attributes
    ----------
    rows : int
    last : str or None
        The last of them.

    Raises
    ------
    OSError
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows, self.last, whole = 0, None, 0
        for line, size in self._sound():
            self.rows, self.last, whole = self.rows + 1, line, whole + size
        os.truncate(path, whole)

    def add(self, lines: Iterable[str]) -> None:
        """Append rows."""
        with self._path.open("ab") as out:
            for line in lines:
                data = line.encode("utf-8", "surrogatepass")
                out.write(b"%08x %s\n" % (zlib.crc32(data), data))
                self.rows, self.last = self.rows + 1, line

    def clear(self) -> None:
        """Forget all rows."""
        os.truncate(self._path, 0)
        self.rows, self.last = 0, None

    def lines(self) -> Iterator[str]:
        """Yield the rows.

        Raises
        ------
        OSError
            Also if they are no longer what was written.
        """
        left = self.rows
        for line, _ in self._sound():
            left -= 1
            yield line
        if left:
            raise OSError(errno.EIO, "what was written reads back differently")

    def _sound(self) -> Iterator[tuple[str, int]]:
        """Yield the lines before the first that is damaged, and their lengths in the file."""
        with self._path.open("rb") as file:
            for line in file:
                crc, _, data = line[:-1].partition(b" ")
                if line[-1:] != b"\n" or crc != b"%08x" % zlib.crc32(data):
                    return
                yield data.decode("utf-8", "surrogatepass"), len(line)
