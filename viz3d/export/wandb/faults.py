"""What the W&B library says when it fails, as one plain sentence with the next step.

The library ends a run as if all were well when a file could not be uploaded; only its own log of
that run says so. So that log is read.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

LOG = Path("logs", "debug-internal.log")
MOST_LOG = 4_000_000
GIVEN_UP = "giving up|fatal error|failed to|returned error|ignoring partial history"

_STATUS = re.compile(
    r"(?:HTTP(?: status)?|returned error|failed to upload:|\"status\":)\s*(\d{3})\b"
)
_STATUSES = {
    401: "W&B does not accept the key (401). Get a new one at wandb.ai/authorize and put it "
    "into WANDB_API_KEY.",
    403: "The key may not write to this entity or project (403). Name another, or ask its owner.",
    404: "W&B knows no such entity or project (404). Check the names.",
    409: "W&B says that this run id was used by a run that was deleted (409). Name another id.",
    429: "W&B asks to wait because of too many requests (429). Try again in a few minutes.",
}
_CAUSES = (
    (r"no space left|disk quota", "The disk is full. Make room, or name another folder with "
     "WANDB_DIR."),
    (r"permission denied|read-only file system|FileNotFoundError|FileExistsError|"
     r"NotADirectoryError", "The folder for W&B's files cannot be written to. "
     "Name another with WANDB_DIR."),
    (r"no such host|name resolution|server misbehaving", "The name of the W&B server cannot be "
     "resolved. Check the network and WANDB_BASE_URL."),
    (r"connection refused|network is unreachable|no route to host|connection reset|\bEOF\b",
     "The W&B server cannot be reached. Check the network and WANDB_BASE_URL."),
    (r"ignoring partial history", "The run has rows of later steps, so W&B left the charts out. "
     "Log into a new run."),
    (r"certificate|x509", "The certificate of the W&B server is not trusted here. Check "
     "WANDB_BASE_URL and the proxy."),
    (r"deadline exceeded|time-?out|timed out|context canceled", "W&B did not answer in time. Try "
     "again, or raise the deadlines with VIZ3D_PATIENCE=2."),
    (r"no api key|not logged in", "W&B found no key. Set WANDB_API_KEY or run `wandb login`."),
    (r"api key", "The W&B key has not the form of a key. Copy it again into WANDB_API_KEY."),
    (r"no module named", "The package wandb is not installed. Run `pip install -r "
     "requirements.txt`."),
)  # fmt: skip


def is_local(text: str) -> bool:
    """Whether a message says that files could not be written here, so that some are torn."""
    return any(re.search(pattern, text, re.IGNORECASE) for pattern, _ in _CAUSES[:2])


def cause(text: str) -> str:
    """Name the cause that a message of the library speaks of.

    Parameters
    ----------
    text : str
        Exception texts and lines of its log, the key taken out.

    Returns
    -------
    str
        What happened and what to do now.
    """
    found = [int(status) for status in _STATUS.findall(text)]
    status = next((code for code in found if code >= 400), None)
    if status in _STATUSES:
        return _STATUSES[status]
    if status is not None:
        return f"W&B answered with the error {status}. Try again in a few minutes."
    for pattern, sentence in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return sentence
    said = " ".join(text.split())[:160]
    return f"W&B failed: {said or 'it did not say why'}. Try again, or use mode offline."


def logged_errors(folder: Path) -> list[str]:
    """Return the errors in the log that the library keeps beside a run.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    """
    try:
        with (folder / LOG).open("rb") as file:
            text = file.read(MOST_LOG).decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if _is_error(line)]


def _is_error(line: str) -> bool:
    """Whether something was given up; what worked at a second try is no error."""
    try:
        entry = json.loads(line)
        said = f"{entry['msg']} {entry.get('error', '')}"
    except (ValueError, TypeError, KeyError):
        return False
    return not str(entry["level"]).startswith("INFO") and re.search(GIVEN_UP, said) is not None
