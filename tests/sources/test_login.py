"""Finding the login where there is none, on a network that swallows the question."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

pytestmark = pytest.mark.deadline

CODE = """
from viz3d.sources.access import Access
from viz3d.sources.login import credentials
try:
    credentials(Access())
except Exception as error:
    print(type(error).__name__)
"""


def test_no_login_is_known_within_eight_seconds_where_nothing_answers(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silence = f"127.0.0.1:{silent.getsockname()[1]}"
        outside = {key: value for key, value in os.environ.items() if not key.startswith("GOOGLE")}
        environ = outside | {
            "GCE_METADATA_IP": silence,
            "GCE_METADATA_HOST": silence,
            "CLOUDSDK_CONFIG": str(tmp_path),
        }
        began = monotonic()
        done = subprocess.run(
            [sys.executable, "-c", CODE], env=environ, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "DefaultCredentialsError"
        assert monotonic() - began <= 10
