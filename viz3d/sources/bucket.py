"""Runs in a Google Cloud Storage bucket: listed by the page, verified, usable offline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from viz3d.errors import BucketError
from viz3d.run import FileInfo, Problem
from viz3d.sources.access import Access
from viz3d.sources.address import Address
from viz3d.sources.fetching import Fetcher
from viz3d.sources.gcs_reading import Bucket, Listing
from viz3d.sources.globs import literal
from viz3d.sources.kept import KeptSource
from viz3d.sources.patience import Deadlines
from viz3d.sources.skipping import skipped

if TYPE_CHECKING:
    from viz3d.settings import Settings
    from viz3d.sources.progress import Watch

# The folder in which runs lie where a bucket holds other things too.
RUNS = "runs/"
# Seconds for which the names that were listed a moment ago are not listed again.
FRESH = 5.0
# Seconds for which a listing that came too late for one call serves the next.
LATE = 60.0


class BucketSource(KeptSource[Address]):
    """A bucket or a folder in it.

    Parameters
    ----------
    address : Address
    settings : Settings
    names : sequence of str
        Globs of the file names to look for, in any folder.
    wanted : callable
        Whether a path may belong to a run; asked of every path the service returns.
    """

    def __init__(
        self, address: Address, settings: Settings, *, names: Sequence[str],
        wanted: Callable[[str], bool],
    ) -> None:  # fmt: skip
        access = Access.of(settings)
        deadlines = Deadlines().scaled(settings.patience)
        # A bucket of an emulator may have the name of a real one.
        place = f"{access.endpoint} {address.bucket}".strip()
        super().__init__(address, settings, "The bucket", place)
        self._bucket = Bucket(address.bucket, access, deadlines, str(address), self._say)
        self._glob = f"{literal(address.prefix)}**/{{{','.join(names)}}}"
        self._wanted = wanted
        self._lock = threading.Lock()
        self._asking: _Asking | None = None
        self._top: tuple[Listing, float] | None = None
        self._fetcher = Fetcher(self._bucket, self.cache, self._place, self.name)

    @property
    def identity(self) -> str:
        """Who we are to the service; known after the first question."""
        return self._bucket.identity

    @property
    def project(self) -> str:
        """The project of the login or the settings; may be empty."""
        return self._bucket.project

    def names(self) -> list[str]:
        """Return the names of the folders in which runs may lie: at most two listings.

        Raises
        ------
        BucketError
        """
        top = self._level()
        below = self.address.prefix + RUNS
        if below in top.folders:
            top, prefix = self._bucket.level(below), below
        else:
            prefix = self.address.prefix
        names = (folder.removeprefix(prefix).rstrip("/") for folder in top.folders)
        return [name for name in names if name and not skipped(f"{name}/x")]

    def files(self) -> list[FileInfo]:
        """List the files that may belong to runs: one listing of one level and one by names.

        Where nothing answers in time, or an error does, the last listing is returned if there is
        one; `as_of` and `problems` tell so. A listing that comes later is used at the next call.

        Raises
        ------
        BucketError
            If the bucket cannot be listed and never was.
        """
        asking = self._ask()
        saved = self.cache.load_listing(self._listing_key)
        first = self._bucket.deadlines.first
        while not asking.done.wait(min(first, 0.05)):
            since = max(asking.began, self._bucket.last_answer)
            if saved and not self.patient and monotonic() - since > first:
                silent = f"it has not answered for {first:g} s"
                return self._saved(saved, self._bucket.last_fault or silent)
        asking.read = True
        if asking.crash is not None:
            raise asking.crash
        if asking.error is not None:
            if saved is None:
                raise asking.error
            return self._saved(saved, asking.error)
        self._as_of, self._told = None, tuple(asking.told)
        return list(asking.files)

    def find(self, pattern: str) -> list[FileInfo]:
        """List the objects whose path matches a pattern, whatever they are: one listing.

        Raises
        ------
        BucketError
        """
        prefix = self.address.prefix
        found = self._bucket.match(literal(prefix) + pattern, prefix)
        return [self._relative(file) for file in found if not file.path.endswith("/")]

    def prepare(
        self, files: Sequence[FileInfo], watch: Watch | None = None,
        cancel: threading.Event | None = None,
    ) -> None:  # fmt: skip
        """Download what is not here yet, many at once; see `viz3d.sources.base.Source`."""
        if self._as_of is not None:
            return
        self._fetcher.bring_all([self._whole(file) for file in files], watch, cancel)

    def fetch(self, file: FileInfo) -> Path:
        """Return the verified copy of `file`, or the last good one where the new cannot be had.

        Raises
        ------
        BucketError
        """
        whole = self._whole(file)
        offline = self._as_of is not None
        return self._or_older(file, whole, lambda: self._fetcher.bring(whole, offline=offline))

    def problems(self) -> tuple[Problem, ...]:
        """Return what the last listing has to tell."""
        told = [*self._told, *self.cache.problems]
        notice = self._bucket.notice
        if notice:
            said = f"{notice.what} The bucket is open to everyone, so it was read without a login."
            told.append(Problem(said, notice.remedy))
        return tuple(told)

    @property
    def _listing_key(self) -> str:
        return f"{self._place} {self.address.prefix} {self._glob}"

    def _ask(self) -> _Asking:
        """Return the listing that is under way or came too late for the last call, or begin one."""
        with self._lock:
            if self._asking is None or self._asking.is_over():
                self._asking = _Asking()
                threading.Thread(
                    target=self._list, args=(self._asking,), name="viz3d-listing", daemon=True
                ).start()
            return self._asking

    def _list(self, asking: _Asking) -> None:
        try:
            self._bucket.load()
            asking.began = monotonic()
            top = self._level()
            found = {file.path: file for file in top.files}
            found |= {
                file.path: file for file in self._bucket.match(self._glob, self.address.prefix)
            }
            if not found and not top.folders and self.address.key:
                found = self._single_object(asking)
            files = [self._relative(file) for file in found.values()]
            key = self.address.key
            asking.files = [file for file in files if self._wanted(file.path) or file.path == key]
            self._keep(asking)
        except BucketError as error:
            asking.error = error
        except BaseException as error:  # a fault of ours: raised where it is seen
            asking.crash = error
        finally:
            self._top = None if asking.error else self._top
            asking.finished = monotonic()
            asking.done.set()

    def _keep(self, asking: _Asking) -> None:
        try:
            self.cache.save_listing(self._listing_key, asking.files, time.time())
        except OSError as error:
            reason = error.strerror or type(error).__name__
            said = f"The listing could not be kept for a time without network: {reason}."
            asking.told.append(Problem(said, "Set VIZ3D_CACHE_DIR to a folder with space."))

    def _single_object(self, asking: _Asking) -> dict[str, FileInfo]:
        """Look for an object where there is no folder of that name, else say what is near."""
        key = self.address.key
        found = self._bucket.stat(key)
        if found is not None:
            return {key: found}
        import difflib

        parent = key.rpartition("/")[0]
        level = self._bucket.level(f"{parent}/" if parent else "")
        near = difflib.get_close_matches(f"{key}/", level.folders, n=3, cutoff=0.3)
        names = ", ".join(
            f"gs://{self.address.bucket}/{name}" for name in near or level.folders[:3]
        )
        asking.told.append(
            Problem(
                f"There is nothing under {self.address}.",
                f"Nearest: {names}." if names else "Check the address.",
            )
        )
        return {}

    def _level(self) -> Listing:
        """List the first level, unless that was done a moment ago."""
        if self._top is None or monotonic() - self._top[1] > FRESH:
            self._top = (self._bucket.level(self.address.prefix), monotonic())
        return self._top[0]

    def _whole(self, file: FileInfo) -> FileInfo:
        """Return `file` under the whole name of its object; an address of one object is that."""
        single = file.path == self.address.key
        return file if single else replace(file, path=self.address.prefix + file.path)

    def _relative(self, file: FileInfo) -> FileInfo:
        return replace(file, path=file.path.removeprefix(self.address.prefix))


class _Asking:
    """A listing under way on a thread of its own."""

    def __init__(self) -> None:
        self.began = self.finished = monotonic()
        self.done = threading.Event()
        self.read = False
        self.files: list[FileInfo] = []
        self.told: list[Problem] = []
        self.error: BucketError | None = None
        self.crash: BaseException | None = None

    def is_over(self) -> bool:
        """Say whether another listing has to begin: this one was read, or is of long ago."""
        late = monotonic() - self.finished > LATE
        return self.done.is_set() and (self.read or late)
