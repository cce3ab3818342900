"""Tests of viz3d.record."""
