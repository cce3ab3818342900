"""The W&B library in a process of its own.

There it can neither print into ours, ask at the terminal, leave its service behind, change the
credentials of a training loop, nor hold anybody longer than the deadline. The key goes in by
standard input: a command line or an environment can be seen by others.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[3]
MODULE = "viz3d.export.wandb.child"
# How much of what the process wrote on standard error is kept to name a cause.
TAIL = 4_000
# The key goes in by standard input alone. The others speak of a run that is open around us.
_NOT_INHERITED = {
    "WANDB_API_KEY",
    "WANDB_MODE",
    "WANDB_RESUME",
    "WANDB_RUN_ID",
    "WANDB_SERVICE",
    "WANDB_SWEEP_ID",
}
_SILENT = {
    "WANDB_SILENT": "true",
    "WANDB_CONSOLE": "off",
    # Neither faults nor usage are reported to W&B.
    "WANDB_ERROR_REPORTING": "false",
}


def carry_out(job: Mapping[str, Any], seconds: float) -> Iterator[dict[str, Any]]:
    """Run a job in a new process and yield what it reports.

    Parameters
    ----------
    job : mapping
        JSON-serialisable; what `viz3d.export.wandb.child` does with it is written there.
    seconds : float
        After which the process is ended.

    Yields
    ------
    dict
        Each with ``"event"``. ``"died"`` and ``"late"`` are this function's own, the last of all.
    """
    with tempfile.TemporaryFile() as errors:
        process = start(MODULE, stdout=subprocess.PIPE, stderr=errors)
        try:
            yield from _events(process, job, monotonic() + seconds)
            if process.wait(timeout=seconds):
                yield {"event": "died", "what": _tail(errors)}
        except (TimeoutError, subprocess.TimeoutExpired):
            yield {"event": "late", "what": f"timed out after {seconds:.0f} s"}
        finally:
            end(process)


def start(module: str, **streams: Any) -> subprocess.Popen[bytes]:
    """Start a module of ours as a process for the library, its standard input a pipe.

    Parameters
    ----------
    module : str
        Run with ``-m``.
    **streams
        ``stdout`` and ``stderr`` as `subprocess.Popen` takes them; by default ours.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    inherited = {k: v for k, v in os.environ.items() if k not in _NOT_INHERITED}
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        env=inherited | _SILENT | {"PYTHONPATH": os.pathsep.join(paths)},
        # A Ctrl-C is for us, who then end the process and what it started.
        start_new_session=True,
        **streams,
    )


def _events(
    process: subprocess.Popen[bytes], job: Mapping[str, Any], until: float
) -> Iterator[dict[str, Any]]:
    lines: Queue[bytes] = Queue()
    Thread(target=_talk, args=(process, json.dumps(job).encode(), lines), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=max(until - monotonic(), 0.001))
        except Empty:
            raise TimeoutError from None
        if not line:
            return
        yield json.loads(line)


def _talk(process: subprocess.Popen[bytes], job: bytes, lines: Queue[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(job)
        process.stdin.close()
        for line in process.stdout:
            lines.put(line)
    except (OSError, ValueError):
        pass  # it ended early; standard error says why
    lines.put(b"")


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _tail(errors: IO[bytes]) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(size - TAIL, 0))
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""
