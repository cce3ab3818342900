"""Tests of the formats; a package, so that they share their helpers."""
