"""The promised deadlines at their full length, each kind of failure once, all side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from tests.storage.server import Fault, StorageServer, service_account_key
from viz3d.errors import BucketError
from viz3d.load import open_source
from viz3d.settings import Settings
from viz3d.sources.bucket import BucketSource

pytestmark = pytest.mark.deadline

NAME = "runs/a/metrics.jsonl"
ROWS = b'{"step": 1, "loss": 3.5}\n' * 40_000
Ask = Callable[[StorageServer, BucketSource], object]


def listing(server: StorageServer, source: BucketSource) -> object:
    return source.files()


def fetching(server: StorageServer, source: BucketSource) -> object:
    server.faults, injected = [], server.faults
    (file,) = source.files()
    server.faults = injected
    return source.fetch(file)


# name -> fault (None: nothing listens), what is asked, kind, seconds promised
PROMISES: dict[str, tuple[Fault | None, Ask, str, float]] = {
    "nothing listens": (None, listing, "unreachable", 5),
    "errors for ever": (
        Fault("status", on="list", status=503, times=None), listing, "service_down", 15,
    ),
    "never answers": (Fault("hang", on="list", times=None), listing, "stalled", 15),
    "never answers a download": (Fault("hang", on="media", times=None), fetching, "stalled", 15),
    "always breaks off": (Fault("reset", on="media", times=None), fetching, "dropped", 30),
    "silent login": (Fault("hang", on="token", times=None), listing, "token_service", 10),
    "expired login": (Fault("invalid_grant", on="token", times=None), listing, "expired_login", 2),
    "too many requests": (
        Fault("status", on="list", status=429, times=None), listing, "too_many_requests", 15,
    ),
    "come back in two minutes": (
        Fault("status", on="list", status=429, headers={"Retry-After": "120"}, times=None),
        listing, "too_many_requests", 3,
    ),
    "needs a new sign-in": (
        Fault("invalid_rapt", on="token", times=None), listing, "expired_login", 2,
    ),
    "unknown key": (Fault("invalid_client", on="token", times=None), listing, "bad_key_file", 2),
    "wrong clock": (Fault("clock_skew", on="token", times=None), listing, "clock", 2),
    "broken login": (
        Fault("status", on="token", status=503, times=None), listing, "token_service", 10,
    ),
    "nobody may": (
        Fault("status", on="list", status=403, times=None), listing, "no_credentials", 2,
    ),
    "no such bucket": (
        Fault("status", on="list", status=404, times=None), listing, "no_bucket", 5,
    ),
    "login page": (Fault("html", on="list", times=None), listing, "portal", 2),
    "login page for an object": (Fault("html", on="media", times=None), fetching, "portal", 5),
    "junk": (Fault("badjson", on="list", times=None), listing, "bad_answer", 5),
    "wrong bytes": (Fault("flip", on="media", times=None), fetching, "corrupt", 5),
    "gone": (Fault("status", on="media", status=404, times=None), fetching, "deleted", 3),
    "replaced": (Fault("status", on="media", status=412, times=None), fetching, "changed", 3),
}  # fmt: skip


def test_every_failure_is_told_within_its_promise(tmp_path: Path):
    told: dict[str, tuple[str, float]] = {}

    def run(name: str) -> None:
        fault, ask, _, _ = PROMISES[name]
        with StorageServer() as server:
            server.put("team-runs", NAME, ROWS)
            login = {}
            if fault is not None and fault.on == "token":
                server.open = False
                login = {"service_account": service_account_key(server.url)}
            settings = Settings(
                storage_emulator=server.url, cache_dir=str(tmp_path / name), **login
            )
            source = open_source("gs://team-runs", settings)
            assert isinstance(source, BucketSource)
            if fault is None:
                server.stop()
            else:
                server.faults.append(fault)
            began = monotonic()
            try:
                ask(server, source)
            except BucketError as error:
                told[name] = (error.kind, monotonic() - began)

    threads = [threading.Thread(target=run, args=(name,)) for name in PROMISES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {name: kind for name, (kind, _) in told.items()} == {
        name: kind for name, (_, _, kind, _) in PROMISES.items()
    }
    late = {name: took for name, (_, took) in told.items() if took > PROMISES[name][3]}
    assert late == {}


def test_a_stall_is_borne_for_ten_seconds_and_the_rest_fetched(tmp_path: Path):
    with StorageServer() as server:
        server.put("team-runs", NAME, ROWS)
        source = open_source(
            "gs://team-runs", Settings(storage_emulator=server.url, cache_dir=str(tmp_path))
        )
        (file,) = source.files()
        server.faults.append(Fault("stall", on="media", at=500_000))
        began = monotonic()
        assert source.fetch(file).read_bytes() == ROWS
        assert 9.5 <= monotonic() - began <= 13
        ranges = [request.range for request in server.requests if request.kind == "media"]
        assert len(ranges) == 2
        assert ranges[1].startswith("bytes=")


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_offline_what_is_here_is_usable_within_three_seconds(how: str, tmp_path: Path):
    with StorageServer() as server:
        server.put("team-runs", NAME, ROWS)
        settings = Settings(storage_emulator=server.url, cache_dir=str(tmp_path))
        before = open_source("gs://team-runs", settings)
        before.fetch(before.files()[0])
        if how == "refused":
            server.stop()
        else:
            server.faults.append(Fault("hang", on="list", times=None))
        began = monotonic()
        source = open_source("gs://team-runs", settings)
        (file,) = source.files()
        source.prepare([file])
        assert source.fetch(file).read_bytes() == ROWS
        assert monotonic() - began <= 3
        assert source.as_of is not None
