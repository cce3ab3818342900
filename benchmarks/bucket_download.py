"""How fast runs come out of a bucket, beside what Google's own transfer manager does.

    python benchmarks/bucket_download.py

A server in a process of its own serves the same objects to both; each is measured in turn, five
times, into empty folders. viz3d checks every byte against the listing, syncs and renames; the
transfer manager checks the answer's header. Wanted: at least 0.9 of its rate.
"""

from __future__ import annotations

import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from viz3d.load import open_source  # noqa: E402
from viz3d.settings import Settings  # noqa: E402

BUCKET = "team-runs"
# Name -> (objects, bytes of each, seconds that the service takes to begin an answer). The real
# service takes some hundredths; without, small objects measure Python and the disk alone.
LOADS = {
    "400 reports of 20 kB": (400, 20_000, 0.0),
    "400 reports of 20 kB, 20 ms away": (400, 20_000, 0.02),
    "60 histories of 2 MB": (60, 2_000_000, 0.0),
    "8 histories of 40 MB": (8, 40_000_000, 0.0),
}
ROUNDS = 5


@contextmanager
def serving(objects: int, size: int, away: float) -> Iterator[str]:
    """Serve objects from another process."""
    code = (
        "import os, sys, time\n"
        "from tests.storage.server import StorageServer\n"
        "answer = StorageServer.answer_with\n"
        f"late = lambda *args: time.sleep({away}) or answer(*args)\n"
        "StorageServer.answer_with = late\n"
        f"data = os.urandom({size})\n"
        "with StorageServer() as server:\n"
        f"    for number in range({objects}):\n"
        f"        server.put('{BUCKET}', f'runs/r{{number:04}}/metrics.jsonl', data)\n"
        "    print(server.url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def by_viz3d(url: str, folder: Path) -> float:
    """Return the seconds that our own way takes, once the listing is there."""
    source = open_source(f"gs://{BUCKET}", Settings(storage_emulator=url, cache_dir=str(folder)))
    files = source.files()
    began = time.perf_counter()
    source.prepare(files)
    took = time.perf_counter() - began
    assert sum(source.fetch(file).stat().st_size for file in files) == sum(f.size for f in files)
    return took


def by_transfer_manager(kind: str) -> Callable[[str, Path], float]:
    """Return the same for the transfer manager, with threads or processes."""

    def run(url: str, folder: Path) -> float:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.storage import Client, transfer_manager

        client = Client(
            project="p", credentials=AnonymousCredentials(),
            client_options={"api_endpoint": url},
        )  # fmt: skip
        bucket = client.bucket(BUCKET)
        names = [blob.name for blob in client.list_blobs(BUCKET)]
        began = time.perf_counter()
        results = transfer_manager.download_many_to_path(
            bucket, names, destination_directory=str(folder), worker_type=kind, max_workers=8
        )
        took = time.perf_counter() - began
        assert not [result for result in results if isinstance(result, Exception)]
        return took

    return run


def main() -> None:
    """Print one line for each load."""
    os.environ["DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"] = "true"
    logging.disable(logging.WARNING)
    ways = {
        "viz3d": by_viz3d,
        "threads": by_transfer_manager("thread"),
        "processes": by_transfer_manager("process"),
    }
    for name, (objects, size, away) in LOADS.items():
        with serving(objects, size, away) as url:
            taken: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(ROUNDS):
                for way, run in ways.items():
                    folder = Path(tempfile.mkdtemp())
                    taken[way].append(run(url, folder))
                    shutil.rmtree(folder)
        median = {way: statistics.median(times) for way, times in taken.items()}
        best = min(median["threads"], median["processes"])
        rates = ", ".join(
            f"{way} {objects * size / 1e6 / seconds:.0f} MB/s" for way, seconds in median.items()
        )
        print(f"{name}: {rates}; viz3d reaches {best / median['viz3d']:.2f} of the faster")


if __name__ == "__main__":
    main()
