"""Brings objects of a bucket into the cache: each once, whoever asks, and only what is new."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources.batches import Batches, alone
from viz3d.sources.cache import Cache
from viz3d.sources.faults import fault
from viz3d.sources.gcs_reading import Bucket
from viz3d.sources.landing import NO_SPACE
from viz3d.sources.progress import Meter, Watch
from viz3d.sources.transfer import download


class Fetcher:
    """A bucket and the cache that its objects are kept in.

    Parameters
    ----------
    bucket : Bucket
    cache : Cache
    place : str
        Under which the cache knows the bucket.
    where : str
        Its address, for messages.
    """

    def __init__(self, bucket: Bucket, cache: Cache, place: str, where: str) -> None:
        self._bucket, self._cache, self._place, self._where = bucket, cache, place, where
        self._batches = Batches(self._bring)

    def bring_all(
        self, files: Sequence[FileInfo], watch: Watch | None, cancel: threading.Event | None
    ) -> None:
        """Download what is not here yet, many at once.

        What goes wrong is kept for the next `bring` of that file, which so asks nobody twice.
        """
        meter = Meter(cancel)
        self._batches.forget(files)
        missing = [file for file in files if self._cache.find(self._place, file) is None]
        for file in missing:
            meter.plan(file.size)
        self._batches.bring(missing, meter, watch)

    def bring(self, file: FileInfo, *, offline: bool = False) -> Path:
        """Return the copy of exactly this generation, or of a newer one where it was replaced.

        Parameters
        ----------
        file : FileInfo
            With the whole name of the object as its path.
        offline : bool
            Whether the bucket is known not to answer now.

        Raises
        ------
        BucketError
        """
        self._batches.raise_for(file)
        return self._bring(file, offline=offline)

    def _bring(self, file: FileInfo, meter: Meter | None = None, *, offline: bool = False) -> Path:
        with alone(f"{self._place}\0{file.path}"):
            here = self._cache.find(self._place, file)
            if here is not None:
                return here
            if offline:
                raise fault("offline", name=file.path, where=self._where)
            if meter is None:
                meter = Meter()
                meter.plan(file.size)
            try:
                return self._download(file, meter)
            except BucketError as error:
                fresh = self._replaced_by(file, error)
            try:
                return self._cache.find(self._place, fresh) or self._download(fresh, meter)
            except BucketError as error:
                if error.kind == "deleted" and self._bucket.stat(file.path) is not None:
                    raise fault("changed", name=file.path, where=self._where) from error
                raise

    def _replaced_by(self, file: FileInfo, error: BucketError) -> FileInfo:
        """Return the present state of an object whose listed generation is gone, or raise."""
        if error.kind not in ("deleted", "changed"):
            raise error
        fresh = self._bucket.stat(file.path)
        if fresh is None or fresh.generation == file.generation:
            raise error
        return fresh

    def _download(self, file: FileInfo, meter: Meter) -> Path:
        try:
            try:
                return self._into_cache(file, meter)
            except OSError as error:
                if error.errno not in NO_SPACE or not self._cache.make_room(file.size):
                    raise
                return self._into_cache(file, meter)
        except OSError as error:
            if error.errno in NO_SPACE:
                free = shutil.disk_usage(self._cache.folder).free
                sizes = {"needs": _amount(file.size), "has": _amount(free)}
                raise fault("disk_full", name=file.path, **sizes) from error
            reason = error.strerror or type(error).__name__
            raise fault("cache_unwritable", reason=reason) from error

    def _into_cache(self, file: FileInfo, meter: Meter) -> Path:
        with self._cache.part(self._place, file) as temp:
            if not temp.stat().st_size:
                self._begin_with_older(file, temp)
            # What is there already does not come over the network.
            meter.plan(-temp.stat().st_size, files=0)
            crc = download(self._bucket, file, temp, meter, self._where)
            return self._cache.store(self._place, file, temp, crc, file.size)

    def _begin_with_older(self, file: FileInfo, temp: Path) -> None:
        """Copy the last generation: a log that grew begins with it, so only its tail is fetched.

        Whether it does is decided by the checksum of the whole.
        """
        older = self._cache.newest(self._place, file.path)
        if older is not None and not file.encoding and older.size < file.size:
            shutil.copyfile(older.path, temp)


def _amount(number: float) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 1e5 else f"{number:,.0f} bytes"
