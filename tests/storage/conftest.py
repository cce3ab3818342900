"""The service that plays W&B, and a source that reads it by the real client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.storage.wandb_service import KEY, Service, StoredRun, nanochat_rows, rows
from viz3d.load import open_source
from viz3d.settings import Settings
from viz3d.sources.base import Source
from viz3d.sources.gcs import load


@pytest.fixture(scope="session", autouse=True)
def loaded() -> None:
    """The client for buckets is loaded before any clock starts: that is no fault of the network."""
    load()


@pytest.fixture(scope="session")
def one_service() -> Iterator[Service]:
    """One service for all tests, and the helper process of the client ended behind them."""
    import wandb
    from wandb.sdk import wandb_setup

    wandb.teardown()
    with pytest.MonkeyPatch.context() as patch:
        # The client remembers the key that stood in the environment when it was first used.
        patch.delenv("WANDB_API_KEY", raising=False)
        assert wandb_setup.singleton().settings.api_key is None
    with Service() as service:
        yield service
    wandb.teardown()


@pytest.fixture
def service(one_service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Service:
    """The service with three runs, nothing asked of it yet; nobody is logged in otherwise."""
    one_service.runs.clear()
    one_service.asked.clear()
    one_service.fault, one_service.most, one_service.samples = None, 100, 10**9
    one_service.before = lambda _: None
    one_service.readers = {"reader"}
    one_service.add(StoredRun("aaa", "sweep", rows(12), config={"lr": 0.1}, tags=("x",)))
    one_service.add(StoredRun("bbb", "rl", nanochat_rows(30), created=1_790_000_100))
    one_service.add(StoredRun("ccc", "live", rows(20), state="running", created=1_790_000_200))
    monkeypatch.setenv("WANDB_BASE_URL", one_service.url)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    return one_service


@pytest.fixture
def open_wandb(service: Service, tmp_path: Path) -> Callable[..., Source]:
    """Open the project, or what is named, with a cache of the test."""

    def opened(text: str = "wandb://team/nano", **changed: Any) -> Source:
        settings = {"wandb_api_key": KEY, "cache_dir": str(tmp_path / "cache"), **changed}
        return open_source(text, Settings(**settings))

    return opened
