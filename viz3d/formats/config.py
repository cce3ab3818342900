"""Hyper-parameters beside a history: hparams.json, config.yaml and their like."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from viz3d.errors import NotMine
from viz3d.formats import patterns, text
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.names import is_config, suffix

NAME = "config file"
NAMES = (*patterns.JSON, patterns.any_case("*.yaml"), patterns.any_case("*.yml"))


def claim(path: str) -> Claim | None:
    """Claim config files; they belong to the run that lies beside them."""
    return Claim(path, beside=True) if is_config(path) else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one file.

    Raises
    ------
    NotMine
        If it does not hold a mapping of names to values.
    """
    ((name, path),) = files.items()
    text.check(path, "CONFIG_BYTES")
    content = path.read_bytes().removeprefix(text.BOM)
    values = _from_json(content) if suffix(name) == ".json" else _from_yaml(content)
    if not isinstance(values, dict):
        raise NotMine("it does not hold names and values")
    return [Parsed(config=_plain(values), used=(name,))]


def _from_json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _unreadable("JSON", getattr(error, "lineno", None)) from error


def _from_yaml(content: bytes) -> Any:
    """Read YAML: plain data only, nothing is constructed, and no alias can multiply the data."""
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark
                raise yaml.MarkedYAMLError(problem="aliases are not read", problem_mark=mark)
            return super().compose_node(parent, index)

    # YAML 1.1 takes 3e-4 and 1.5e4 for text; whoever wrote them meant numbers.
    number = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+0123456789"))
    try:
        return yaml.load(content, Loader)  # noqa: S506 - a SafeLoader
    # The last three come of a tag that its value does not fit, such as `!!bool x`.
    except (yaml.YAMLError, RecursionError, ValueError, AttributeError, LookupError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _unreadable("YAML", mark.line + 1 if mark else None) from error


def _unreadable(kind: str, line: int | None) -> NotMine:
    return NotMine(f"it cannot be read as {kind}" + (f", line {line}" if line else ""))


def _plain(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return `values` with text keys; W&B's ``{value: …}`` boxes are opened."""
    config = {}
    for key, value in values.items():
        boxed = isinstance(value, dict) and "value" in value and set(value) <= {"value", "desc"}
        if str(key) != "_wandb":
            config[str(key)] = value["value"] if boxed else value
    return config
