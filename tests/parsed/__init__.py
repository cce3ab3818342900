"""Tests of what keeps parsed logs."""
