"""The command ``cache``: what was downloaded is counted, verified and removed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.cli.team_bucket import (
    ADDRESS,
    OBJECTS,
    OLDER,
    run,
)
from tests.storage.server import StorageServer


def test_the_cache_is_looked_after(
    server: StorageServer, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`info` counts, `verify` finds a flipped byte and mends it, `clear` empties."""
    run(capsys, "download", ADDRESS, "--run", OLDER)
    run(capsys, "show", OLDER, "--source", ADDRESS)
    info = json.loads(run(capsys, "cache", "info", "--json")[1])
    assert info["folder"] == str(place.parent / "cache")
    assert info["files"] == 2
    assert info["bytes"] == sum(len(data) for name, data in OBJECTS.items() if OLDER in name)
    out = run(capsys, "cache", "info")[1]
    assert "in 2 files, of 10.0 GB at most" in out
    assert run(capsys, "cache", "verify")[1] == "2 files checked, all good.\n"
    objects = place.parent / "cache" / "v1" / "objects"
    damaged = max((path for path in objects.rglob("*") if path.is_file()), key=os.path.getsize)
    damaged.write_bytes(b"!" + damaged.read_bytes()[1:])
    found = json.loads(run(capsys, "cache", "verify", "--json")[1])
    assert (found["checked"], len(found["bad"])) == (2, 1)
    assert "1 file checked" in run(capsys, "cache", "verify")[1]
    assert re.fullmatch(r"\d+ k?B freed\.\n", run(capsys, "cache", "clear")[1])
    assert json.loads(run(capsys, "cache", "info", "--json")[1])["files"] == 0
