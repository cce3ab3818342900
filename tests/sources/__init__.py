"""Tests of the sources; a package, because other folders hold files of the same names."""
