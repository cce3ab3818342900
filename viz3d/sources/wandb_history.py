"""The whole history of a run, brought into the cache: what is new of it, page by page.

Pages are ranges of W&B's own counter of calls, each asked for with as many samples as the range is
long: so none can be sampled, and none is filtered by keys. What a stopped reading left is gone on
with; a run that was rewound, resumed or made anew under its id is noticed by its last row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from viz3d.errors import FormatError, WandbError
from viz3d.run import FileInfo
from viz3d.sources.cache import Cache
from viz3d.sources.landing import NO_SPACE
from viz3d.sources.progress import Meter
from viz3d.sources.wandb import Client
from viz3d.sources.wandb_address import WandbAddress
from viz3d.sources.wandb_faults import wandb_fault
from viz3d.sources.wandb_project import WandbRun, ask_run

# Rows that one answer is to hold; and the longest range, where steps are far apart.
PAGE, WIDEST = 1_000, 100_000
# A page that takes longer than its deadline is asked for in smaller pieces, down to so many steps.
NARROWEST = 50
_PAGE = """query HistoryPage(
  $entity: String!, $project: String!, $run: String!, $minStep: Int64!, $maxStep: Int64!,
  $pageSize: Int!
) {
  project(name: $project, entityName: $entity) {
    run(name: $run) { history(minStep: $minStep, maxStep: $maxStep, samples: $pageSize) }
  }
}"""


class Packing(Protocol):
    """The format that histories are kept in; the source knows nothing of what rows mean."""

    FILE: str

    def pack(self, older: Path | None, lines: Iterable[str], run: Mapping[str, Any]) -> bytes:
        """Return a file that holds the rows of `older` and further ones."""

    def described(self, path: Path) -> dict[str, Any]:
        """Return what `pack` was told of the run."""


@dataclass(frozen=True)
class _Older:
    """The copy that is here already, and where it ends."""

    path: Path
    rows: int
    last_step: int
    last_row: Any


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
            return self._bring(file, run, meter)
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
            made = self._with_tail(file, run, older, meter)
            if made is not None:
                return made
            meter.plan(older.rows, files=0)
        path, rows = self._whole(file, run, meter, dense=False)
        if rows < run.rows and _width(run) > PAGE:
            # Asked for more sparingly than W&B answers: once more, in the plainest way.
            meter.plan(rows, files=0)
            path, rows = self._whole(file, run, meter, dense=True)
        return path

    def _older(self, run: WandbRun) -> _Older | None:
        """Return the copy of an earlier state of this very run, if it can be gone on with."""
        entry = self._cache.newest(self._place, run.id)
        if entry is None:
            return None
        try:
            said = self._packing.described(entry.path)
            end = said["end"]
            same = (said["internal"], said["created"]) == (run.internal, run.created)
            older = _Older(entry.path, int(end["rows"]), int(end["step"]), end["row"])
        except (FormatError, KeyError, TypeError, ValueError):
            return None
        fits = older.rows <= run.rows and 0 <= older.last_step <= run.last_step
        return older if same and fits else None

    def _with_tail(self, file: FileInfo, run: WandbRun, older: _Older, meter: Meter) -> Path | None:
        """Read what came since; None where the rows that are here are no longer the run's."""
        lines: list[str] = []
        for page in self._pages(run, older.last_step, meter, dense=False):
            lines += page
            if lines and _row(lines[0]) != older.last_row:
                return None
            meter.count(len(page))
        if not lines:
            return None
        meter.count(-1)  # the last row of before
        rows = older.rows + len(lines) - 1
        if rows < run.rows and run.over:
            return None
        return self._keep(file, run, older.path, lines[1:], rows, lines[-1])

    def _whole(
        self, file: FileInfo, run: WandbRun, meter: Meter, *, dense: bool
    ) -> tuple[Path, int]:
        """Read all rows, going on with what a stopped reading of the same state left."""
        begun = replace(file, path=f"{file.path}\0{run.generation}\0{dense}")
        with self._cache.part(self._place, begun) as part:
            rows, last = _left_over(part)
            meter.count(rows)
            start = 0 if last is None else _step(last) + 1
            with part.open("a", encoding="utf-8", newline="\n") as out:
                for page in self._pages(run, start, meter, dense=dense):
                    out.writelines(f"{line}\n" for line in page)
                    out.flush()
                    rows, last = rows + len(page), (page[-1] if page else last)
                    meter.count(len(page))
            with part.open(encoding="utf-8", newline="\n") as lines:
                path = self._keep(file, run, None, lines, rows, last)
            part.write_bytes(b"")  # nothing is left to go on with
        return path, rows

    def _pages(
        self, run: WandbRun, start: int, meter: Meter, *, dense: bool
    ) -> Iterator[list[str]]:
        """Yield the rows from a step on, as text, a page at a time; an empty one tells nothing."""
        width = PAGE if dense else _width(run)
        while start <= run.last_step:
            if meter.cancel.is_set():
                raise wandb_fault("cancelled", name=run.id)
            began = monotonic()
            try:
                page = self._page(run, start, min(start + width, run.last_step + 1))
            except WandbError as error:
                slow = monotonic() - began >= self._client.deadlines.answer / 2
                if error.kind != "stalled" or not slow or width <= NARROWEST:
                    raise
                width = max(width // 10, NARROWEST)
                continue
            yield page
            start += width

    def _page(self, run: WandbRun, start: int, stop: int) -> list[str]:
        answer = self._client.ask(
            _PAGE, entity=self._address.entity, project=self._address.project, run=run.id,
            minStep=start, maxStep=stop, pageSize=stop - start,
        )  # fmt: skip
        project = answer.get("project") or {}
        if project.get("run") is None:
            raise wandb_fault("deleted", name=run.id, where=self._address)
        page = project["run"].get("history") or []
        # An answer may not respect the range; a line break in a row would make two of it.
        if not isinstance(page, list) or not all(isinstance(row, str) for row in page):
            raise wandb_fault("bad_answer", where=self._address, reason="its rows are no text")
        return [" ".join(row.splitlines()) for row in page]

    def _keep(
        self, file: FileInfo, run: WandbRun, older: Path | None, lines: Iterable[str], rows: int,
        last: str | None,
    ) -> Path:  # fmt: skip
        end = {"rows": rows, "step": _step(last) if last else -1, "row": _row(last)}
        about = {
            "id": run.id, "internal": run.internal, "state": run.state, "created": run.created,
            "tags": list(run.tags), **run.details, "end": end,
            # What is missing of a run that goes on will come.
            "missing": max(run.rows - rows, 0) if run.over else 0,
        }  # fmt: skip
        data = self._packing.pack(older, lines, about)
        return self._cache.keep(self._place, file, data)


def _width(run: WandbRun) -> int:
    """Return a range of steps that holds about `PAGE` rows."""
    apart = (run.last_step + 1) / max(run.rows, 1)
    return int(min(max(PAGE * apart, PAGE), WIDEST))


def _left_over(part: Path) -> tuple[int, str | None]:
    """Return how many whole rows a stopped reading left, and the last; what is cut is removed."""
    rows, last, whole = 0, None, 0
    with part.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            rows, last, whole = rows + 1, line, whole + len(line)
    with part.open("r+b") as file:
        file.truncate(whole)
    text = last.decode("utf-8", "replace").rstrip("\n") if last else None
    if text is not None and _step(text) < 0:
        part.write_bytes(b"")
        return 0, None
    return rows, text


def _row(line: str | None) -> Any:
    """Return a row so that it can be compared: NaN as text, which is equal to itself."""
    try:
        return json.loads(line or "null", parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _step(line: str) -> int:
    """Return the count of W&B's own in a row; -1 where there is none."""
    row = _row(line)
    step = row.get("_step") if isinstance(row, dict) else None
    return step if isinstance(step, int) else -1
