"""All cases of all modules."""

from __future__ import annotations

from tests.bad_inputs import (  # noqa: F401 - importing registers
    archives,
    documents,
    events,
    jsonl,
    names,
    objects,
    parquet,
    steps,
    tables,
    values,
)
from tests.bad_inputs.case import CASES, Bad

ALL: tuple[Bad, ...] = tuple(CASES)
