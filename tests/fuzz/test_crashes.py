"""Files that once ended in an exception: a reader takes them or declines them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .readers import CRASHES, MOST_BYTES, READERS, RECORDS, replay

KEPT = sorted(CRASHES.iterdir())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_what_once_raised_does_not_any_more(path: Path) -> None:
    """Whatever it holds."""
    content = path.read_bytes()
    assert len(content) <= MOST_BYTES
    replay(path.name.partition("-")[0], content)


def test_each_is_of_a_reader() -> None:
    """Else it would be read by none."""
    assert KEPT
    assert {path.name.partition("-")[0] for path in KEPT} <= {*READERS, *RECORDS}
