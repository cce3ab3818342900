"""A config as ``run.json`` can hold it: plain, without secrets, and no larger than readers take."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from viz3d.record.failures import Failures
from viz3d.record.limit import within
from viz3d.record.redact import (
    LEFT_OUT,
    is_secret_name,
    is_secret_text,
    is_token_name,
    of_environment,
)
from viz3d.record.values import number

LIMIT = 1.0  # seconds that the config may hold the constructor
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
        for tag in [tags] if isinstance(tags, str) else tags:
            self.tags.append(self._plain(str(tag), "", "a tag"))
        size = 2
        for key in config:
            self._items = 0
            try:
                name = self._name(key)
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
                (key := self._name(own)): self._plain(item, key, f"{path}.{key}")
                for own, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self._plain(item, name, path) for item in value]
        if not isinstance(value, str):
            if (found := number(value)) is not None:
                return found
            value = str(value)
        return self._secret(path) if is_secret_text(value, self._known) else value

    def _name(self, key: Any) -> str:
        name = str(key)
        return self._secret("a name") if is_secret_text(name, self._known) else name

    def _secret(self, path: str) -> str:
        self.secrets.append(path)
        return LEFT_OUT


def read_config(
    config: Mapping[str, Any] | object | None, tags: Iterable[str], failures: Failures
) -> Config:
    """Return what can be read of `config` and `tags` within a second; the rest is told."""
    said = Config()
    if not within(LIMIT, partial(_read, said, {} if config is None else config, tags, failures)):
        failures.add("not all of the config was recorded", "reading it takes too long")
    return said


def _read(
    said: Config, config: Mapping[str, Any] | object, tags: Iterable[str], failures: Failures
) -> None:
    try:
        said.read(config if isinstance(config, Mapping) else vars(config), tags)
    except BaseException as error:  # a stranger's; this is not the loop's thread
        failures.add("not all of the config was recorded", error)
    for name in said.unreadable:
        failures.add("a value of the config was left out", f"{name:.80} cannot be written")
    if said.secrets:
        names = ", ".join(said.secrets)
        n = len(said.secrets)
        what = "value was left out as a secret" if n == 1 else "values were left out as secrets"
        failures.tell(f"{n} {what}: {names:.300}")
