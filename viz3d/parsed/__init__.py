"""Logs that were parsed once, kept on this computer's disk, so that opening them again is quick."""
