"""Writing a file and reading it with one format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from viz3d.formats.base import Format, Parsed
from viz3d.formats.joining import Joined, join_rows

Reader = Callable[..., list[Parsed]]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Write files given as ``{path: text or bytes}`` and read them with a format."""

    def read(form: Format, files: dict[str, str | bytes]) -> list[Parsed]:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return list(form.read({name: tmp_path / name for name in files}))

    return read


def joined(parsed: Parsed) -> Joined:
    """Return the rows of `parsed`, joined on the step."""
    assert parsed.rows is not None
    return join_rows(parsed.rows)


def said(parsed: Parsed) -> str:
    """Return everything that is told about `parsed`."""
    return "\n".join(str(problem) for problem in parsed.problems)
