"""What has to be in order before an export begins: mode, names and key.

Where the key stands is said, the key itself never.
"""

from __future__ import annotations

import netrc
import os
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from viz3d.errors import BadArgument, ExportError
from viz3d.settings import Settings

MODES = {"online": "online", "run": "online", "offline": "offline", "dryrun": "offline"}
"""The values of ``WANDB_MODE`` and what each means."""

PROJECT = "viz3d"
"""The project where none is named."""

MOST = 128
"""Characters of a name; W&B takes no longer project, and no longer name of a run is read."""

HOST = "https://api.wandb.ai"
NO_KEY = (
    "There is no W&B key here. Put WANDB_API_KEY into the environment or .env, or run "
    "`wandb login`; with mode offline the charts are written to a folder without one."
)
HIDDEN = "(key)"


def check_export(
    settings: Settings, *, project: str = "", entity: str = "", run_id: str = "", mode: str = ""
) -> str:
    """Return the mode of an export, ``"online"`` or ``"offline"``, if it can be begun.

    Raises
    ------
    BadArgument
        If a name is one that W&B does not accept, or there is no such mode.
    ExportError
        If the settings switch W&B off, or there is no key to go online with.
    """
    if settings.wandb_mode == "disabled":
        raise ExportError("The export to W&B is switched off here by WANDB_MODE=disabled.")
    chosen = mode or settings.wandb_mode or "online"
    if chosen not in MODES:
        raise BadArgument(f"W&B has no mode {chosen[:40]!r}; choose online or offline.")
    check_names(project or settings.wandb_project, entity or settings.wandb_entity, run_id)
    if MODES[chosen] == "online" and not whose_key(settings):
        raise ExportError(NO_KEY)
    return MODES[chosen]


def run_name(names: Sequence[str]) -> str:
    """Return the name of a new run that holds charts of runs with these names."""
    first = " ".join("".join(c if c.isprintable() else " " for c in names[0]).split())
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return f"viz3d {first}"[: MOST - len(more)] + more


def check_names(project: str, entity: str, run_id: str) -> None:
    """Check what the user typed.

    Parameters
    ----------
    project, entity, run_id : str
        Empty where none is named.

    Raises
    ------
    BadArgument
        If W&B would not accept one of them.
    """
    for what, value, forbidden in (
        ("project", project, "/\\#?%:"),
        ("entity", entity, "/\\#?%: "),
        ("run id", run_id, "/\\#?%:;,'"),
    ):
        found = "".join(dict.fromkeys(c for c in value if c in forbidden or not c.isprintable()))
        if found or len(value) > MOST or value != value.strip():
            why = f"it holds {found!r}" if found else f"it has over {MOST} characters"
            why = "it begins or ends with a space" if value != value.strip() else why
            raise BadArgument(f"W&B takes no {what} {value[:40]!r}: {why}. Choose another name.")


def whose_key(settings: Settings) -> str:
    """Say where the key for W&B comes from.

    Returns
    -------
    str
        Words such as ``"WANDB_API_KEY in the settings"``; empty where there is no key.
    """
    if settings.wandb_api_key:
        return "WANDB_API_KEY in the settings"
    if os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return "WANDB_IDENTITY_TOKEN_FILE"
    return "`wandb login` on this computer" if _in_netrc() else ""


def hide_key(text: str, key: str) -> str:
    """Return a text without the key, also where it is encoded as a header has it."""
    if not key:
        return text
    for secret in (key, b64encode(f"api:{key}".encode()).decode()):
        text = text.replace(secret, HIDDEN)
    return text


def _in_netrc() -> bool:
    named = os.environ.get("NETRC")
    paths = [named] if named else ["~/.netrc", "~/_netrc"]
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or HOST).netloc
    for path in paths:
        try:
            found = netrc.netrc(Path(path).expanduser()).authenticators(host)
        except (OSError, netrc.NetrcParseError, RuntimeError, UnicodeDecodeError):
            continue
        if found and found[2]:
            return True
    return False
