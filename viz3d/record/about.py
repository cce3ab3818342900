"""What ``run.json`` says of a run, and how it is written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from viz3d.record.redact import (
    LEFT_OUT,
    is_secret_name,
    is_secret_text,
    is_token_name,
    of_environment,
)
from viz3d.record.values import number

SCHEMA = 1

_ITEMS = 20_000  # in one entry of a config; with more it is a circle
_BYTES = 1024 * 1024  # of a config; readers take no larger one


class Config:
    """A config as JSON can hold it.

    Attributes
    ----------
    values : dict
    tags : list of str
    secrets, unreadable : list of str
        Dotted names of what was left out because it is a secret, or because it raises.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.tags: list[str] = []
        self.secrets: list[str] = []
        self.unreadable: list[str] = []
        self._known = of_environment(os.environ)
        self._items = 0

    def read(self, config: Mapping[str, Any], tags: Iterable[str]) -> None:
        """Take in `config` as mappings, lists, text and numbers; the rest as text, without secrets.

        Whatever `config` holds may raise; that is left out and named in `unreadable`.
        """
        for tag in tags:
            self.tags.append(self._plain(str(tag), "", "a tag"))
        size = 2
        for key in config:
            self._items = 0
            try:
                name = str(key)
                value = self._plain(config[key], name, name)
                size += len(json.dumps({name: value}))
                if size > _BYTES:
                    raise ValueError("readers take no larger config")
            except BaseException:  # a stranger's; this is not the loop's thread
                self.unreadable.append(key if type(key) is str else type(key).__name__)
                continue
            self.values[name] = value

    def _plain(self, value: Any, name: str, path: str) -> Any:
        self._items += 1
        if self._items > _ITEMS:
            raise ValueError("no config is that large")
        if value is None or isinstance(value, bool) or (type(value) is str and not value):
            return value
        if is_secret_name(name) and not (is_token_name(name) and number(value) is not None):
            return self._secret(path)
        if isinstance(value, Mapping):
            return {
                str(key): self._plain(item, str(key), f"{path}.{key}")
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self._plain(item, name, path) for item in value]
        if not isinstance(value, str):
            if (found := number(value)) is not None:
                return found
            value = str(value)
        return self._secret(path) if is_secret_text(value, self._known) else value

    def _secret(self, path: str) -> str:
        self.secrets.append(path)
        return LEFT_OUT


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
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f".run.json.{os.getpid()}"
        with part.open("w", encoding="utf-8") as file:
            file.write(json.dumps(self._said, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave an empty file under the name
        part.replace(self._folder / "run.json")
