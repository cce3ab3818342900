"""What W&B says of a project and its runs: questions and answers, without any history."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from viz3d.errors import WandbError
from viz3d.run import FileInfo
from viz3d.sources.wandb import Client
from viz3d.sources.wandb_address import WandbAddress
from viz3d.sources.wandb_faults import wandb_fault

# Runs in one answer, and how many are listed at all: the newest.
PAGE, MOST = 100, 5_000

_FIELDS = "id name displayName state createdAt heartbeatAt historyLineCount tags"
_RUNS = f"""query Runs(
  $entity: String!, $project: String!, $cursor: String, $perPage: Int, $order: String
) {{
  project(name: $project, entityName: $entity) {{
    runCount
    runs(after: $cursor, first: $perPage, order: $order) {{
      edges {{ node {{ {_FIELDS} }} cursor }}
      pageInfo {{ endCursor hasNextPage }}
    }}
  }}
}}"""
_RUN = f"""query Run($entity: String!, $project: String!, $name: String!) {{
  project(name: $project, entityName: $entity) {{
    run(name: $name) {{ {_FIELDS} group jobType config historyKeys }}
  }}
}}"""
_NEAR = """query Projects($entity: String!) {
  entity(name: $entity) { name }
  models(entityName: $entity, first: 200) { edges { node { name } } }
}"""


@dataclass(frozen=True)
class WandbRun:
    """A run as W&B describes it.

    Attributes
    ----------
    id : str
        The last part of its page's address.
    internal : str
        Another one for a run that was deleted and made anew under the same id.
    name, state : str
    created, changed : float or None
        Seconds since 1970; the latter is the run's last sign of life.
    rows : int
        Of its history, as W&B counts them.
    last_step : int
        Of W&B's own counter; -1 where there is no history. Known of a single run alone.
    tags : tuple of str
    details : mapping
        ``config`` and what else W&B says; of a single run alone.
    """

    id: str
    internal: str
    name: str
    state: str
    created: float | None
    changed: float | None
    rows: int
    last_step: int
    tags: tuple[str, ...]
    details: Mapping[str, Any]

    @property
    def over(self) -> bool:
        """Whether nothing more is to come, unless somebody resumes it."""
        return self.state not in ("running", "pending", "preempting", "")

    @property
    def generation(self) -> str:
        """Changes whenever the history does; a new name or config is no reason to read it again."""
        facts = (self.internal, self.created, self.changed, self.rows, self.state, self.tags)
        return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def list_runs(
    client: Client, address: WandbAddress, tell: Callable[[str], None] = lambda _: None
) -> tuple[list[WandbRun], int]:
    """Return the runs of a project, newest first, and how many there are in all.

    Parameters
    ----------
    client : Client
    address : WandbAddress
    tell : callable, optional
        Is told how far it is, where there are several pages.

    Raises
    ------
    WandbError
    """
    found: dict[str, WandbRun] = {}  # a run that begins meanwhile shifts the pages
    cursor, total = None, 0
    while True:
        project = client.ask(
            _RUNS, entity=address.entity, project=address.project, cursor=cursor, perPage=PAGE,
            order="-created_at",
        ).get("project")  # fmt: skip
        if project is None:
            raise _no_project(client, address)
        with _understood(address):
            runs = project["runs"]
            found |= {run.id: run for run in map(_run, _nodes(runs))}
            total = int(project.get("runCount") or 0)
            before, cursor = cursor, runs["pageInfo"]["endCursor"]
            more = bool(runs["pageInfo"]["hasNextPage"]) and cursor != before
        if not more or len(found) >= MOST:
            return list(found.values()), max(total, len(found))
        tell(f"{len(found):,} of {total:,} runs of {address} are listed …")


def ask_run(client: Client, address: WandbAddress, run: str) -> WandbRun:
    """Return one run with its config.

    Raises
    ------
    WandbError
    """
    project = client.ask(
        _RUN, entity=address.entity, project=address.project, name=run
    ).get("project")  # fmt: skip
    if project is None:
        raise _no_project(client, address)
    if project.get("run") is None:
        place = WandbAddress(address.entity, address.project)
        raise wandb_fault("no_run", name=run, where=place)
    with _understood(address):
        return _run(project["run"])


def to_files(runs: Sequence[WandbRun], file: str) -> list[FileInfo]:
    """Return what a listing says of runs: a file for each, in a folder that bears its name.

    Parameters
    ----------
    runs : sequence of WandbRun
    file : str
        What the file is called.
    """
    counted = Counter(_title(run) for run in runs)
    files: dict[str, FileInfo] = {}
    for run in runs:
        title = _title(run)
        # Several runs of one name are told apart by their ids, each of them; so are a run and
        # another one that is called as the first is shown.
        if counted[title] > 1:
            title = f"{title} ({run.id})"
        while f"{title}/{file}" in files:
            title = f"{title} ({run.id})"
        path = f"{title}/{file}"
        files[path] = FileInfo(
            path, size=0, changed=run.changed or run.created, generation=run.generation,
            rows=run.rows, state=run.state, created=run.created, key=run.id,
        )  # fmt: skip
    return list(files.values())


def _title(run: WandbRun) -> str:
    """Return a run's name as the name of a folder: no part of it is empty or hidden."""
    plain = "".join(char if char.isprintable() else "\ufffd" for char in run.name)
    parts = [part.strip() for part in plain.split("/")]
    return "/".join(part for part in parts if part.strip(".")) or run.id


@contextmanager
def _understood(where: WandbAddress) -> Iterator[None]:
    """Make one fault of whatever is odd in an answer."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise wandb_fault("bad_answer", where=where, reason="it is not as expected") from error


def _nodes(runs: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for edge in runs["edges"]:
        yield edge["node"]


def _run(node: Mapping[str, Any]) -> WandbRun:
    keys = node.get("historyKeys") or {}
    config = node.get("config")
    if isinstance(config, str):
        config = json.loads(config, strict=False)
    details = {key: node[key] for key in ("group", "jobType") if node.get(key)}
    return WandbRun(
        id=str(node["name"]),
        internal=str(node["id"]),
        name=str(node.get("displayName") or ""),
        state=str(node.get("state") or ""),
        created=_time(node.get("createdAt")),
        changed=_time(node.get("heartbeatAt")),
        rows=int(node.get("historyLineCount") or 0),
        last_step=-1 if keys.get("lastStep") is None else int(keys["lastStep"]),
        tags=tuple(map(str, node.get("tags") or ())),
        details={**details, "config": config if isinstance(config, dict) else {}},
    )


def _time(text: str | None) -> float | None:
    """Read a time as W&B writes it: UTC, with or without a mark that says so."""
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _no_project(client: Client, address: WandbAddress) -> WandbError:
    """Say what of the address is wrong, and what comes near."""
    import difflib

    facts = {"entity": address.entity, "project": address.project, "who": client.who}
    try:
        found = client.ask(_NEAR, entity=address.entity)
        if found.get("entity") is None:
            return wandb_fault("no_entity", **facts)
        names = [str(node["name"]) for node in _nodes(found["models"])]
    except (WandbError, KeyError, TypeError):
        return wandb_fault("no_project", nearest="", **facts)
    near = difflib.get_close_matches(address.project, names, n=3, cutoff=0.3) or names[:3]
    shown = ", ".join(str(WandbAddress(address.entity, name)) for name in near)
    return wandb_fault("no_project", nearest=f" Nearest: {shown}." if shown else "", **facts)
