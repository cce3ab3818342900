"""Processes that read one project into one cache: killed at any moment, several at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Event
from time import sleep

import pytest

from tests.storage.wandb_service import KEY, Service, StoredRun, rows
from viz3d.load import load_run
from viz3d.sources.base import Source
from viz3d.sources.cache import Cache

Open = Callable[..., Source]
RUN = "wandb://team/nano/long"

# A process that has all modules loaded, and begins another one when told to, or waits for its end.
_NURSERY = """
import os, sys
import pandas, pyarrow.parquet, wandb.apis.public.service_api
from viz3d.load import load_run

for line in sys.stdin:
    if line.strip():
        print("ended", os.waitpid(int(line), 0)[1], flush=True)
        continue
    child = os.fork()
    if not child:
        try:
            run = load_run(sys.argv[1])
            print("read", len(run.history), run.digest, flush=True)
        except BaseException as error:
            print("failed", repr(error), flush=True)
        os._exit(0)
    print("began", child, flush=True)
"""


class Nursery:
    """Begins processes that read the run, and tells what they say."""

    def __init__(self, cache: Path) -> None:
        # The client would have them share the helper of this process.
        env = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
        env |= {"WANDB_API_KEY": KEY, "VIZ3D_CACHE_DIR": str(cache)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY, RUN], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def begin(self) -> int:
        """Begin a reading; return the number of its process."""
        return int(self._told("", "began"))

    def kill(self, reader: int) -> bool:
        """Kill a reading; say whether it had not ended before."""
        os.kill(reader, signal.SIGKILL)
        return int(self._told(f"{reader}", "ended")) == signal.SIGKILL

    def _told(self, what: str, answer: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        while (said := self.said())[0] != answer:
            assert said[0] == "read", said
        return said[1]

    def said(self) -> list[str]:
        """Return the words of the next line."""
        assert self._process.stdout
        return self._process.stdout.readline().split(maxsplit=2)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The folder of the cache that all processes share."""
    return tmp_path / "cache"


@pytest.fixture
def nursery(service: Service, cache: Path) -> Iterator[Nursery]:
    """A nursery for readings of a run on the service."""
    nursery = Nursery(cache)
    yield nursery
    nursery.close()


def steps_of(source: Source) -> list[int]:
    """Return the steps of the run as it is read now."""
    run = load_run(source)
    assert run.problems == ()
    return run.history.index.tolist()


@pytest.mark.parametrize("kills", [5, pytest.param(240, marks=pytest.mark.slow)])
def test_a_reading_that_is_killed_at_any_moment_costs_nothing(
    service: Service, open_wandb: Open, nursery: Nursery, cache: Path, kills: int
) -> None:
    """The next one has every row once, whether the whole or the tail was being read."""
    moments = random.Random(kills)
    run = service.add(StoredRun("long", "long", rows(3_000), state="running"))
    killed = 0
    while killed < kills:
        asked = Event()
        service.before = lambda question, asked=asked: question == "HistoryPage" and asked.set()
        reader = nursery.begin()
        assert asked.wait(60)
        sleep(moments.uniform(0, 0.15))  # where it stands by then is what varies
        killed += nursery.kill(reader)
        if killed % 3 == 0:
            run.rows = rows(len(run.rows) + moments.randrange(1_500))
        source = open_wandb(RUN)
        assert steps_of(source) == list(range(len(run.rows)))
        assert Cache.open(cache).verify().bad == []
        if killed % 3 == 1:
            Cache.open(cache).clear()
            run.rows = rows(3_000)
        else:
            run.rows = rows(len(run.rows) + 700)


@pytest.mark.parametrize("readers", [2, 4])
def test_several_processes_read_one_run_at_once(
    service: Service, open_wandb: Open, nursery: Nursery, cache: Path, readers: int
) -> None:
    """One of them is killed meanwhile, the run grows, somebody refreshes: each has whole rows."""
    run = service.add(StoredRun("long", "long", rows(3_500), state="running"))
    together, go = Barrier(readers), Event()

    def hold(question: str) -> None:
        if question == "HistoryPage" and not go.is_set():
            together.wait(60)
            go.set()

    service.before = hold
    killed, *others = [nursery.begin() for _ in range(readers)]
    assert go.wait(60)
    assert nursery.kill(killed)
    run.rows = rows(4_200)
    assert steps_of(open_wandb(RUN)) == list(range(4_200))
    digests = set()
    for _ in others:
        word, count, *digest = nursery.said()
        assert (word, int(count) in (3_500, 4_200)) == ("read", True)
        digests.add((count, *digest))
    assert len({count for count, _ in digests}) == len(digests)  # one file for one state
    assert Cache.open(cache).verify().bad == []
    assert steps_of(open_wandb(RUN)) == list(range(4_200))
