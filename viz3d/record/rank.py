"""Which process of a distributed job writes."""

from __future__ import annotations

import os
from collections.abc import Mapping

# The variable with a process's rank, and the one with the number of processes. torchrun's comes
# first, so that RANK=0 in the environment makes any process a writer.
_VARIABLES = (
    ("RANK", None),
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
)


def writes_here(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether this process is the one that records: rank 0, or no part of a distributed job.

    Read from ``RANK`` (torchrun, accelerate, Lightning); without it from Slurm's or Open MPI's
    rank where the job has more than one task.
    """
    for rank, size in _VARIABLES:
        if rank not in environment:
            continue
        if size is None or _number(environment.get(size)) > 1:
            return _number(environment[rank]) == 0
    return True


def _number(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
