"""What ``run.json`` says of a run, and how it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from viz3d.whole_file import write_whole

SCHEMA = 1


class About:
    """The description of a run, kept in its ``run.json``.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said: dict[str, Any] = {}

    def begin(self, config: Mapping[str, Any] | None, tags: Iterable[str]) -> None:
        """Note a start of the run, keeping what an earlier one wrote.

        Raises
        ------
        OSError, ValueError, AttributeError, TypeError
            If the description that is there cannot be read; it is left as it is.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        said: dict[str, Any] = {
            "schema": SCHEMA,
            "name": self._folder.resolve().name,
            "created": now,
            "status": "running",
            "config": dict(config or {}),
            "tags": list(tags),
            "attempts": [{"started": now}],
        }
        file = self._folder / "run.json"
        if file.exists():
            before = json.loads(file.read_text(encoding="utf-8"))
            said["created"] = before.get("created", now)
            if config is None:
                said["config"] = before.get("config", {})
            said["tags"] = list(dict.fromkeys([*before.get("tags", []), *said["tags"]]))
            # A description that is older than the list of starts is itself a start.
            earlier = before.get("attempts", [{"started": said["created"]}])
            said["attempts"] = [*earlier, *said["attempts"]]
        self._said = said
        self.write("running")

    def abandon(self) -> None:
        """Write no more, in a forked child: the description is its parent's."""
        self._said = {}

    def write(self, status: str) -> None:
        """Replace ``run.json`` in one move: a reader never sees half of it.

        A description that could not be read is left as it was found.

        Raises
        ------
        OSError
        """
        if not self._said:
            return
        self._said["status"] = status
        text = json.dumps(self._said, indent=2) + "\n"
        write_whole(self._folder / "run.json", text.encode())
