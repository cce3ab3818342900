"""What sources of services share: listings and files are kept, and usable without the service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from viz3d.errors import ServiceError
from viz3d.run import FileInfo, Problem
from viz3d.settings import CACHE_BYTES
from viz3d.sources import private
from viz3d.sources.cache import LAYOUT, Cache

if TYPE_CHECKING:
    from viz3d.settings import Settings

Address = TypeVar("Address")


class KeptSource(Generic[Address]):
    """A part of `viz3d.sources.base.Remote`.

    Parameters
    ----------
    address : Address
        Of a bucket or of a project on W&B.
    settings : Settings
    service : str
        What people call it, at the beginning of a sentence.
    place : str
        Under which the cache knows it.
    """

    def __init__(self, address: Address, settings: Settings, service: str, place: str) -> None:
        self.address = address
        self.cache = open_cache(settings.cache_dir, settings.cache_bytes)
        self._service, self._place = service, place
        self._as_of: float | None = None
        self._told: tuple[Problem, ...] = ()
        self._remarks: dict[str, Problem] = {}
        # Told, on a thread of ours, of each further try.
        self.tell: Callable[[str], None] | None = None
        # Whether `files` waits for the service to its deadlines although it has a saved listing.
        self.patient = False

    @property
    def name(self) -> str:
        """The address, as people type it."""
        return str(self.address)

    @property
    def as_of(self) -> float | None:
        """When the listing was made that is shown because the service cannot be asked now."""
        return self._as_of

    def remarks(self, file: FileInfo) -> tuple[Problem, ...]:
        """Say whether `fetch` handed out an older copy, and why."""
        found = self._remarks.get(file.path)
        return (found,) if found else ()

    def _or_older(self, file: FileInfo, whole: FileInfo, bring: Callable[[], Path]) -> Path:
        """Bring a file, or return the last good copy where the new one cannot be had."""
        self._remarks.pop(file.path, None)
        try:
            return bring()
        except ServiceError as error:
            older = self.cache.newest(self._place, whole.path)
            if older is None:
                raise
            said = f"Shown is the copy as of {_moment(older.fetched)}, because: {error.what}"
            self._remarks[file.path] = Problem(said, error.remedy, file.path)
            return older.path

    def _saved(
        self, saved: tuple[list[FileInfo], float], why: ServiceError | str
    ) -> list[FileInfo]:
        """Return a saved listing, and tell so."""
        files, self._as_of = saved
        reason, remedy = (why, "") if isinstance(why, str) else (why.what, why.remedy)
        said = f"{self._service} cannot be read now: {reason.rstrip('.')}. "
        shown = f"{said}Shown is what was there as of {_moment(self._as_of)}."
        self._told = (Problem(shown, remedy),)
        return files

    def _say(self, text: str) -> None:
        if self.tell:
            self.tell(text)


@lru_cache(maxsize=8)
def open_cache(folder: str, limit: int) -> Cache:
    """Open each cache once in a process, which also sweeps it once."""
    return Cache.open(folder, limit)


@lru_cache(maxsize=1)
def open_spare_cache() -> Cache:
    """Open a cache for what the other one cannot take; it is removed when the program ends.

    Raises
    ------
    BucketError
        If there is no place for that either.
    """
    return Cache(private.open_temporary(LAYOUT), CACHE_BYTES)


def _moment(seconds: float) -> str:
    """Return a time as people are told it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
