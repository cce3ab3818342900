"""Logs that were parsed once, kept on this computer's disk under what they hold.

::

    <folder>/v1/parsed/<key>/…       one folder for what was read together (`viz3d.parsed.files`)
    <folder>/v1/parsed/digests.json  SHA-256 of files, with the state in which they were hashed

A key is the SHA-256 of the name of the run, the names and bytes of its files, and the parser, so
that nothing kept can be out of date. A folder gets its name by a rename once all is written: two
processes that parse the same write the same, and the one that comes last throws its own away.
"""

from __future__ import annotations

import functools
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import SettingsError
from viz3d.parsed import files
from viz3d.parsed.digests import Beginning, take
from viz3d.parsed.files import ABOUT, Damaged
from viz3d.run import Problem
from viz3d.settings import CACHE_BYTES, Settings, load_settings
from viz3d.sources import private
from viz3d.sources.entries import inside, size_of
from viz3d.sources.faults import fault
from viz3d.sources.landing import SUFFIX, temporary

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.formats.reading import Contents
    from viz3d.run import Columns

LAYOUT, PLACE, DIGESTS = "v1", "parsed", "digests.json"
_KEY = re.compile("[0-9a-f]{64}")
# Bytes of a run's files from which parsing takes longer than looking here.
WORTH = 1024 * 1024
# Seconds after which what was being written belongs to nobody.
KEEP_STRAY = 3_600.0


@dataclass(frozen=True)
class ParsedInfo:
    """What is kept.

    Attributes
    ----------
    parsed, parsed_bytes : int
        Runs, and the bytes of them all.
    """

    parsed: int
    parsed_bytes: int


class ParsedCache:
    """See the module.

    Parameters
    ----------
    folder : pathlib.Path
        With the layout's version and `PLACE` as its last parts.
    limit : int
        Bytes; what was not used for longest goes first.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit

    @classmethod
    def open(cls, folder: str | Path = "", limit: int = CACHE_BYTES) -> ParsedCache:
        """Open the one in the user's cache folder.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        place = private.open_layout(folder, LAYOUT) / PLACE
        private.make(place)
        probe = temporary(place, "probe")
        probe.touch(mode=0o600)
        probe.unlink()
        return cls(place, limit)

    def digests(self, files: Mapping[str, Path]) -> tuple[dict[str, bytes], dict[str, Beginning]]:
        """Take the SHA-256 of what files hold; see `viz3d.parsed.digests.take`."""
        return take(files, self.folder / DIGESTS)

    def find(
        self, key: str, again: Callable[[int], pd.DataFrame]
    ) -> list[tuple[Contents, Columns]] | None:
        """Return what was kept under a key; None where nothing is, or it is damaged.

        Parameters
        ----------
        key : str
        again : callable
            As for `viz3d.parsed.files.read`.
        """
        folder = self.folder / key
        try:
            found = files.read(folder, key, again)
            (folder / ABOUT).touch()
        except FileNotFoundError:
            return None
        except (OSError, Damaged):
            self.forget(key)
            return None
        return found

    def keep(self, key: str, contents: Sequence[Contents]) -> None:
        """Keep what was read; where that cannot be, it is read again next time.

        It is not synced: after a power cut the checksums tell what is not whole.
        """
        part = temporary(self.folder, key)
        try:
            private.make(part)
            if files.write(part, key, contents):
                part.rename(self.folder / key)
        except (OSError, ValueError, TypeError):
            pass  # a full disk, another process was first, or a column that Arrow does not know
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self._keep_to_limit(key)

    def forget(self, key: str) -> int:
        """Throw away what was kept under a key; return the bytes that this freed."""
        part = temporary(self.folder, key)
        size = _bytes(self.folder / key)
        with suppress(OSError):
            (self.folder / key).rename(part)  # nobody sees half of it
            shutil.rmtree(part, ignore_errors=True)
            return size
        return 0

    def info(self) -> ParsedInfo:
        """Return how much is kept."""
        keys = self._keys()
        return ParsedInfo(len(keys), sum(_bytes(self.folder / key) for key in keys))

    def verify(self) -> tuple[int, list[str]]:
        """Read everything; return how much was checked, and what was damaged and is gone now."""
        keys = self._keys()
        bad = [key for key in keys if not files.check(self.folder / key, key)]
        for key in bad:
            self.forget(key)
        return len(keys), bad

    def clear(self) -> int:
        """Throw everything away; return the bytes that this freed."""
        self._sweep(0)
        with suppress(OSError):
            (self.folder / DIGESTS).unlink()
        return sum(self.forget(key) for key in self._keys())

    def _keys(self) -> list[str]:
        """Return the keys, the least recently used first."""
        names = [path.name for path in inside(self.folder) if _KEY.fullmatch(path.name)]
        return sorted(names, key=lambda name: _used(self.folder / name))

    def _keep_to_limit(self, newest: str) -> None:
        self._sweep(KEEP_STRAY)
        sizes = {key: _bytes(self.folder / key) for key in self._keys()}
        over = sum(sizes.values()) - self.limit
        for key, size in sizes.items():
            if over <= 0:
                break
            if key != newest or len(sizes) == 1:
                over -= size
                self.forget(key)

    def _sweep(self, age: float) -> None:
        for path in inside(self.folder):
            with suppress(OSError):
                if path.suffix == SUFFIX and abs(time.time() - path.stat().st_mtime) >= age:
                    shutil.rmtree(path, ignore_errors=True)


def users_cache() -> tuple[ParsedCache | None, Problem | None]:
    """Return the user's cache; where there is none the first who asks is told why."""
    try:
        settings = load_settings()
    except SettingsError:
        settings = Settings()  # what is wrong with them is told where they are needed
    found = _open(settings.cache_dir, settings.cache_bytes)
    if isinstance(found, ParsedCache):
        return found, None
    told, _told[:] = _told[:] == [found], [found]
    return None, None if told else found


_told: list[Problem] = []


@functools.cache
def _open(folder: str, limit: int) -> ParsedCache | Problem:
    try:
        return ParsedCache.open(folder, limit)
    except OSError as error:
        found = fault("cache_unwritable", reason=error.strerror or type(error).__name__)
        return Problem(f"{found.what} Long logs are parsed at each opening.", found.remedy)


def _used(folder: Path) -> float:
    with suppress(OSError):
        return (folder / ABOUT).stat().st_mtime
    return 0.0


def _bytes(folder: Path) -> int:
    return sum(size_of(path) for path in inside(folder))
