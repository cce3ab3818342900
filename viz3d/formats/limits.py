"""Caps on input, in one place. What goes over a cap is left out and the user is told.

Those in `SETTINGS` can be changed: by a setting, which `apply` takes, or in Python before anything
is read, as in ``viz3d.formats.limits.METRICS = 5_000``. A sentence about a cap holds its name, as
in ``"beyond the first {limit:METRICS}"``; `filled` puts the number in force there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from viz3d.errors import NotMine

MIB = 1024 * 1024

LINE_BYTES = 8 * MIB  # a longer line is a broken writer, not a row
LINE_VALUES = 500_000  # of one line of JSON; parsed, each takes up to 72 bytes
FILE_BYTES = 1024 * MIB  # of one log
UNPACKED_BYTES = 1024 * MIB  # of one compressed log, here and in a bucket
RATIO = 200  # of the unpacked size of a log to that of the file
DOCUMENT_BYTES = 64 * MIB  # of one JSON document, which is parsed whole
VALUES = 4_000_000  # of one JSON document; parsed, each takes about 100 bytes
REPORT_BYTES = 1 * MIB
CONFIG_BYTES = 1 * MIB
RECORD_BYTES = 64 * MIB  # of one record of an event file
FIELDS = 100_000  # of one message in it; it takes seconds to pass over the millions that fit
SCALARS = 10_000_000  # of the event files of one run: 240 MB
METRICS = 2_000  # per table
NESTED_KEYS = 100  # of one nested object that is flattened
DEPTH = 32  # of nested JSON
NAME_CHARS = 200  # of a metric's name; the recorder has it so, too, so nobody can change it
GRID_FILE_BYTES = 256 * MIB  # of a file that holds a landscape
GRID_BYTES = 40 * MIB  # of all arrays in an archive, unpacked: four of them at the cap on nodes
GRID_NODES = 1_000_000  # of one landscape
GRID_MEMBERS = 64  # arrays in one file of a landscape
CELLS = 20_000_000  # rows times columns of a Parquet file; read, each takes about 22 bytes
TEXT_BYTES = 64 * MIB  # in a Parquet file, as it stands there unpacked
SINGLE_VALUES = 100_000  # of one file of Neptune's exporter, beside its series
SINGLE_BYTES = 8 * MIB  # of their text, of all files of one export
RUNS = 1_000  # in one console log, or one export of Neptune
# Of all files of one run together:
NUMBERS = 45_000_000  # and four for each row of a column; read, each takes about 8 bytes
HISTORY_CELLS = 40_000_000  # steps times metrics, of superseded rows too; each takes 8 bytes
LAYER_ROWS = 2_000_000  # steps times layers; each takes up to 150 bytes
NONFINITE = 500_000  # values that are not finite and listed one by one

SETTINGS: Mapping[str, tuple[str, int]] = {
    **{
        f"{what}_BYTES": (f"VIZ3D_MAX_{what}_MIB", MIB)
        for what in (
            "LINE", "FILE", "UNPACKED", "DOCUMENT", "REPORT", "CONFIG", "RECORD", "GRID_FILE",
            "GRID", "TEXT", "SINGLE",
        )
    },
    **{
        what: (f"VIZ3D_MAX_{what}", 1)
        for what in (
            "RATIO", "LINE_VALUES", "VALUES", "FIELDS", "SCALARS", "METRICS", "NESTED_KEYS",
            "DEPTH", "GRID_NODES", "GRID_MEMBERS", "CELLS", "SINGLE_VALUES", "RUNS", "NUMBERS",
            "HISTORY_CELLS", "LAYER_ROWS", "NONFINITE",
        )
    },
}  # fmt: skip
"""Caps that can be changed: by which setting, and how much one of its units is."""

_CAP = re.compile(r"\{limit:(\w+)\}")


def apply(settings: Mapping[str, float]) -> None:
    """Set the caps that the user set; the others stay as they are.

    Parameters
    ----------
    settings : mapping of {name of the setting: number}
    """
    for cap, (name, unit) in SETTINGS.items():
        if name in settings:
            globals()[cap] = max(1, int(settings[name] * unit))


def filled(sentence: str) -> str:
    """Return a sentence with the caps in force for their names."""
    return _CAP.sub(lambda found: _shown(found[1]), sentence)


def remedy(sentence: str) -> str:
    """Return what to do about the cap that a sentence names; empty where it can not be changed."""
    caps = [cap for cap in _CAP.findall(sentence) if cap in SETTINGS]
    return f"Set {SETTINGS[caps[0]][0]} to more if you trust the file." if caps else ""


def reason(sentence: str) -> str:
    """Return a reason to decline a file: both, without an end."""
    more = remedy(sentence).removesuffix(".")
    return filled(sentence) + (f"; {more[0].lower()}{more[1:]}" if more else "")


def check_size(size: int, cap: str) -> None:
    """Decline a file of more bytes than the cap of that name.

    Raises
    ------
    NotMine
        If it is larger.
    """
    if size > globals()[cap]:
        raise NotMine(reason(f"it is larger than {{limit:{cap}}}"))


def refused(path: str, size: int) -> bool:
    """Say whether a file is refused for its size alone, so that nothing of it need be read.

    Event files and Parquet are read piece by piece whatever their size.
    """
    return size > FILE_BYTES and ".tfevents." not in path and not path.endswith(".parquet")


def _shown(cap: str) -> str:
    number = globals().get(cap)
    if not isinstance(number, int):
        return f"{{limit:{cap}}}"  # somebody's own name
    if not cap.endswith("_BYTES"):
        return f"{number:,}"
    return f"{number // MIB:,} MiB" if number >= MIB else f"{number:,} bytes"
