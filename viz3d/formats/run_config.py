"""The settings of one run, from several files and its name, and where these disagree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from viz3d.formats.base import Parsed
from viz3d.formats.names import rate_in_name
from viz3d.formats.tally import Tally

RATES = ("learning_rate", "lr", "peak_lr", "max_lr")
# A name holds a few digits of a rate.
ALIKE = 0.01

DIFFER = (
    "{n} setting{|s} of this file {stands|stand} otherwise in another file of the run ({names}); "
    "{that|those} of this file {was|were} taken."
)


def joined_config(parts: Sequence[Parsed], tally: Tally) -> dict[str, Any]:
    """Join the settings of several files, of which a later one wins, and tell where they differ."""
    config: dict[str, Any] = {}
    taken: dict[str, Tally] = {}
    differ: dict[str, None] = {}
    for part in parts:
        of_file = Tally(part.used[0] if part.used else tally.file)
        for key, value in part.config.items():
            if key in config and config[key] != value and repr(config[key]) != repr(value):
                differ[key] = None
            config[key], taken[key] = value, of_file
    for key in differ:
        taken[key].add(DIFFER, name=key)
    for of_file in {id(found): found for found in taken.values()}.values():
        tally.take(of_file)
    return config


def rate_of_name(names: Sequence[str], config: Mapping[str, Any], tally: Tally) -> dict[str, float]:
    """Return the learning rate that stands only in a name, and say where it comes from.

    Where the config has one that counts, and another one in the name is told.
    """
    found = ((name, rate) for name in names if (rate := rate_in_name(name)) is not None)
    name, rate = next(found, ("", None))
    if rate is None:
        return {}
    stated = {key: config[key] for key in RATES if key in config}
    if not stated:
        tally.add(f"The learning rate {rate:g} in the config comes from the name {name!r}.")
        return {"learning_rate": rate}
    numbers = [each for each in stated.values() if isinstance(each, int | float)]
    if numbers and not any(math.isclose(each, rate, rel_tol=ALIKE) for each in numbers):
        key = next(key for key in stated if stated[key] is numbers[0])
        tally.add(
            f"The name {name!r} tells of a learning rate of {rate:g}, and the config of "
            f"{numbers[0]:g} ({{names}}), which was taken.",
            name=key,
        )
    return {}
