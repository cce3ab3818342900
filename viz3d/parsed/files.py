"""What was read of a run, as files from which it comes back exactly: Parquet and one JSON.

A folder holds ``about.json`` and, for each run in the same files, ``0-history.parquet`` with the
columns ``step``, ``0``, ``1`` and so on (the names of metrics stand in the JSON), and where there
are any ``0-attempts``, ``0-nonfinite`` and ``0-layers``. The JSON holds a checksum of its own text,
of each of the files and of each column of a history: those of Parquet's pages leave out how a page
is to be read.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.analysis.roles import recognise
from viz3d.formats.joining import Joined, no_rows
from viz3d.formats.reading import Contents
from viz3d.parsed import columns, tables
from viz3d.parsed.tables import Damaged, same
from viz3d.run import Columns, Origin, Problem

if TYPE_CHECKING:
    import pandas as pd

ABOUT = "about.json"


def write(folder: Path, key: str, contents: Sequence[Contents]) -> bool:
    """Write what was read; say whether it would come back the same.

    Parameters
    ----------
    folder : pathlib.Path
        An empty one.
    key : str
        Of what was read.
    contents : sequence of Contents

    Raises
    ------
    OSError
    """
    runs = [_about(part) for part in contents]
    about = {"key": key, "runs": runs}
    try:
        plain = repr(json.loads(json.dumps(about))) == repr(about)
    except (TypeError, ValueError):
        return False
    if not plain:  # a date in a config, say
        return False
    if any(part.landscapes or part.report is not None for part in contents):
        return False
    for at, (part, said) in enumerate(zip(contents, runs, strict=True)):
        said.update(columns.write(_history(folder, at), part.joined.history))
        for name, frame in _small(part).items():
            crc = tables.write_frame(folder / f"{at}-{name}.parquet", frame)
            if crc is None:
                return False
            said["frames"][name] = crc
    text = json.dumps(about)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / ABOUT).write_text(f"{digest}\n{text}", encoding="utf-8")
    return True


def read(
    folder: Path, key: str, again: Callable[[int], pd.DataFrame]
) -> list[tuple[Contents, Columns]]:
    """Read what `write` wrote.

    Parameters
    ----------
    folder : pathlib.Path
    key : str
    again : callable
        Returns the history of one of the runs, by its number, where its file is damaged.

    Raises
    ------
    OSError, Damaged
        If it is not there, or not whole.
    """
    found: list[tuple[Contents, Columns]] = []
    try:
        digest, _, text = (folder / ABOUT).read_text(encoding="utf-8").partition("\n")
        if digest != hashlib.sha256(text.encode()).hexdigest():
            raise Damaged
        about = json.loads(text)
        if about["key"] != key:
            raise Damaged
        for at, said in enumerate(about["runs"]):
            small = {
                name: tables.read_frame(folder / f"{at}-{name}.parquet", crc)
                for name, crc in said["frames"].items()
            }
            layers = small.pop("layers", None)
            contents = Contents(
                name=said["name"],
                joined=_joined(small),
                layers=layers,
                config=said["config"],
                problems=tuple(Problem(*problem) for problem in said["problems"]),
                used=tuple(said["used"]),
                origins=tuple(map(_origin, said["origins"])),
            )
            history = columns.opened(_history(folder, at), said, functools.partial(again, at))
            found.append((contents, history))
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise Damaged from error
    return found


def check(folder: Path, key: str) -> bool:
    """Read everything; say whether it is whole."""

    def damaged(_: int) -> pd.DataFrame:
        raise Damaged

    try:
        for _, history in read(folder, key, damaged):
            history.read(history.metrics)
    except (OSError, Damaged):
        return False
    return True


def _history(folder: Path, at: int) -> Path:
    return folder / f"{at}-history.parquet"


def _about(part: Contents) -> dict[str, Any]:
    history = part.joined.history
    metrics = list(history.columns)
    return {
        "name": part.name,
        "config": dict(part.config),
        "problems": [[one.what, one.remedy, one.file, one.line] for one in part.problems],
        "used": list(part.used),
        "rows": len(history),
        "logged": [int(history.iloc[:, at].notna().sum()) for at in range(len(metrics))],
        "metrics": metrics,
        "roles": recognise(metrics, history),
        "origins": json.loads(json.dumps([asdict(origin) for origin in part.origins])),
        "frames": {},
    }


def _origin(said: Mapping[str, Any]) -> Origin:
    """Return what `asdict` and JSON made lists of."""
    return Origin(**{
        **said,
        **{name: tuple(said[name]) for name in ("files", "metrics", "gave")},
        "declined": tuple((form, reason) for form, reason in said["declined"]),
    })  # fmt: skip


_nothing = functools.cache(no_rows)


def _joined(small: Mapping[str, pd.DataFrame]) -> Joined:
    """Return small frames beside no history; where there is none, an empty one of its own."""
    nothing = _nothing()
    attempts, nonfinite = (
        small[name] if name in small else getattr(nothing, name).copy()
        for name in ("attempts", "nonfinite")
    )
    return Joined(nothing.history, attempts, nonfinite)


def _small(part: Contents) -> dict[str, pd.DataFrame]:
    nothing = _nothing()
    found = {
        name: getattr(part.joined, name)
        for name in ("attempts", "nonfinite")
        if not same(getattr(part.joined, name), getattr(nothing, name))
    }
    return found | ({"layers": part.layers} if part.layers is not None else {})
