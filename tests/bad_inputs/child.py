"""Reads folders, each in a process of its own, and prints what came of it and what it cost.

The processes are forked from one that has read a good run, so that what the libraries take is no
part of it.
"""

from __future__ import annotations

import json
import os
import resource
import sys

SYSTEM_LIMIT = 8 << 30  # of the address space: a bomb must not end the machine that runs the tests


def main(good: str, *bombs: str) -> None:
    from viz3d.load import load_runs

    resource.setrlimit(resource.RLIMIT_AS, (SYSTEM_LIMIT, SYSTEM_LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
    load_runs(good)
    for bomb in bombs:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            print(json.dumps(_read(bomb)), flush=True)
            os._exit(0)
        if status := os.waitpid(child, 0)[1]:
            print(json.dumps({"died": status}))


def _read(bomb: str) -> dict[str, object]:
    from viz3d.errors import Viz3dError
    from viz3d.load import load_runs

    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        runs = load_runs(bomb)
        told = [str(problem) for run in runs for problem in run.problems]
        steps = sum(len(run.history) for run in runs)
    except Viz3dError as error:
        told, steps = [str(error)], 0
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    mib = (after.ru_maxrss - before.ru_maxrss) / 1024
    return {"told": told, "steps": steps, "cpu": cpu, "mib": mib}


if __name__ == "__main__":
    main(*sys.argv[1:])
