"""Which remarks have no remedy, and why nobody can or need do anything."""

from __future__ import annotations

import re

NOTHING_TO_DO = {
    "MFU{|s} below 0": "nanochat itself writes that where it is not known",
    "which has {it|them} as well": "the same values were read from the other file",
    "anew ({names}) where another one goes on": "the step of the whole training was taken",
    "repeat{s|} the header": "a logger that goes on with a file writes it again; no row is lost",
    "repeat{s|} a coordinate": "the coordinate was read",
    "older state{|s}": "the newest state holds what they hold",
    "The steps of the layers go back": "the restart is what somebody did",
    "read as gradient norms of layers": "they are read, and shown as layers",
    "block{|s} of zeros": "a crash leaves them; there was nothing in them",
    "that Neptune notes of itself": "they say nothing of the training",
    "of series of text, of histograms and of files": "no chart shows such",
    "column{|s} of other than numbers": "no chart shows such, and tables of runs are full of them",
    "that {is|are} no scalar": "no chart shows images, graphs or text",
    "__MIN or __MAX column{|s} {is|are} the metric itself": "the metric was read",
    "W&B calls the run": "it says which run this is",
    "W&B gives the run no name": "it says which run this is",
    "The run ended with exit code": "it says what became of the run",
    "of media (images, tables, histograms)": "no chart shows media",
    "record{|s} of console output": "the history stands beside it",
    "record{|s} of system metrics": "they are not of the training",
    "The console output was not read": "the log beside it has the history",
    "averaged into one row per step": "nanochat prints several passes of a step",
    "logged in both places, alike": "it says that nothing was lost",
    "Joined on the step from": "it is what the viewer asked for",
    "goes where it would": "the run is downloaded, and the file can be by itself",
    "Not every system can hold its name": "the name under which it lies is said",
}
"""Phrase of a sentence, as the code has it -> the reason."""

_CHOICE = re.compile(r"\\\{([^|{}]*)\\\|([^|{}]*)\\\}")


def is_listed(told: str) -> bool:
    """Say whether a sentence as it is told, with its count, is one of them."""
    phrases = (_CHOICE.sub(r"(\1|\2)", re.escape(phrase)) for phrase in NOTHING_TO_DO)
    return any(re.search(phrase, told) for phrase in phrases)
