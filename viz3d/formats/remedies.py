"""What to do about the oddities that formats tell of: sentences know what happened, not what then.

Keyed by a phrase of the sentence; a sentence that names a remedy of its own keeps that. Where
nothing can be done nothing is said: a test lists those sentences, each with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_COPY = "Copy the file once more if it should be whole."
_LOG_NUMBERS = "Log numbers; text belongs in the config."
_ONCE = "Log each metric once in a row."
_LATER = "Open it again once something was logged."
_EVERY_ROW = "Log the step as a whole number with every row."
_ANEW = "Set VIZ3D_MAX_METRICS to more, run `python -m viz3d cache clear` and fetch the run again."
_PACK = "Run `python -m viz3d pack` on the run to pack it again."

REMEDIES: Mapping[str, str] = {
    # Of lines, rows and records
    "no JSON object with a config": "Write it once more if the config is wanted.",
    "was measured is no JSON object": "Save `meta` as the text of a JSON object.",
    "row{|s} that {was|were} no JSON object": "Look at the run on W&B; its other rows were read.",
    "no JSON object": "Look at that line; the other rows were read.",
    "element{|s} that {was|were} no object": "Write each row as an object of names and values.",
    "of log_history that {was|were} no object": "Look at log_history; its other entries were read.",
    "with a number of thousands of digits": "Log a smaller number.",
    "nothing says at which step": "Keep the log of each start in a file of its own.",
    "of lines that tell of a step": "Print each value as a name and a number.",
    "of a step behind other words": "Print each step on a line of its own.",
    "of other processes that print the same": "Let one process write a log of its own.",
    "parted at a carriage return": "End each line with a newline.",
    "The last line has no line end": "Nothing needs doing: what is written later will be read.",
    "The last line is cut": "Nothing needs doing: rows that are written later will be read.",
    "The last record is cut": "Nothing needs doing: records that are written later will be read.",
    "The run has no end": "Nothing needs doing: rows that are written later will be read.",
    "block{|s} of at most 32 KiB": "Copy the log once more if it should be whole.",
    "of which a piece is missing": "Copy the log once more if it should be whole.",
    "that cannot be decoded": "Copy the log once more if it should be whole.",
    "with a wrong checksum": _COPY,
    "longer than {limit:RECORD_BYTES}": _COPY,
    "that {is|are} no event": _COPY,
    "; what follows was not read": _COPY,
    "row group{|s} {is|are} damaged": _COPY,
    "whose place in the file is damaged": _COPY,
    "missing; what {it|they} held": "Export the run once more, or put them beside the others.",
    "part{|s} {is|are} missing": "Put it beside the others if it is to be had.",
    "not there or cannot be read; the rows": _PACK,
    "does not name": _PACK,
    "The file was not used": _PACK,
    "of another writer": "Give each writer a folder of its own.",
    "Only the first {limit:SCALARS}": "Put some of the event files into a folder of their own.",
    # Of values
    "page drew a sample": "Open the project itself, as wandb://ENTITY/PROJECT, to see every value.",
    "stood twice in a line": _ONCE,
    "stood twice in a row": _ONCE,
    "whose name stands twice": "Give each array a name of its own.",
    "in spaces alone": "Log the metric under one name.",
    "more than {limit:NAME_CHARS} characters": "Give the metric a shorter name.",
    "logged again at the same step": "Log each metric once at a step if the earlier one matters.",
    "no rows in it yet": _LATER,
    "no scalars in it yet": _LATER,
    "has no history on W&B": _LATER,
    "that {was|were} no number": _LOG_NUMBERS,
    "that {is|are} no JSON {was|were}": _LOG_NUMBERS,
    "column{|s} of more than": _LOG_NUMBERS,
    "of series without a number": "Look at them in Neptune if one is wanted.",
    "no time of any calendar": "Log times as seconds since 1970.",
    "may part thousands": "Write the file without marks between thousands.",
    "parts no thousands": "Print numbers with a decimal point.",
    "of lists or bytes": _LOG_NUMBERS,
    "written as text": "Log them as numbers, without quotes.",
    "true/false": "Log 1 and 0 if that is what they mean.",
    "value{|s} nested deeper than": "Log them as metrics of their own.",
    "of metrics beyond the first": _ANEW,  # with the cap of then: of a kept history
    "nested objects beyond": "Log them as metrics of their own.",
    "too large to be stored": "Log a smaller number.",
    " single value": "Export the run without those that are not needed.",
    "no series of numbers": "Write each metric as an array of numbers, one for each step.",
    "the keys 0, 1 and so on": "Write the `step` beside them if they are classes or heads.",
    "lists below the second level": "Move them up to the first or second level.",
    "with steps of their own": "Give them a step of their own, or put them into one of the groups.",
    "of another length than": "Write every array with one value for each step.",
    "config is larger than": "Keep what is large out of the config.",
    "otherwise in another file of the run": "Correct the file of which the settings are not right.",
    "tells of a learning rate": "Correct the config, or give the run a config of its own.",
    "comes from the name": "Put `learning_rate` into its config if that is not the rate.",
    # Of steps and layers
    "where an epoch begins": "Print a step that goes on through the epochs.",
    "no column of whole steps": "Log the step as `step` with every row.",
    "without a whole number": _EVERY_ROW,
    "anew with each epoch": "Log the step of the whole training as `global_step` with every row.",
    "called like a step {has|have}": _EVERY_ROW,
    "no row with a step": _EVERY_ROW,
    "is not called like a step": "Export the chart once more over the step.",
    "of the rows of layers": "Log them in rows of their own, without a layer.",
    "both a step and a gradient norm": "Log `step` and `grad_norm` with every row.",
    "row{|s} of a layer": "Look at the files one by one if they should differ.",
    "without a step or a layer": "Log `step` and `layer` with every row.",
    "count of calls began anew": "Log the step of the training as `step` with every row.",
    "The steps go back": "They can be shown beside the later ones as superseded rows.",
    "The steps are in no order": "Log rows in the order of their steps, so that restarts show.",
    # Of tables
    "number of cells than the header": "Look whether a cell holds the delimiter without quotes.",
    "a quote is not closed": "Close it, or leave quotes out.",
    "decimal comma": "Look at a value, since the comma might part thousands.",
    "There is no header": "Write the names of the columns into the first line.",
    "further header": "Look whether another run writes to the file, too.",
    "twice in the header": "Give each column a name of its own.",
    "more than once and {was|were} parted": "Rename them in the file if they were parted wrongly.",
    # Of landscapes
    "without both coordinates": "Write both coordinates into every row.",
    "node{|s} stood twice": "Write each node once if the earlier value matters.",
    "another shape than the grid": "Save a value for each node of the grid.",
    "no array of numbers": "Save it as an array of numbers if it belongs to the landscape.",
    "of its path have different lengths": "Save one number for each checkpoint in each of them.",
    "no plane here is recorded": "Put the landscape of those directions beside it.",
    "The landscape was left out": "Save it once more if it should be whole.",
    # Of whole files
    "of which run beside it": "Join it with that run, or give each run a folder of its own.",
    "of older states": "Give each training a folder of its own, or open the older state by itself.",
    "The file was left out": "Copy or write it once more if it should be whole.",
    "The log was left out": "Copy it once more if it should be whole.",
    "The part was left out": "Export the run once more if it should be whole.",
    "The run has no config": "Look whether it can be opened, or write it once more.",
    "The file was not read": "Correct it, or move it elsewhere if it is no part of the run.",
}

# What a reason says behind its fact, as "it is encrypted; write it without encryption".
_OWN = re.compile(
    r"; (set VIZ3D_\w+ to more if you trust the file|(?:convert|write|run) [^()]+?)(?=\)?\.$)"
)


def remedy(sentence: str) -> str:
    """Return what to do about what a sentence tells; empty where nothing is known."""
    return next((what for phrase, what in REMEDIES.items() if phrase in sentence), "")


def parted(sentence: str) -> tuple[str, str]:
    """Return a sentence without the remedy that its reason ends with, and that remedy.

    Where the reason has none, it is the one that is known of the sentence.
    """
    found = _OWN.search(sentence)
    if found is None:
        return sentence, remedy(sentence)
    own = found[1]
    return sentence[: found.start()] + sentence[found.end() :], f"{own[0].upper()}{own[1:]}."
