"""Copies files of runs into a folder: whole or not at all, and never outside that folder."""

from __future__ import annotations

import filecmp
import os
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import BucketError, ExportError, SourceError
from viz3d.run import Problem, RunInfo
from viz3d.sources import checksum
from viz3d.sources.landing import NO_SPACE, SUFFIX, land, temporary
from viz3d.sources.places import REPORTS, Item, plan
from viz3d.sources.progress import Progress, Watch

if TYPE_CHECKING:
    from viz3d.sources.base import Source

# Bytes that are fetched before they are copied, so that the cache need not hold everything.
BATCH = 1_000_000_000
# Hidden, so that a source that is opened on the folder meanwhile does not list it.
TEMPORARY = ".viz3d-download"
# Seconds after which what a killed download left behind is removed.
STALE = 3600


class Download:
    """Copies files of runs into a folder, and knows at any moment how far that has come.

    Parameters
    ----------
    source : Source
    output : str or pathlib.Path
        The folder; made where it is not there.

    Attributes
    ----------
    items : list of Item
        What is to be written.
    written, here : int
        Files that were written, and that were here already with the same content.
    bytes : int
        Of the files that were written.
    told, failed : list of Problem
        What people should know, and why files could not be written, or only in an older state.
    """

    def __init__(self, source: Source, output: str | Path) -> None:
        self._source, self._output = source, Path(output)
        self._root = self._output.resolve()
        self.items: list[Item] = []
        self.written = self.here = self.bytes = 0
        self.told: list[Problem] = []
        self.failed: list[Problem] = []
        self._swept: set[Path] = set()

    def plan(self, runs: Sequence[RunInfo], include: Sequence[str] = REPORTS) -> None:
        """Find the files of some runs and decide where each goes; nothing is fetched.

        Parameters
        ----------
        runs : sequence of RunInfo
        include : sequence of str
            Globs as for `viz3d.sources.base.Source.find`, relative to the run.

        Raises
        ------
        SourceError
            If the source cannot be listed.
        """
        self.items, told = plan(self._source, runs, include)
        self.told += told

    def write(self, watch: Watch | None = None) -> None:
        """Write what was planned; a file that fails stops no other.

        Stopped at any moment (also by an exception of `watch`, or Ctrl-C) it leaves whole files
        alone; the same download then goes on from there.

        Parameters
        ----------
        watch : callable, optional
            Is told of the progress, of all files together.

        Raises
        ------
        ExportError
            If there can be no such folder.
        """
        self._make_root()
        missing = [item for item in self.items if not self._was_here(item)]
        ahead = _Ahead(missing, watch)
        for batch in _batches(missing):
            self._source.prepare([item.file for item in batch], ahead.watch(batch))
            for item in batch:
                self._write(item)
            ahead.done(batch)

    def _make_root(self) -> None:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExportError(
                f"The folder {self._output.name!r} cannot be made: {error.strerror}; name another "
                "with --output."
            ) from error

    def _was_here(self, item: Item) -> bool:
        """Say, from the listing's checksum alone, whether the file is here; count it if so."""
        file, path = item.file, self._root / item.place
        # Without a checksum, or of an object that is stored compressed, that is known once fetched.
        if file.crc32c is None or not _is_plain(path, file.size):
            return False
        with suppress(OSError):
            if checksum.of_file(path)[0] == file.crc32c:
                self.here += 1
                return True
        return False

    def _write(self, item: Item) -> None:
        """Fetch one file and copy it; why it cannot be is kept."""
        file = item.file
        try:
            copy = self._source.fetch(file)
            # An older copy is better than none, but it is not what was asked for.
            older = self._source.remarks(file)
            self.failed += older
            self._copy(copy, item.place, None if older else file.changed)
        except BucketError as error:
            self.failed.append(Problem(error.what, error.remedy, file.path))
        except SourceError as error:
            self.failed.append(Problem(str(error), file=file.path))
        except OSError as error:
            self.failed.append(Problem(*_why(error), file.path))

    def _copy(self, copy: Path, place: str, changed: float | None) -> None:
        final = self._folder(place) / place.rpartition("/")[2]
        if final.is_symlink() or final.is_dir():
            raise SourceError(
                "It was not written: a link or folder lies where it goes; move that elsewhere."
            )
        if final.exists() and filecmp.cmp(copy, final, shallow=False):
            self.here += 1
            return
        temp = temporary(final.parent, TEMPORARY)
        try:
            shutil.copyfile(copy, temp)
            mode = stat.S_IMODE(temp.stat().st_mode)
            land(temp, final)
        finally:
            temp.unlink(missing_ok=True)
        with suppress(OSError, OverflowError):
            final.chmod(mode)  # as private as the user's files are, no more
            if changed is not None:  # by which a folder of runs is sorted
                os.utime(final, (changed, changed))
        self.written += 1
        self.bytes += final.stat().st_size

    def _folder(self, place: str) -> Path:
        """Make the folder of a file; a link on the way to it may lead anywhere, so none is used."""
        folder = self._root
        for part in place.split("/")[:-1]:
            folder /= part
            with suppress(FileExistsError):
                folder.mkdir()
            if not _is_itself(folder):
                raise SourceError("It was not written: there is a link among its folders.")
        if folder not in self._swept:
            self._swept.add(folder)
            _sweep(folder)
        return folder


class _Ahead:
    """Turns the progress of a batch into that of everything."""

    def __init__(self, items: Sequence[Item], watch: Watch | None) -> None:
        self._files, self._bytes = len(items), sum(item.file.size for item in items)
        self._watch = watch
        self._done = self._came = 0

    def watch(self, batch: Sequence[Item]) -> Watch | None:
        """Return what is to watch a batch."""
        if self._watch is None:
            return None
        show = self._watch
        # What the cache has already counts as done.
        files = self._done + len(batch)
        size = self._came + sum(item.file.size for item in batch)

        def whole(part: Progress) -> None:
            show(
                Progress(
                    files - part.files + part.files_done, self._files,
                    size - part.bytes_total + part.bytes_done, self._bytes, part.rate,
                )
            )  # fmt: skip

        return whole

    def done(self, batch: Sequence[Item]) -> None:
        """Count a batch that is written."""
        self._done += len(batch)
        self._came += sum(item.file.size for item in batch)


def _batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        if batch and size + item.file.size > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item.file.size
    if batch:
        yield batch


def _is_plain(path: Path, size: int) -> bool:
    """Say whether a file of that size, and no link, is at `path`."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size and _is_itself(path.parent)


def _is_itself(folder: Path) -> bool:
    """Say whether no link leads to a folder, given below one that is resolved."""
    return os.path.normcase(os.path.realpath(folder)) == os.path.normcase(folder)


def _sweep(folder: Path) -> None:
    """Remove what a download that was killed left here."""
    for stray in folder.glob(f"{TEMPORARY}.*{SUFFIX}"):
        with suppress(OSError):
            if time.time() - stray.stat().st_mtime > STALE:
                stray.unlink()


def _why(error: OSError) -> tuple[str, str]:
    """Say why a file was not written, and what to do."""
    if error.errno in NO_SPACE:
        return "It was not written: the disk is full.", "Make room and download it again."
    what = f"It was not written: {error.strerror or type(error).__name__}."
    return what, "Choose another folder with --output."
