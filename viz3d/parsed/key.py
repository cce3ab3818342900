"""The key under which a parsed log is kept: all that makes it what it is."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from viz3d.analysis import roles
from viz3d.formats import limits
from viz3d.version import __version__


def key_of(name: str, digests: Mapping[str, bytes]) -> str:
    """Return the key of a run.

    Parameters
    ----------
    name : str
        Of the run: a learning rate may stand in it.
    digests : mapping of {path in the source: SHA-256}
    """
    files = [[path, digest.hex()] for path, digest in digests.items()]
    caps = {cap: value for cap, value in vars(limits).items() if isinstance(value, int)}
    return hashlib.sha256(json.dumps([_parser(), caps, name, files]).encode()).hexdigest()


@functools.cache
def _parser() -> str:
    """Return what the parser is: its own text, so that no change of it can be forgotten."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    whole = hashlib.sha256("/".join(
        (__version__, np.__version__, pd.__version__, pa.__version__)
    ).encode())  # fmt: skip
    here = Path(__file__).parent
    ours = (*sorted(here.glob("*.py")), Path(roles.__file__))
    for path in (*ours, *sorted(Path(limits.__file__).parent.glob("*.py"))):
        whole.update(path.read_bytes())
    return whole.hexdigest()
