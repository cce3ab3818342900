"""The whole history of a run, brought into the cache: what is new of it, page by page.

What a stopped reading left is gone on with. A run that was rewound, resumed or made anew under its
id is noticed by the last row that is here, which is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from viz3d.errors import FormatError, WandbError
from viz3d.run import FileInfo
from viz3d.sources.cache import Cache
from viz3d.sources.landing import NO_SPACE
from viz3d.sources.progress import Meter
from viz3d.sources.wandb import Client
from viz3d.sources.wandb_address import WandbAddress
from viz3d.sources.wandb_begun import Begun
from viz3d.sources.wandb_faults import wandb_fault
from viz3d.sources.wandb_pages import MOST_DENSE, PAGE, pages, row_of, step_of, width_of
from viz3d.sources.wandb_project import WandbRun, ask_run

# Of a row, as text and in the file that is made of it, about.
ROW_BYTES = 500


class Packing(Protocol):
    """The format that histories are kept in; the source knows nothing of what rows mean."""

    FILE: str

    def pack(self, older: Path | None, lines: Iterable[str], run: Mapping[str, Any]) -> bytes:
        """Return a file that holds the rows of `older` and further ones."""

    def described(self, path: Path) -> dict[str, Any]:
        """Return what `pack` was told of the run."""


@dataclass(frozen=True)
class _End:
    """The last row that is here."""

    step: int
    row: Any

    @classmethod
    def of(cls, line: str) -> _End:
        return cls(step_of(line), row_of(line))


@dataclass(frozen=True)
class _Older:
    """The copy that is here already: its rows, those that W&B counted then, and where it ends."""

    path: Path
    rows: int
    counted: int
    end: _End


class Histories:
    """The histories of one project.

    Parameters
    ----------
    client : Client
    cache : Cache
    address : WandbAddress
    packing : Packing
    place : str
        Under which the cache knows the project.
    """

    def __init__(
        self, client: Client, cache: Cache, address: WandbAddress, packing: Packing, place: str
    ) -> None:
        self._client, self._cache, self._address = client, cache, address
        self._packing, self._place = packing, place

    def bring(self, file: FileInfo, meter: Meter) -> Path:
        """Bring the present history of a run into the cache.

        Parameters
        ----------
        file : FileInfo
            Its path is the run's id.
        meter : Meter
            Counts rows; `Meter.cancel` ends it between two pages.

        Raises
        ------
        WandbError
        """
        try:
            run = ask_run(self._client, self._address, file.path)
        except WandbError as error:
            if error.kind == "no_run":
                raise wandb_fault("deleted", name=file.path, where=self._address) from error
            raise
        try:
            try:
                return self._bring(file, run, meter)
            except OSError as error:
                if error.errno not in NO_SPACE or not self._cache.make_room(run.rows * ROW_BYTES):
                    raise
                return self._bring(file, run, Meter(meter.cancel, "rows"))
        except OSError as error:
            if error.errno in NO_SPACE:
                raise wandb_fault("disk_full", name=file.path) from error
            reason = error.strerror or type(error).__name__
            raise wandb_fault("cache_unwritable", name=file.path, reason=reason) from error
        except FormatError as error:  # the copy that is here is over a cap, or damaged
            raise wandb_fault("no_going_on", name=file.path, reason=error) from error

    def _bring(self, file: FileInfo, run: WandbRun, meter: Meter) -> Path:
        older = self._older(run)
        if older is not None:
            meter.plan(-older.rows, files=0)
            made = self._read(file, run, older, meter)
            if made is not None:
                return made
            meter.plan(older.rows, files=0)
        # Asked for more sparingly than W&B answers: once more, in the plainest way.
        made = self._read(file, run, None, meter)
        if made is None:
            made = self._read(file, run, None, meter, dense=True)
        return made  # type: ignore[return-value]  # the plainest way is taken as it is

    def _older(self, run: WandbRun) -> _Older | None:
        """Return the copy of an earlier state of this very run, if it can be gone on with."""
        entry = self._cache.newest(self._place, run.id)
        if entry is None:
            return None
        try:
            said = self._packing.described(entry.path)
            end = said["end"]
            same = (said["internal"], said["created"]) == (run.internal, run.created)
            counts = int(end["rows"]), int(end["counted"])
            older = _Older(entry.path, *counts, _End(int(end["step"]), end["row"]))
        except (FormatError, KeyError, TypeError, ValueError):
            return None
        fits = older.rows <= run.rows and 0 <= older.end.step <= run.last_step
        return older if same and fits else None

    def _read(
        self, file: FileInfo, run: WandbRun, older: _Older | None, meter: Meter, *,
        dense: bool = False,
    ) -> Path | None:  # fmt: skip
        """Read the rows behind `older`, or all; go on with what a stopped reading left of that.

        None where the rows that are here are no longer the run's, or some may have been left out.
        """
        after = older.path.name if older else dense
        key = f"{file.path}\0{run.internal}\0{run.created}\0{after}"
        with self._cache.part(self._place, replace(file, path=key, generation="")) as part:
            begun = Begun(part)
            meter.count(begun.rows)
            same = self._go_on(begun, older, run, meter, dense=dense)
            if not same and begun.rows:
                meter.count(-begun.rows)
                begun.clear()
                same = self._go_on(begun, older, run, meter, dense=dense)
            path = None
            if same and (dense or not _thinned(run, older, begun.rows)):
                path = self._keep(file, run, older, begun)
            else:
                meter.count(-begun.rows)
            begun.clear()  # nothing is left to go on with
        return path

    def _go_on(
        self, begun: Begun, older: _Older | None, run: WandbRun, meter: Meter, *, dense: bool
    ) -> bool:
        """Read what is behind the rows that are here; say whether these still are the run's."""
        end = _End.of(begun.last) if begun.last is not None else older and older.end
        if end and end.step < 0:
            return False
        cancel, start = meter.cancel, end.step if end else 0
        for page in pages(self._client, self._address, run, start, cancel, dense=dense):
            new = page
            if end:
                here = [row for row in page if step_of(row) == end.step]
                if not here or row_of(here[-1]) != end.row:
                    return False
                new, end = page[len(here) :], None
            begun.add(new)
            meter.count(len(new))
        return end is None

    def _keep(self, file: FileInfo, run: WandbRun, older: _Older | None, begun: Begun) -> Path:
        rows = begun.rows + (older.rows if older else 0)
        end = older.end if older else _End(-1, None)
        if begun.last is not None:
            end = _End.of(begun.last)
        about = {
            "id": run.id, "internal": run.internal, "state": run.state, "created": run.created,
            "tags": list(run.tags), **run.details,
            "end": {"rows": rows, "counted": run.rows, "step": end.step, "row": end.row},
            # What is missing of a run that goes on will come, if it was not left out.
            "missing": max(run.rows - rows, 0) if run.over or _is_wide(run) or not rows else 0,
        }  # fmt: skip
        data = self._packing.pack(older.path if older else None, begun.lines(), about)
        return self._cache.keep(self._place, file, data)


def _thinned(run: WandbRun, older: _Older | None, new: int) -> bool:
    """Say whether rows may have been left out that another way of asking would bring."""
    wanted = run.rows - (older.rows if older else 0)
    if new >= wanted:
        return False
    if older is None:
        return _is_wide(run) and run.last_step < MOST_DENSE * PAGE
    # Of a run that goes on, those that were missing before are no reason to read it all again.
    return run.over or (_is_wide(run) and new < run.rows - older.counted)


def _is_wide(run: WandbRun) -> bool:
    """Say whether a range of the run is longer than the plainest one, so that it may be thinned."""
    return width_of(run) > PAGE
