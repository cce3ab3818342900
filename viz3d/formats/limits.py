"""Caps on input, in one place. What goes over a cap is left out and the user is told."""

from __future__ import annotations

MIB = 1024 * 1024

LINE_BYTES = 8 * MIB  # a longer line is a broken writer, not a row
FILE_BYTES = 1024 * MIB  # of one log
UNPACKED_BYTES = 1024 * MIB  # of one compressed log
RATIO = 200  # of the unpacked size of a log to that of the file
DOCUMENT_BYTES = 64 * MIB  # of one JSON document, which is parsed whole
VALUES = 4_000_000  # of one JSON document; parsed, each takes about 100 bytes
REPORT_BYTES = 1 * MIB
CONFIG_BYTES = 1 * MIB
METRICS = 2_000  # per table
NESTED_KEYS = 100  # of one nested object that is flattened
DEPTH = 32  # of nested JSON
NAME_CHARS = 200  # of a metric's name
GRID_FILE_BYTES = 256 * MIB  # of a file that holds a landscape
GRID_BYTES = 40 * MIB  # of all arrays in an archive, unpacked: four of them at the cap on nodes
GRID_NODES = 1_000_000  # of one landscape
GRID_MEMBERS = 64  # arrays in one file of a landscape
CELLS = 20_000_000  # rows times columns of a Parquet file; read, each takes about 22 bytes
TEXT_BYTES = 64 * MIB  # of one column of text in a Parquet file, whose dictionary may hold it once
