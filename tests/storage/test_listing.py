"""What a listing costs and finds, by Google's own client against the storage emulator."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests
from gcp_storage_emulator.handlers import objects as handlers
from gcp_storage_emulator.server import create_server

from tests.storage.server import StorageServer
from viz3d.load import list_runs, load_run, open_source
from viz3d.settings import Settings
from viz3d.sources.bucket import BucketSource

BUCKET = "team-runs"
RUNS, CHECKPOINTS = 1000, 100
ROWS = b'{"step": 1, "loss": 3.5}\n{"step": 2, "loss": 3.1}\n'


class Emulator:
    """The emulator on a free port, with a short way into its store."""

    def __init__(self) -> None:
        logging.getLogger("gcp_storage_emulator").setLevel(logging.CRITICAL)
        self._server = create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
        self._server.start()
        port = self._server._api._httpd.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def put(self, name: str, data: bytes = b"x") -> None:
        """Put an object; through the API each would rewrite the emulator's whole index."""
        store: Any = self._server._storage
        made = handlers._make_object_resource(self.url, BUCKET, name, "text/plain", str(len(data)))
        store.objects.setdefault(BUCKET, {})[name] = handlers._checksums(data, made)
        store._store.write_bytes(store._object_path(BUCKET, name), data)

    def stop(self) -> None:
        """Stop listening."""
        self._server.stop()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    running = Emulator()
    yield running
    running.stop()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request that leaves the client."""
    urls: list[str] = []
    send = requests.adapters.HTTPAdapter.send

    def noted(self: Any, request: Any, **kwargs: Any) -> Any:
        if f"/b/{BUCKET}/" in request.url:  # a thread of another test may still be sending
            urls.append(request.url)
        return send(self, request, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", noted)
    return urls


def connect(
    emulator: Emulator | StorageServer, cache: Path, address: str = f"gs://{BUCKET}"
) -> BucketSource:
    source = open_source(address, Settings(storage_emulator=emulator.url, cache_dir=str(cache)))
    assert isinstance(source, BucketSource)
    return source


def nanochat_run(emulator: Emulator, run: str, checkpoints: int) -> None:
    emulator.put(f"{run}/metrics.jsonl", ROWS)
    emulator.put(f"{run}/report/report.md", b"# nanochat training report\n")
    for number in range(checkpoints):
        kind = ("model", "optim", "meta")[number % 3]
        suffix = "json" if kind == "meta" else "pt"
        emulator.put(f"{run}/base_checkpoints/d20/{kind}_{number:06}.{suffix}")


@pytest.mark.deadline
def test_a_thousand_runs_beside_a_hundred_thousand_checkpoint_files(
    emulator: Emulator, tmp_path: Path, sent: list[str]
):
    for number in range(RUNS):
        nanochat_run(emulator, f"runs/run-{number:04}", CHECKPOINTS)
    source = connect(emulator, tmp_path)
    began = monotonic()
    assert len(source.names()) == RUNS
    assert monotonic() - began <= 2
    infos = list_runs(source)
    assert monotonic() - began <= 5
    assert len(infos) == RUNS
    assert all(len(info.files) == 2 for info in infos)
    # The first level of the bucket, that of runs/, and the names that formats claim.
    assert len(sent) == 3
    assert sum("matchGlob" in url for url in sent) == 1
    assert sum("delimiter" in url for url in sent) == 2


def test_what_the_service_returns_holds_no_checkpoints(emulator: Emulator, tmp_path: Path):
    nanochat_run(emulator, "runs/a", CHECKPOINTS)
    source = connect(emulator, tmp_path)
    returned = source._bucket.match(source._glob)
    assert sorted(file.path for file in returned) == [
        "runs/a/metrics.jsonl",
        "runs/a/report/report.md",
    ]


def test_what_is_left_out_comes_when_it_is_asked_for(emulator: Emulator, tmp_path: Path):
    nanochat_run(emulator, "runs/a", 3)
    emulator.put("runs/a/eval_bundle/eval_data/arc.jsonl", ROWS)
    emulator.put("runs/a/tokenizer/tokenizer.json", b"{}")
    source = connect(emulator, tmp_path)
    assert {file.path for file in source.files()} == {
        "runs/a/metrics.jsonl",
        "runs/a/report/report.md",
    }
    assert len(source.find("runs/a/base_checkpoints/**")) == 3
    assert [file.path for file in source.find("**/tokenizer/*")] == [
        "runs/a/tokenizer/tokenizer.json"
    ]


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("gs://team-runs", ["a", "deep/er/b"]),
        ("gs://team-runs/runs", ["a", "deep/er/b"]),
        ("gs://team-runs/runs/", ["a", "deep/er/b"]),
        ("gs://team-runs/runs/deep", ["er/b"]),
        ("gs://team-runs/runs/a", ["a"]),
        ("gs://team-runs/runs/a/", ["a"]),
        ("gs://team-runs/runs/a/metrics.jsonl", ["a"]),
    ],
)
def test_places_that_open(address: str, names: list[str], emulator: Emulator, tmp_path: Path):
    for run in ("runs/a", "runs/deep/er/b"):
        emulator.put(f"{run}/metrics.jsonl", ROWS)
    source = connect(emulator, tmp_path, address)
    infos = list_runs(source)
    assert sorted(info.name for info in infos) == names
    assert [len(load_run(source, info.name).history) for info in infos] == [2] * len(names)


def test_a_bucket_whose_root_holds_the_runs(emulator: Emulator, tmp_path: Path):
    for run in ("a", "b"):
        nanochat_run(emulator, run, 3)
    emulator.put("tokenizer/tokenizer.json", b"{}")
    source = connect(emulator, tmp_path)
    assert source.names() == ["a", "b"]
    assert sorted(info.name for info in list_runs(source)) == ["a", "b"]


def test_a_prefix_with_the_signs_of_a_pattern_is_taken_literally(tmp_path: Path):
    """Against our own server: the emulator takes an escaped brace for a pattern."""
    with StorageServer() as server:
        for prefix in ("lr[1e-3]*{x}?", "lr1y"):
            server.put(BUCKET, f"{prefix}/run/metrics.jsonl", ROWS)
        source = connect(server, tmp_path, f"gs://{BUCKET}/lr[1e-3]*{{x}}?")
        assert [info.name for info in list_runs(source)] == ["run"]


def test_a_prefix_that_holds_nothing_names_the_nearest(emulator: Emulator, tmp_path: Path):
    emulator.put("runs-2025/a/metrics.jsonl", ROWS)
    source = connect(emulator, tmp_path, "gs://team-runs/runs-2024")
    assert list_runs(source) == []
    (problem,) = source.problems()
    assert "nothing under gs://team-runs/runs-2024" in problem.what
    assert "gs://team-runs/runs-2025/" in problem.remedy


def test_an_empty_bucket_holds_no_runs(emulator: Emulator, tmp_path: Path):
    source = connect(emulator, tmp_path)
    assert (source.names(), list_runs(source), source.problems()) == ([], [], ())


def test_a_second_opening_lists_and_downloads_nothing(
    emulator: Emulator, tmp_path: Path, sent: list[str]
):
    nanochat_run(emulator, "runs/a", 3)
    for _ in range(2):
        sent.clear()
        assert len(load_run(connect(emulator, tmp_path), "a").history) == 2
    assert [url for url in sent if "alt=media" in url] == []
    assert len(sent) == 2


def test_a_grown_log_fetches_its_tail_alone(
    emulator: Emulator, tmp_path: Path, sent: list[str], monkeypatch: pytest.MonkeyPatch
):
    emulator.put("runs/a/metrics.jsonl", ROWS)
    assert len(load_run(connect(emulator, tmp_path), "a").history) == 2
    emulator.put("runs/a/metrics.jsonl", ROWS + b'{"step": 3, "loss": 2.9}\n')
    ranges: list[str | None] = []
    send = requests.adapters.HTTPAdapter.send

    def noted(self: Any, request: Any, **kwargs: Any) -> Any:
        if "alt=media" in request.url:
            ranges.append(request.headers.get("range"))
        return send(self, request, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", noted)
    assert len(load_run(connect(emulator, tmp_path), "a").history) == 3
    assert ranges == [f"bytes={len(ROWS)}-"]
