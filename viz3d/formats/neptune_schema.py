"""The columns of a Neptune export."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SERIES = "float_series"
# attribute_type -> the column of its single value
VALUES = {
    "float": "float_value",
    "int": "int_value",
    "string": "string_value",
    "bool": "bool_value",
    "datetime": "datetime_value",
    "string_set": "string_set_value",
}
KEYS = ("project_id", "run_id", "attribute_path", "attribute_type")
COLUMNS = (*KEYS, "step", *VALUES.values())


def fits(schema: pa.Schema) -> bool:
    """Say whether a file has them, each once."""
    once = all(schema.names.count(name) < 2 for name in COLUMNS)
    return once and {*KEYS, "step", "float_value"} <= set(schema.names)
