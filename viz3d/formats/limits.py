"""Caps on input, in one place. What goes over a cap is left out and the user is told."""

from __future__ import annotations

MIB = 1024 * 1024

LINE_BYTES = 8 * MIB  # a longer line is a broken writer, not a row
FILE_BYTES = 1024 * MIB  # of one log
DOCUMENT_BYTES = 64 * MIB  # of one JSON document; parsed whole, it takes about 17 times that
REPORT_BYTES = 1 * MIB
CONFIG_BYTES = 1 * MIB
RECORD_BYTES = 64 * MIB  # of one record of an event file
FIELDS = 100_000  # of one message in it; it takes seconds to pass over the millions that fit
SCALARS = 10_000_000  # of the event files of one run: 240 MB
METRICS = 2_000  # per table
NESTED_KEYS = 100  # of one nested object that is flattened
DEPTH = 32  # of nested JSON
NAME_CHARS = 200  # of a metric's name
GRID_FILE_BYTES = 256 * MIB  # of a file that holds a landscape
GRID_BYTES = 40 * MIB  # of all arrays in an archive, unpacked: four of them at the cap on nodes
GRID_NODES = 1_000_000  # of one landscape
GRID_MEMBERS = 64  # arrays in one file of a landscape
CELLS = 400_000_000  # 3.2 GB as float64: no table of a run is that large
