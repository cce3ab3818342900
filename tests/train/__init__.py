"""Tests of viz3d.train."""
