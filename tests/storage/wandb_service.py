"""A small HTTP server that plays W&B's part towards a reader: projects, runs and histories.

It answers the questions as the service does: rows as JSON text within a range of ``_step``, more
rows than samples thinned, a project that is not there or not to be seen as null.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import Event
from typing import Any

from tests.local_server import LocalHandler, LocalServer

KEY, OTHER_KEY = "a1b2c3d4" * 5, "c0ffee12" * 5
TEAM, PROJECT = "team", "nano"
BEGAN = 1_790_000_000
_internal = count(1)


@dataclass
class StoredRun:
    """A run on the service; `rows` are in the order of their ``_step``."""

    id: str
    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    state: str = "finished"
    config: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    created: int = BEGAN
    counted: int | None = None
    internal: str = field(default_factory=lambda: f"run-{next(_internal)}")

    def node(self, *, whole: bool) -> dict[str, Any]:
        """Return what the service says of it."""
        last = self.rows[-1]["_step"] if self.rows else -1
        said = {
            "id": self.internal,
            "name": self.id,
            "displayName": self.name,
            "state": self.state,
            "createdAt": _time(self.created),
            "heartbeatAt": _time(self.created + last + 1),
            "historyLineCount": len(self.rows) if self.counted is None else self.counted,
            "tags": list(self.tags),
        }
        if whole:
            config = {key: {"value": value, "desc": None} for key, value in self.config.items()}
            said |= {
                "group": None,
                "jobType": None,
                "config": json.dumps({**config, "_wandb": {"value": {"cli_version": "0.31.0"}}}),
                "historyKeys": {"lastStep": last, "keys": {}},
            }
        return said


def _time(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def rows(n: int, start: int = 0, apart: int = 1) -> list[dict[str, Any]]:
    """Return rows as a training loop logs them: one call, one row."""
    return [
        {
            "_step": step,
            "_runtime": step / 2,
            "_timestamp": BEGAN + step / 2,
            "loss": 9 / (step + 1),
        }
        for step in range(start, start + n * apart, apart)
    ]


def nanochat_rows(steps: int) -> list[dict[str, Any]]:
    """Return rows as nanochat's reinforcement learning logs them: two calls for each step."""
    found = []
    for step in range(steps):
        found.append({"_step": 2 * step, "step": step, "reward": step / 7, "sequence_length": 90})
        found.append({"_step": 2 * step + 1, "step": step, "lrm": 1 - step / steps})
    return found


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Attributes
    ----------
    kind : str
        ``"500"`` and the like, ``"html"``, ``"cut"``, ``"hang"``, ``"drop"``, or the text of an
        error that comes with a good status.
    on : str
        Name of the questions that it befalls; empty for all.
    times : int
        How often, before all is well again.
    headers : dict
    """

    kind: str
    on: str = ""
    times: int = 1_000_000
    headers: dict[str, str] = field(default_factory=dict)


class Service(LocalServer):
    """The service.

    Attributes
    ----------
    runs : dict of {id: StoredRun}
        Of the project.
    asked : list of (name of the question, its variables)
    users : dict of {key: name}
    readers : set of str
        Users who may see the project.
    most : int
        Runs in one answer.
    samples : int
        Rows in one answer, however many are asked for.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.runs: dict[str, StoredRun] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.users = {KEY: "reader", OTHER_KEY: "stranger"}
        self.readers = {"reader"}
        self.most, self.samples = 100, 10**9
        self.fault: Fault | None = None
        self.before: Callable[[str], None] = lambda _: None

    def add(self, run: StoredRun) -> StoredRun:
        """Put a run into the project."""
        self.runs[run.id] = run
        return run

    def stopping_at(self, page: int) -> Event:
        """Return what is set once so many pages of histories were asked for."""
        cancel = Event()

        def stop(question: str) -> None:
            if question == "HistoryPage" and self.counts[question] == page:
                cancel.set()

        self.before = stop
        return cancel

    @property
    def counts(self) -> dict[str, int]:
        """How often each question was asked."""
        return dict(Counter(name for name, _ in self.asked))

    def answer(self, question: str, about: dict[str, Any], who: str) -> dict[str, Any]:
        """Return what stands under ``data``."""
        if question == "Viewer":
            return {"viewer": {"username": who}}
        known = about["entity"] == TEAM
        if question == "Projects":
            found = [{"node": {"name": PROJECT}}] if who in self.readers else []
            entity = {"name": TEAM} if known else None
            return {"entity": entity, "models": {"edges": found}}
        if not known or about["project"] != PROJECT or who not in self.readers:
            return {"project": None}
        if question == "Runs":
            return {"project": self._page(about)}
        run = self.runs.get(about.get("name") or about.get("run") or "")
        if question == "Run" or run is None:
            return {"project": {"run": run.node(whole=True) if run else None}}
        wanted = [row for row in run.rows if about["minStep"] <= row["_step"] < about["maxStep"]]
        return {
            "project": {
                "run": {"history": _texts(_sampled(wanted, min(about["pageSize"], self.samples)))}
            }
        }

    def _page(self, about: dict[str, Any]) -> dict[str, Any]:
        assert about["order"] == "-created_at"
        newest = sorted(self.runs.values(), key=lambda run: run.created, reverse=True)
        start = int(about["cursor"] or 0)
        stop = start + min(about["perPage"], self.most)
        edges = [{"node": run.node(whole=False)} for run in newest[start:stop]]
        more = {"endCursor": str(stop), "hasNextPage": stop < len(newest)}
        return {"runCount": len(newest), "runs": {"edges": edges, "pageInfo": more}}


def _sampled(found: Sequence[Any], most: int) -> Sequence[Any]:
    return found if len(found) <= most else found[:: -(-len(found) // most)]


def _texts(found: Sequence[Any]) -> list[str]:
    return [json.dumps(row) for row in found]


class _Handler(LocalHandler):
    """One question."""

    server: Service

    def do_POST(self) -> None:  # noqa: N802 - as the library calls it
        """Answer a question."""
        body = json.loads(self.body())
        named = re.match(r"\s*query (\w+)", body["query"])
        question = named[1] if named else ""
        about, server = body.get("variables") or {}, self.server
        server.asked.append((question, about))
        server.before(question)
        word = self.headers.get("Authorization", "").removeprefix("Basic ")
        who = server.users.get(base64.b64decode(word).decode().removeprefix("api:"))
        fault = server.fault
        if fault and fault.times and fault.on in ("", question):
            server.fault = Fault(fault.kind, fault.on, fault.times - 1, fault.headers)
            self._fail(fault)
        elif who is None:
            self.send(401, json.dumps({"errors": [{"message": "user is not logged in"}]}))
        else:
            self.send(200, json.dumps({"data": server.answer(question, about, who)}))

    def _fail(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.kind == "hang":
            self.server.ended.wait(60)
        elif fault.kind == "html":
            self.send(200, "<!doctype html><html><body>Log in to the network</body></html>")
        elif fault.kind == "cut":
            self.send(200, '{"data": {"viewer"', more=100)
        elif fault.kind.isdigit():
            said = json.dumps({"errors": [{"message": "as it was told to"}]})
            self.send(int(fault.kind), said, fault.headers)
        elif fault.kind != "drop":
            said = json.dumps({"data": None, "errors": [{"message": fault.kind}]})
            self.send(200, said)
