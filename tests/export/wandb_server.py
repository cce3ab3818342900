"""A small HTTP server that plays W&B's part: it opens runs, takes rows and files, and can fail."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """What was sent, and what is to go wrong.

    Attributes
    ----------
    runs : dict of {run id: {"config", "rows"}}
    files : dict of {path: bytes}
    keys : set of str
        With which the requests came.
    fault : str
        ``"graphql 401"`` answers those requests so; ``"put hang"`` never answers them.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.runs: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.keys: set[str] = set()
        self.paths: list[str] = []
        self.fault = ""
        self.ended = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A client that goes away is nothing to print."""


@contextmanager
def wandb_server() -> Iterator[Server]:
    """Run the server in a thread."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:
        """Take a query, or rows."""
        body = json.loads(self._body())
        if self.path == "/graphql":
            self._answer("graphql", lambda: {"data": self._query(body)})
        else:
            self._answer("stream", lambda: self._stream(body))

    def do_PUT(self) -> None:
        """Take a file."""
        body = self._body()
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
            status, said = int(how), {"error": "as it was told to"}
        else:
            said = answer()
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

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
