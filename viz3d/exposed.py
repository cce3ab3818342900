"""Who else may read a file of secrets: users of the machine, and who has the repository."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path

from viz3d.run import Problem

# Seconds. It takes milliseconds; on a drive that hangs nothing is said.
GIT_LIMIT = 2.0


def exposed(path: Path) -> list[Problem]:
    """Say who else may read a file with a secret in it.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    list of Problem
        A sentence each, without the secret.
    """
    found = []
    if os.name == "posix" and path.stat().st_mode & 0o004:
        what = f"{path.name} holds a secret, and every user of this machine may read it."
        found.append(Problem(what, f"Run `chmod 600 {path.name}`."))
    if is_tracked(path):
        found.append(
            Problem(
                f"{path.name} holds a secret, and git tracks it: whoever has the repository has "
                "the secret.",
                f"Run `git rm --cached {path.name}`, and if it was ever committed replace the "
                "secret.",
            )
        )
    return found


def is_tracked(path: Path) -> bool:
    """Say whether git tracks a file; False also where git cannot be asked."""
    path = path.absolute()
    top = next((up for up in path.parents if (up / ".git").exists()), None)
    if top is None:
        return False
    index = top / ".git" / "index"
    # Of a worktree the index lies elsewhere: there the answer holds until the file changes.
    seen = index if index.is_file() else path
    return _is_tracked(path, seen.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _is_tracked(path: Path, _changed: int) -> bool:
    # A repository's own settings may name a program to watch its files: none is started.
    command = ["git", "-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", path.name]
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours, and the file's name stands behind --
            command, cwd=path.parent, capture_output=True, check=False, timeout=GIT_LIMIT
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
