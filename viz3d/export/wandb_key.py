"""Whose key opens W&B: where it stands is said, the key itself never."""

from __future__ import annotations

import netrc
import os
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

from viz3d.settings import Settings

HOST = "https://api.wandb.ai"
NO_KEY = (
    "There is no W&B key here. Put WANDB_API_KEY into the environment or .env, or run "
    "`wandb login`; with mode offline the charts are written to a folder without one."
)
HIDDEN = "(key)"


def whose_key(settings: Settings) -> str:
    """Say where the key for W&B comes from.

    Returns
    -------
    str
        Words such as ``"WANDB_API_KEY of this computer"``; empty where there is no key.
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
