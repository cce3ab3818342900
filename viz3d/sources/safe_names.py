"""Names that every file system can hold, Windows' included, for files called as data says.

A name that has to change gets a hash of what it was, so that two never fall together. Ordinary
names stay as they are.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

# Bytes in UTF-8 of one part, the limit of common file systems, and of a folder's whole path, which
# with a file's name stays below the 1,024 of macOS.
PART_BYTES = 255
FOLDER_BYTES = 600

# Windows takes these for devices, whatever stands behind a dot or in whichever case.
# https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(
    r"(CON|PRN|AUX|NUL|(COM|LPT)[0-9¹²³]|CONIN\$|CONOUT\$|CLOCK\$) *", re.IGNORECASE
)
# And such a name may be the short one that it has given to another file: ``METRIC~1.JSO``.
_SHORT = re.compile(r"[^.~]{1,7}~[0-9]{1,6}(\.[^.]{0,3})?")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
# Without a place in any text, or able to show a name as another one.
_UNFIT = frozenset({"Cc", "Cs", "Cn"})
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HASH = 10
_SUFFIX_BYTES = 20


def safe_part(name: str) -> str:
    """Return a name that every file system can hold for one part of a path.

    Parameters
    ----------
    name : str
        Anything.

    Returns
    -------
    str
        `name` itself where it will do.
    """
    clean = _DIRECTIONS.sub("_", _FORBIDDEN.sub("_", name))
    clean = "".join("_" if unicodedata.category(char) in _UNFIT else char for char in clean)
    clean = clean.rstrip(". ")
    if _DEVICE.fullmatch(clean.partition(".")[0]):
        clean = f"_{clean}"
    if clean == name and name and len(name.encode()) <= PART_BYTES and not _SHORT.fullmatch(name):
        return name
    return _with_hash(clean or "_", name)


def safe_paths(paths: Iterable[str]) -> dict[str, PurePosixPath]:
    """Return paths that every file system can hold side by side.

    No two fall together, also where case or the way in which accents are written does not count.
    Neither do two folders, nor a file and a folder. What lies in one folder stays together.

    Parameters
    ----------
    paths : iterable of str
        Anything, with ``/`` between the parts.

    Returns
    -------
    dict of {path: pathlib.PurePosixPath}
        Relative; does not depend on the order of `paths`.
    """
    given = list(dict.fromkeys(paths))
    folders = {path[: at + 1] for path in given for at, char in enumerate(path) if char == "/"}
    placed = {("", True): PurePosixPath()}
    taken: set[str] = set()
    entries = [*((folder, True) for folder in folders), *((path, False) for path in given)]
    for path, is_folder in sorted(entries, key=_order):
        parent, name = _split(path, is_folder)
        place = _free(placed[parent, True], name, taken, limit=FOLDER_BYTES if is_folder else None)
        taken.add(_alike(str(place)))
        placed[path, is_folder] = place
    return {path: placed[path, False] for path in given}


def _order(entry: tuple[str, bool]) -> tuple[int, bool, bool, str]:
    """Put parents before what is in them; then who keeps its name, folders before files."""
    path, is_folder = entry
    _, name = _split(path, is_folder)
    return path.count("/") - is_folder, safe_part(name) != name, not is_folder, path


def _split(path: str, is_folder: bool) -> tuple[str, str]:
    """Return the folder that something lies in, with its slash, and its own name."""
    parent, slash, name = path.removesuffix("/" if is_folder else "").rpartition("/")
    return parent + slash, name


def _free(parent: PurePosixPath, name: str, taken: set[str], limit: int | None) -> PurePosixPath:
    """Return the first place for a name in `parent` that nothing else has."""
    part, tries = safe_part(name), 0
    while _alike(str(parent / part)) in taken:
        tries += 1
        part = _with_hash(safe_part(name), f"{tries} {name}")
    place = parent / part
    if limit is None or len(str(place).encode()) <= limit:
        return place
    # Too deep: it goes to the top, under a name made of the whole path.
    return _free(PurePosixPath(), _with_hash(part, f"{parent}/{name}"), taken, None)


def _with_hash(clean: str, name: str) -> str:
    """Put a hash of `name` before the suffix of `clean`, and cut what is too long."""
    stem, dot, suffix = clean.rpartition(".")
    if not stem or len(suffix.encode()) > _SUFFIX_BYTES:
        stem, dot, suffix = clean, "", ""
    mark = "-" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
    room = PART_BYTES - len((mark + dot + suffix).encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + mark + dot + suffix


def _alike(path: str) -> str:
    """Return what all the paths share that some file system takes for one."""
    plain = unicodedata.normalize("NFD", path).upper().casefold()
    visible = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFD", visible)
