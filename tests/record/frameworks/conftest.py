"""Real trainers on the processor, without network, telemetry or a warning of their own."""

from __future__ import annotations

import json
import os

import pytest
import torch

torch.set_num_threads(1)  # the cores are shared by several workers
# Read by the libraries when they are imported.
os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Work in a folder that is empty, as trainers write into the working folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def rows(tmp_path):
    """Read a file of JSON lines below the test's folder."""

    def read(path):
        return [json.loads(line) for line in (tmp_path / path).read_text("utf-8").splitlines()]

    return read


@pytest.fixture
def about(tmp_path):
    """Read the run.json of a run folder below the test's folder."""

    def read(path):
        return json.loads((tmp_path / path / "run.json").read_text("utf-8"))

    return read
