"""Read configurations flat: nested keys as one, and values that can be told apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def flat_config(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the settings with nested keys as ``outer.inner``."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= flat_config(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def value_key(value: Any) -> str:
    """Return text by which values are told apart: 1 and 1.0 are one, 1 and "1" are not."""
    if isinstance(value, float):
        return repr(int(value) if value.is_integer() else value)
    return json.dumps(value, default=repr, sort_keys=True)
