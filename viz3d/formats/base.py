"""What a format is: a module with `NAME`, `NAMES`, `claim` and `read`.

``NAME : str``
    Shown to people.
``KIND : str``, where other formats claim the same names
    What a listing calls a file of which the name alone does not tell the format; else `NAME`.
``NAMES : tuple of str``
    Patterns of the file names (last parts of paths) that it may claim, so that a service can pick
    them out of a million. What `claim` takes must match one; more may. ``*`` stands for any
    characters, ``[ab]`` for one of some, ``[!ab]`` for one of all others; ``{}``, ``,`` and ``/``
    must not stand in one.
``claim(path) -> Claim | None``
    Decides by the file's name alone whether the file may be of this format, and which run it
    belongs to. Pure; reads nothing.
``read(files) -> list[Parsed]``
    Reads the claimed files of one run: all at once when they were claimed for a folder, one by one
    when each was claimed for itself. Raises `NotMine` with a reason when they turn out to be
    something else. A bad row is a `Problem`, never an exception.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.formats.projections import Projection
    from viz3d.formats.rows import Rows
    from viz3d.grid import LandscapeGrid
    from viz3d.run import Problem, Report


@dataclass(frozen=True)
class Claim:
    """A format's wish to read a file.

    Attributes
    ----------
    run : str
        Path of the run that the file belongs to: a folder, or the file itself.
    beside : bool
        True for a file that is no run by itself and only adds to one that is there (a config).
    otherwise : str
        The run that such a file adds to where the first one is not there; empty for none.
    """

    run: str
    beside: bool = False
    otherwise: str = ""


@dataclass(frozen=True)
class Parsed:
    """What a format read: one run, or a piece of one.

    Attributes
    ----------
    rows : viz3d.formats.rows.Rows or None
        In the order of the file, before rows of one step are joined.
    layers : pandas.DataFrame or None
        As in `viz3d.run.Run`.
    report : Report or None
    landscapes : tuple of LandscapeGrid
    projections : tuple of Projection
        Paths that belong to landscapes of other files.
    config : mapping
    problems : tuple of Problem
    name : str
        Set when one file holds several runs. Pieces of the same name are joined on the step.
    used : tuple of str
        The files that were understood.
    format : str
        Name of the format, which `viz3d.formats.reading` fills in.
    aside : str
        A file that was understood and left out, since another one tells the same.
    """

    rows: Rows | None = None
    layers: pd.DataFrame | None = None
    report: Report | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    name: str = ""
    used: tuple[str, ...] = ()
    landscapes: tuple[LandscapeGrid, ...] = ()
    projections: tuple[Projection, ...] = ()
    format: str = ""
    aside: str = ""


class Format(Protocol):
    """The interface of a format module."""

    NAME: str
    NAMES: tuple[str, ...]

    def claim(self, path: str) -> Claim | None:
        """Say which run the file at `path` belongs to, or None."""

    def read(self, files: Mapping[str, Path]) -> Sequence[Parsed]:
        """Read the claimed `files` of one run: path in the source -> readable local path."""
