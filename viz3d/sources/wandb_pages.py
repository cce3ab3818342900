"""The rows of a run as W&B hands them out: a page at a time, each row once, in the order of steps.

Pages are ranges of W&B's own counter of calls, each asked for with as many samples as the range is
long, so that none can be sampled, and none is filtered by keys. Only where steps are very far apart
(tokens, say, are counted) is a range longer than that, and narrowed when it comes back full.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from operator import itemgetter
from time import monotonic
from typing import Any

from viz3d.errors import WandbError
from viz3d.sources.wandb import Client
from viz3d.sources.wandb_address import WandbAddress
from viz3d.sources.wandb_faults import wandb_fault
from viz3d.sources.wandb_project import WandbRun

# Rows that one answer is to hold, and how many are asked for at most.
PAGE, WIDEST = 1_000, 100_000
# Characters: the page after a larger one is narrower, because several copies of it are held.
HEAVY = 16_000_000
# A page that takes longer than its deadline is asked for in smaller pieces, down to so many steps.
NARROWEST = 50
# Pages that a run may take when it is read in ranges of `PAGE` steps, however far apart they are.
MOST_DENSE = 2_000
_STEP = re.compile(r'"_step":\s*([0-9]{1,18})\s*[,}]')
_PAGE = """query HistoryPage(
  $entity: String!, $project: String!, $run: String!, $minStep: Int64!, $maxStep: Int64!,
  $pageSize: Int!
) {
  project(name: $project, entityName: $entity) {
    run(name: $run) { history(minStep: $minStep, maxStep: $maxStep, samples: $pageSize) }
  }
}"""


def pages(
    client: Client, address: WandbAddress, run: WandbRun, start: int, cancel: threading.Event, *,
    dense: bool = False,
) -> Iterator[list[str]]:  # fmt: skip
    """Yield the rows from a step on, as text; an empty page tells nothing.

    Parameters
    ----------
    client : Client
    address : WandbAddress
        Of the project.
    run : WandbRun
    start : int
        Of W&B's own counter; that step is included.
    cancel : threading.Event
        Ends it between two pages.
    dense : bool
        Whether no range is longer than the plainest one.

    Raises
    ------
    WandbError
    """
    width = most = PAGE if dense else width_of(run)
    while start <= run.last_step:
        if cancel.is_set():
            raise wandb_fault("cancelled", name=run.id)
        began, stop = monotonic(), min(start + width, run.last_step + 1)
        try:
            page = _page(client, address, run, start, stop)
        except WandbError as error:
            slow = monotonic() - began >= client.deadlines.answer / 2
            if error.kind != "stalled" or not slow or width <= NARROWEST:
                raise
            width = most = max(width // 10, NARROWEST)
            continue
        if 2 * len(page) >= WIDEST < stop - start:  # a sample, perhaps
            width = max(width // 10, WIDEST)
            continue
        yield page
        start = stop
        size = sum(map(len, page))
        if size > HEAVY:
            width = most = max(width * HEAVY // size, NARROWEST)
        elif len(page) < PAGE // 10:
            width = min(10 * width, most)


def width_of(run: WandbRun) -> int:
    """Return a range of steps that holds about `PAGE` rows."""
    return max(PAGE * (run.last_step + 1) // max(run.rows, 1), PAGE)


def row_of(line: str | None) -> Any:
    """Return a row so that it can be compared: NaN as text, which is equal to itself."""
    try:
        return json.loads(line or "null", parse_constant=str)
    except (ValueError, RecursionError):
        return None


def step_of(line: str) -> int:
    """Return the count of W&B's own in a row; -1 where there is none."""
    found = _STEP.search(line) if line.count("{") == 1 else None
    if found:  # of a flat row it need not be decoded
        return int(found[1])
    row = row_of(line)
    step = row.get("_step") if isinstance(row, dict) else None
    return step if isinstance(step, int) else -1


def _page(client: Client, address: WandbAddress, run: WandbRun, start: int, stop: int) -> list[str]:
    answer = client.ask(
        _PAGE, entity=address.entity, project=address.project, run=run.id, minStep=start,
        maxStep=stop, pageSize=min(stop - start, WIDEST),
    )  # fmt: skip
    project = answer.get("project") or {}
    if project.get("run") is None:
        raise wandb_fault("deleted", name=run.id, where=address)
    page = project["run"].get("history") or []
    if not isinstance(page, list) or not all(isinstance(row, str) for row in page):
        raise wandb_fault("bad_answer", where=address, reason="its rows are no text")
    # A line break in a row would make two of it.
    return _each_once([" ".join(row.splitlines()) for row in page], start, stop)


def _each_once(page: list[str], start: int, stop: int) -> list[str]:
    """Return the rows of a range in order: an answer may repeat some, or not respect the range.

    A row without a step cannot be told from another one, so it stays where it is.
    """
    rows: list[tuple[int, str]] = []
    seen: set[str] = set()
    last = start
    for line in page:
        step = step_of(line)
        if step < 0:
            rows.append((last, line))
        elif start <= step < stop and line not in seen:
            seen.add(line)
            rows.append((step, line))
            last = step
    return [line for _, line in sorted(rows, key=itemgetter(0))]
