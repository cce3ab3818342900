"""A small HTTP server that plays W&B's part: it opens runs, takes rows and files, and can fail."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.local_server import LocalHandler, LocalServer


class Server(LocalServer):
    """What was sent, and what is to go wrong.

    Attributes
    ----------
    runs : dict of {run id: {"config", "rows"}}
    files : dict of {path: bytes}
    keys : set of str
        With which the requests came.
    fault : str
        ``"graphql 401"`` answers those requests so; ``"put hang"`` never answers them;
        ``"stream 503 307"`` the first so, the others so.
    moved : str
        Where a redirect leads.
    """

    def __init__(self) -> None:
        super().__init__(Handler)
        self.runs: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.keys: set[str] = set()
        self.paths: list[str] = []
        self.fault = self.moved = ""


class Handler(LocalHandler):
    """One request."""

    server: Server

    def do_POST(self) -> None:  # noqa: N802 - as the library calls it
        """Take a query, or rows."""
        body = json.loads(self.body())
        if self.path == "/graphql":
            self._answer("graphql", lambda: {"data": self._query(body)})
        else:
            self._answer("stream", lambda: self._stream(body))

    def do_PUT(self) -> None:  # noqa: N802 - as the library calls it
        """Take a file."""
        body = self.body()
        name = self.path.removeprefix("/upload/")
        self._answer("put", lambda: self.server.files.update({name: body}) or {})

    def _answer(self, part: str, answer: Any) -> None:
        server = self.server
        server.paths.append(self.path)
        word = self.headers.get("Authorization", "").removeprefix("Basic ")
        if word:
            server.keys.add(base64.b64decode(word).decode().removeprefix("api:"))
        where, _, how = server.fault.partition(" ")
        status = 200
        if where == part and how == "hang":
            server.ended.wait(60)
            self.close_connection = True
            return
        if where == part:
            status, said = int(how.split()[0]), {"error": "as it was told to"}
            server.fault = f"{part} {how.partition(' ')[2] or how}"
        else:
            said = answer()
        moved = {"Location": server.moved} if 300 <= status < 400 else {}
        self.send(status, json.dumps(said), moved)

    def _query(self, body: dict[str, Any]) -> dict[str, Any]:
        about, runs = body.get("variables") or {}, self.server.runs
        name = body.get("operationName") or ""
        if name == "UpsertBucket":
            new = about["name"] not in runs
            run = runs.setdefault(about["name"], {"config": {}, "rows": [], "name": None})
            run["config"].update(json.loads(about.get("config") or "{}"))
            run["name"] = about.get("displayName") or run["name"]
            return {"upsertBucket": {"bucket": self._bucket(about), "inserted": new}}
        if name == "CreateRunFiles":
            files = [
                {"name": file, "uploadUrl": f"{self.server.url}/upload/{file}"}
                for file in about["files"]
            ]
            made = {"runID": "1", "uploadHeaders": [], "files": files}
            return {"createRunFiles": made}
        if name == "RunResumeStatus":
            known = about["name"] in runs
            return {
                "model": {
                    "id": "1",
                    "name": about["project"],
                    "entity": {"id": "1", "name": "somebody"},
                    "bucket": self._bucket(about) if known else None,
                }
            }
        return {}

    def _bucket(self, about: dict[str, Any]) -> dict[str, Any]:
        run = self.server.runs[about["name"]]
        owner = {"id": "1", "name": about.get("entity") or "somebody"}
        return {
            "id": "1",
            "name": about["name"],
            "displayName": run["name"] or about["name"],
            "config": json.dumps(run["config"]),
            "project": {"id": "1", "name": about["project"], "entity": owner},
            "historyLineCount": len(run["rows"]),
            "eventsLineCount": 0,
            "logLineCount": 0,
            "historyTail": json.dumps([json.dumps(row) for row in run["rows"][-1:]]),
            "eventsTail": "[]",
            "summaryMetrics": "{}",
            "wandbConfig": json.dumps({"t": {}}),
            "tags": [],
        }

    def _stream(self, body: dict[str, Any]) -> dict[str, Any]:
        run = self.server.runs[self.path.split("/")[4]]
        sent = body.get("files", {}).get("wandb-history.jsonl", {})
        run["rows"] += [json.loads(row) for row in sent.get("content", ())]
        return {}
