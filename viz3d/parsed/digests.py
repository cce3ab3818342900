"""SHA-256 of files, noted with the state in which they were hashed, so that it is done once."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from viz3d.sources.digest import of_grown
from viz3d.whole_file import write_whole

_DIGEST = re.compile("[0-9a-f]{64}")
# Seconds: a file may change again within one tick of its clock, so one this young is not believed.
TOO_YOUNG = 2.0
KNOWN_FILES = 1_000


@dataclass(frozen=True)
class Beginning:
    """The first bytes of a file: how many, and their SHA-256."""

    size: int
    digest: bytes


def take(files: Mapping[str, Path], note: Path) -> tuple[dict[str, bytes], dict[str, Beginning]]:
    """Take the SHA-256 of what files hold; one that has not changed is not read again.

    Parameters
    ----------
    files : mapping of {path in the source: local path}
    note : pathlib.Path
        The file of what is known; it is written where it can be.

    Returns
    -------
    digests : dict of {path in the source: SHA-256}
    begun : dict of {path in the source: Beginning}
        What was known of files that begin as they did and are longer now.

    Raises
    ------
    OSError
    """
    known = _known(note)
    found: dict[str, bytes] = {}
    begun: dict[str, Beginning] = {}
    new: dict[str, list[int | str]] = {}
    for name, path in files.items():
        place, state = str(path.absolute()), _state(path)
        said = known.pop(place, None) or [0, 0, 0, 0, ""]
        before, digest = int(said[0]), bytes.fromhex(str(said[-1]))
        if said[:-1] != state:
            found[name], begin = of_grown(path, before)
            if begin == digest:
                begun[name] = Beginning(before, digest)
        else:
            found[name] = digest
        if abs(time.time_ns() - path.stat().st_mtime_ns) < TOO_YOUNG * 1e9:
            state = [state[0], 0, 0, 0]  # which no file has, so that it is hashed again
        new[place] = [*state, found[name].hex()]
    latest = dict([*known.items(), *new.items()][-KNOWN_FILES:])
    if latest != _known(note):
        with suppress(OSError):
            write_whole(note, json.dumps(latest).encode())
    return found, begun


def _known(note: Path) -> dict[str, list[int | str]]:
    try:
        known = json.loads(note.read_bytes())
        return {
            place: [*numbers, digest]
            for place, (*numbers, digest) in known.items()
            if _DIGEST.fullmatch(digest) and [*map(type, numbers)] == [int] * 4
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _state(path: Path) -> list[int | str]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
