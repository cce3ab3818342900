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
import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.analysis import roles
from viz3d.errors import SettingsError
from viz3d.formats import limits
from viz3d.parsed import files
from viz3d.parsed.files import ABOUT, Damaged
from viz3d.run import Problem
from viz3d.settings import CACHE_BYTES, Settings, load_settings
from viz3d.sources import private
from viz3d.sources.digest import of_grown
from viz3d.sources.entries import inside, size_of
from viz3d.sources.faults import fault
from viz3d.sources.landing import SUFFIX, temporary
from viz3d.version import __version__
from viz3d.whole_file import write_whole

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.formats.reading import Contents
    from viz3d.run import Columns

LAYOUT, PLACE, DIGESTS = "v1", "parsed", "digests.json"
_KEY = re.compile("[0-9a-f]{64}")
# Bytes of a run's files from which parsing takes longer than looking here.
WORTH = 1024 * 1024
# Seconds: a file may change again within one tick of its clock, so one this young is not believed.
TOO_YOUNG = 2.0
KNOWN_FILES = 1_000
# Seconds after which what was being written belongs to nobody.
KEEP_STRAY = 3_600.0


@dataclass(frozen=True)
class Kept:
    """What is kept.

    Attributes
    ----------
    parsed, parsed_bytes : int
        Runs, and the bytes of them all.
    """

    parsed: int
    parsed_bytes: int


@dataclass(frozen=True)
class Begun:
    """The first bytes of a file: how many, and their SHA-256."""

    size: int
    digest: bytes


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

    def digests(self, files: Mapping[str, Path]) -> tuple[dict[str, bytes], dict[str, Begun]]:
        """Take the SHA-256 of what files hold; one that has not changed is not read again.

        Returns
        -------
        digests : dict of {path in the source: SHA-256}
        begun : dict of {path in the source: Begun}
            What was known of files that begin as they did and are longer now.

        Raises
        ------
        OSError
        """
        known = self._known()
        found: dict[str, bytes] = {}
        begun: dict[str, Begun] = {}
        new: dict[str, list[int | str]] = {}
        for name, path in files.items():
            place, state = str(path.absolute()), _state(path)
            said = known.pop(place, None) or [0, 0, 0, 0, ""]
            before, digest = int(said[0]), bytes.fromhex(str(said[-1]))
            if said[:-1] != state:
                found[name], begin = of_grown(path, before)
                if begin == digest:
                    begun[name] = Begun(before, digest)
            else:
                found[name] = digest
            if abs(time.time_ns() - path.stat().st_mtime_ns) < TOO_YOUNG * 1e9:
                state = [state[0], 0, 0, 0]  # which no file has, so that it is hashed again
            new[place] = [*state, found[name].hex()]
        latest = dict([*known.items(), *new.items()][-KNOWN_FILES:])
        if latest != self._known():
            with suppress(OSError):
                write_whole(self.folder / DIGESTS, json.dumps(latest).encode())
        return found, begun

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

    def info(self) -> Kept:
        """Return how much is kept."""
        keys = self._keys()
        return Kept(len(keys), sum(_bytes(self.folder / key) for key in keys))

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

    def _known(self) -> dict[str, list[int | str]]:
        try:
            known = json.loads((self.folder / DIGESTS).read_bytes())
            return {
                place: [*numbers, digest]
                for place, (*numbers, digest) in known.items()
                if _KEY.fullmatch(digest) and [*map(type, numbers)] == [int] * 4
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}


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


def key_of(name: str, digests: Mapping[str, bytes]) -> str:
    """Return the key of a run.

    Parameters
    ----------
    name : str
        Of the run: a learning rate may stand in it.
    digests : mapping of {path in the source: SHA-256}
    """
    files = [[path, digest.hex()] for path, digest in digests.items()]
    caps = {cap: value for cap, value in vars(limits).items() if isinstance(value, int)}
    return hashlib.sha256(json.dumps([_parser(), caps, name, files]).encode()).hexdigest()


@functools.cache
def _parser() -> str:
    """Return what the parser is: its own text, so that no change of it can be forgotten."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    whole = hashlib.sha256("/".join(
        (__version__, np.__version__, pd.__version__, pa.__version__)
    ).encode())  # fmt: skip
    here = Path(__file__).parent
    ours = (*sorted(here.glob("*.py")), Path(roles.__file__))
    for path in (*ours, *sorted(Path(limits.__file__).parent.glob("*.py"))):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def _state(path: Path) -> list[int | str]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _used(folder: Path) -> float:
    with suppress(OSError):
        return (folder / ABOUT).stat().st_mtime
    return 0.0


def _bytes(folder: Path) -> int:
    return sum(size_of(path) for path in inside(folder))
