"""Reads text files in bounded pieces: a log may be torn, huge, or no text at all."""

from __future__ import annotations

import os
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

BLOCK_BYTES = 2 * limits.MIB
BOM = b"\xef\xbb\xbf"
LONG_LINE = "{n} line{|s} longer than {limit:LINE_BYTES} {was|were} left out."
UNENDED = "The last line has no line end, so its last number may be cut."
# Text, and once in it or behind it nothing but NUL bytes.
_ONE_BLOCK = re.compile(rb"[^\x00-\x08\x0e-\x1a]+\x00+[^\x00-\x08\x0e-\x1a]*")
# Those that neither a terminal's output nor a text in an old encoding has many of.
_CONTROL = re.compile(rb"[\x01-\x06\x0e-\x1a\x1c-\x1f]")
ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")


def check(path: Path, cap: str = "FILE_BYTES") -> int:
    """Decline a file that cannot be UTF-8 text of a sensible size.

    Parameters
    ----------
    path : pathlib.Path
    cap : str
        Of `viz3d.formats.limits`, on its size.

    Returns
    -------
    int
        Its size in bytes.

    Raises
    ------
    NotMine
        If it cannot be opened, is too large, or is binary or UTF-16.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise NotMine(f"it cannot be opened ({error.strerror or 'input/output error'})") from error
    limits.check_size(size, cap)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotMine("it is UTF-16 text; convert it with `iconv -f UTF-16 -t UTF-8`")
    # A crash may leave a few NUL bytes in a text, or a block; binary files are full of them.
    binary = head.count(0) * 10 > len(head) and not _ONE_BLOCK.fullmatch(head)
    # So are pictures and random bytes of other control characters, and they are no UTF-8.
    some = max(len(head), 512) / 30
    binary |= len(_CONTROL.findall(head)) > some and not _is_utf8(head)
    if binary and not head.lstrip(BOM).lstrip().startswith((b"{", b"[")):
        raise NotMine("it is no text")
    return size


def _is_utf8(head: bytes) -> bool:
    """Say whether bytes are UTF-8, the last character perhaps cut."""
    try:
        getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def blocks(
    path: Path, tally: Tally, start: int = 0, stop: int | None = None, size: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """Read whole lines in blocks of a few MiB.

    Parameters
    ----------
    path : pathlib.Path
    tally : Tally
        Is told of lines that are too long; they are skipped without being held.
    start, stop : int, optional
        Bytes, each at the beginning of a line, between which to read.
    size : int, optional
        Of a block in bytes, where lines are not longer.

    Yields
    ------
    first_line : int
        Number of the block's first line, from 1.
    block : bytes
        Ends with a newline, but for a last line that has none.
    """
    line, rest = 1, b""
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(_next(file, stop, size)):
            if line == 1 and not rest:
                chunk = chunk.removeprefix(BOM)
            cut = chunk.rfind(b"\n") + 1
            if cut:
                block = b"".join((rest, memoryview(chunk)[:cut]))
                yield line, block
                line += line_ends(block)
                rest = chunk[cut:]
            elif len(rest := rest + chunk) > limits.LINE_BYTES:
                tally.add(LONG_LINE, line=line)
                rest = _skip_line(file, stop, size)
                line += 1
    if rest:
        yield line, rest


def line_ends(data: bytes) -> int:
    """Count line ends, several times as fast as ``data.count``."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))


def _next(file: BinaryIO, stop: int | None, size: int | None) -> int:
    """Return how many bytes to read next."""
    size = size or BLOCK_BYTES
    return size if stop is None else max(0, min(size, stop - file.tell()))


def _skip_line(file: BinaryIO, stop: int | None, size: int | None) -> bytes:
    """Read on to the next newline and return what follows it in the last chunk read."""
    while chunk := file.read(_next(file, stop, size)):
        _, newline, after = chunk.partition(b"\n")
        if newline:
            return bytes(after)
    return b""


def lines(path: Path, tally: Tally) -> Iterator[tuple[int, bytes]]:
    """Read line by line, without the line ends; a carriage return ends a line too.

    Parameters
    ----------
    path : pathlib.Path
    tally : Tally

    Yields
    ------
    number : int
        From 1; the parts of a line with carriage returns share its number.
    line : bytes
    """
    for first, block in blocks(path, tally):
        for number, line in enumerate(block.split(b"\n"), start=first):
            if len(line) > limits.LINE_BYTES:
                tally.add(LONG_LINE, line=number)
                continue
            for part in line.split(b"\r"):
                if part:
                    yield number, part


def unended(path: Path) -> bytes:
    """Return the last line where it has no end, as one that was cut or is being written.

    Empty where it has one, or is too long to be read.
    """
    with path.open("rb") as file:
        start = max(0, file.seek(0, os.SEEK_END) - limits.LINE_BYTES - 1)
        file.seek(start)
        tail = file.read()
    line = tail[max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1 :]
    return line if len(line) <= limits.LINE_BYTES else b""


def printed(line: bytes) -> str:
    """Return a console line as a person saw it: decoded, without colours and control codes."""
    text = line.decode("utf-8", errors="replace")
    return ANSI.sub("", text) if "\x1b" in text else text
