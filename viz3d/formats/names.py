"""What a file's name alone says about it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

CONFIG_STEMS = frozenset(
    {
        "args",
        "config",
        "flags",
        "hparams",
        "hyperparameters",
        "hyperparams",
        "info",
        "params",
        "run_config",
        "training_args",
        "training_config",
    }
)

# JSON and text files that lie beside runs everywhere and never hold a history.
_DOCUMENTS = re.compile(
    r"""(?x)
    run | info | package(-lock)? | tsconfig | vocab | merges | tokenizer(_config)?
    | special_tokens_map | added_tokens | generation_config | preprocessor_config | adapter_config
    | chat_template | .*\.index | .*-index | all_results | train_results | eval_results
    | wandb-(summary|metadata) | meta_\d+ | .*_config | dataset_infos?
    | trainer_state | requirements.* | readme.* | license.* | notice.* | changelog.* | robots
    | cmakelists
    """,
    re.IGNORECASE,
)

# What W&B's library notes of itself. A debug.log anywhere else may be that of a training.
_OF_WANDB = re.compile(r"(^|/)(debug-(internal|core|cli.*)|(wandb|logs)/debug)\.log$")

_RATE = re.compile(
    r"(?<![a-z])(?<!(?:min|end)[-_])(?<!final[-_])"
    r"(?:lr|learning[-_]?rate)[-_=:]?(\d+\.\d+(?:e-?\d+)?|\d+e-?\d+|\.\d+)(?!\d|\.\d)",
    re.IGNORECASE,
)


# Names are split by hand: a listing of a bucket holds a million of them, and pathlib is slow.


def file_name(path: str) -> str:
    """Return the last part of `path`."""
    return path.rpartition("/")[2]


def suffix(path: str) -> str:
    """Return the lower-case suffix of the file at `path`, with its dot."""
    name, dot, last = file_name(path).rpartition(".")
    return f".{last.lower()}" if dot and name else ""


def stem(path: str) -> str:
    """Return the name of the file at `path` without its last suffix."""
    name = file_name(path)
    return name.rpartition(".")[0] or name


def folder(path: str) -> str:
    """Return the folder of the file at `path`; empty at the top of the source."""
    return path.rpartition("/")[0]


def is_config(path: str) -> bool:
    """Say whether a file is called like a file of hyper-parameters."""
    return stem(path).lower() in CONFIG_STEMS and suffix(path) in (".json", ".yaml", ".yml")


def is_document(path: str) -> bool:
    """Say whether a file is called like one that never holds a history."""
    return is_config(path) or bool(_DOCUMENTS.fullmatch(stem(path)) or _OF_WANDB.search(path))


def rate_in_name(name: str) -> float | None:
    """Return the learning rate that stands in a name, as in ``adamw-lr-0.0005-constant.json``.

    Parameters
    ----------
    name : str
        Name of a file or run. Of several rates the last one counts, but for what a schedule ends
        at, as in ``lr6e-4-min_lr6e-5``.

    Returns
    -------
    float or None
    """
    rates = [float(found) for found in _RATE.findall(name)]
    return rates[-1] if rates and rates[-1] > 0 else None


_STAMP = re.compile(
    r"(?<!\d)(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_.T ]?(\d\d)[-_.:h]?(\d\d)(?:[-_.:m]?(\d\d))?(?!\d)"
)


def timestamp(name: str) -> float | None:
    """Return the newest time that stands in a name, as in ``aquarat-20251023-143022``.

    Parameters
    ----------
    name : str

    Returns
    -------
    float or None
        Seconds since 1970, read as UTC.
    """
    times = []
    for parts in _STAMP.findall(name):
        numbers = [int(part or 0) for part in parts]
        try:
            times.append(datetime(*numbers, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]
        except ValueError:
            continue
    return max(times, default=None)
