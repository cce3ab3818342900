"""What to do about the oddities that formats tell of: sentences know what happened, not what then.

Keyed by a phrase of the sentence; a sentence that names a remedy of its own keeps that.
"""

from __future__ import annotations

from collections.abc import Mapping

REMEDIES: Mapping[str, str] = {
    "no JSON object with a config": "Write it once more if the config is wanted.",
    "no JSON object": "Look at that line; the rows before and after it were read.",
    "The last line is cut": "Nothing needs doing: rows that are written later will be read.",
    "The last record is cut": "Nothing needs doing: records that are written later will be read.",
    "block{|s} of at most 32 KiB": "Copy the log once more if it should be whole.",
    "with a wrong checksum": "Copy the file once more if it should be whole.",
    "; what follows was not read": "Copy the file once more if it should be whole.",
    "missing; what {it|they} held": "Export the run once more, or put them beside the others.",
    "row group{|s} {is|are} damaged": "Copy the file once more if it should be whole.",
    "page drew a sample": "Open the project itself, as wandb://ENTITY/PROJECT, to see every value.",
    "stood twice in a line": "Log each metric once in a row.",
    "stood twice in a row": "Log each metric once in a row.",
    "logged again at the same step": "Log each metric once at a step if the earlier one matters.",
    "no rows in it yet": "Open it again once something was logged.",
    "that {was|were} no number": "Log numbers; text belongs in the config.",
    "parts no thousands": "Print numbers with a decimal point.",
    "of lists or bytes": "Log numbers; text belongs in the config.",
    "written as text": "Log them as numbers, without quotes.",
    "true/false": "Log 1 and 0 if that is what they mean.",
    "nested objects beyond": "Log them as metrics of their own.",
    "too large to be stored": "Log a smaller number.",
    "no column of whole steps": "Log the step as `step` with every row.",
    "without a whole number": "Log the step as a whole number with every row.",
    "The steps go back": "They can be shown beside the later ones as superseded rows.",
    "The steps are in no order": "Log rows in the order of their steps, so that restarts show.",
    "number of cells than the header": "Look whether a cell holds the delimiter without quotes.",
    "a quote is not closed": "Close it, or leave quotes out.",
    "decimal comma": "Look at a value, since the comma might part thousands.",
    "There is no header": "Write the names of the columns into the first line.",
    "twice in the header": "Give each column a name of its own.",
    "The file was left out": "Copy or write it once more if it should be whole.",
    "The file was not read": "Correct it, or move it elsewhere if it is no part of the run.",
}


def remedy(sentence: str) -> str:
    """Return what to do about what a sentence tells; empty where nothing is known."""
    return next((what for phrase, what in REMEDIES.items() if phrase in sentence), "")
