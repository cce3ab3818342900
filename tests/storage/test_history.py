"""Objects that are replaced while many read them, over a network that misbehaves at random.

Every read is checked against the record of what was written: it must be one whole generation, and
one that existed between the listing and the read, unless the remark says that it is older.
"""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from tests.storage.server import Fault, StorageServer
from viz3d.errors import BucketError
from viz3d.load import open_source
from viz3d.settings import Settings

NAMES = tuple(f"runs/{letter}/metrics.jsonl" for letter in "abcd")
READERS = 10


def body(name: str, number: int) -> bytes:
    """One generation: every line tells which, so that a mixture shows."""
    line = b'{"step": %d, "name": "%s"}\n' % (number, name.encode())
    return line * (50 + 37 * number % 400)


def misbehave(server: StorageServer, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(400):
        kind = chance.choice(("reset", "flip", "truncate", "status", "fin", "nohash", "pass"))
        server.faults.append(
            Fault(kind, on="media", at=chance.randrange(8000), skip=chance.randrange(6))
        )


class Team:
    """One writer and many readers of the same objects, with the record of what was written."""

    def __init__(self, server: StorageServer, cache: Path, seed: int) -> None:
        self.server, self.seed = server, seed
        self.settings = Settings(storage_emulator=server.url, cache_dir=str(cache), patience=0.5)
        self.written: dict[str, list[bytes]] = {name: [] for name in NAMES}
        self.wrong: list[str] = []
        self.stop = threading.Event()
        self.read_well = 0

    def write(self, number: int) -> None:
        """Replace every object."""
        for name in NAMES:
            self.written[name].append(body(name, number))
            self.server.put("team-runs", name, self.written[name][-1])

    def keep_writing(self) -> None:
        """Replace every object until told to stop."""
        number = 1
        while not self.stop.wait(0.05):
            self.write(number)
            number += 1

    def read(self, reader: int, times: int) -> None:
        """List and read, again and again, and note what cannot have been."""
        source = open_source("gs://team-runs", self.settings)
        chance = random.Random(self.seed * 100 + reader)
        for _ in range(times):
            name = chance.choice(NAMES)
            before = len(self.written[name]) - 1
            listed = {file.path: file for file in source.files()}
            try:
                found = source.fetch(listed[name]).read_bytes()
            except (BucketError, FileNotFoundError):
                continue  # told; or two generations newer by now, when `load` fetches again
            self.read_well += 1
            if found not in self.written[name]:
                self.wrong.append(f"{name}: no generation that ever was")
                continue
            told = source.remarks(listed[name]) or source.as_of is not None
            if not told and self.written[name].index(found) < before:
                self.wrong.append(f"{name}: older than the listing")


@pytest.mark.parametrize(
    ("times", "seed"),
    [(20, 1), pytest.param(500, 2, marks=pytest.mark.slow)],
)
def test_every_read_is_one_whole_generation(times: int, seed: int, tmp_path: Path):
    with StorageServer() as server:
        team = Team(server, tmp_path, seed)
        team.write(0)
        misbehave(server, seed)
        writer = threading.Thread(target=team.keep_writing)
        readers = [
            threading.Thread(target=team.read, args=(number, times)) for number in range(READERS)
        ]
        for thread in (writer, *readers):
            thread.start()
        for thread in readers:
            thread.join()
        team.stop.set()
        writer.join()
        assert team.wrong == []
        assert team.read_well > READERS * times / 2
        server.faults.clear()
        source = open_source("gs://team-runs", team.settings)
        assert {file.path: source.fetch(file).read_bytes() for file in source.files()} == {
            name: team.written[name][-1] for name in NAMES
        }
