"""How to log in to a bucket, as the settings say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from viz3d.settings import Settings

# Whoever asks without a login.
ANONYMOUS = "nobody (anonymous)"
# Logins that work without naming a login service: they are Google's own.
_KNOWN = ("authorized_user", "external_account", "external_account_authorized_user")


@dataclass(frozen=True)
class Access:
    """How to log in.

    Attributes
    ----------
    project, key_file : str
        Empty where not set; then Google's own search order applies.
    service_account : mapping or None
        A key that does not lie in a file. Secret.
    endpoint : str
        Of an emulator; empty for the real service.
    """

    project: str = ""
    key_file: str = ""
    service_account: Mapping[str, str] | None = field(default=None, repr=False)
    endpoint: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Access:
        """Return how the settings say to log in."""
        endpoint = settings.storage_emulator
        if endpoint and "://" not in endpoint:
            endpoint = f"http://{endpoint}"  # as other clients take it
        return cls(settings.project, settings.credentials, settings.service_account, endpoint)

    @property
    def key_name(self) -> str:
        """What people are told of the key that is used: a file's name, never its folder."""
        if self.service_account is not None:
            return "in the app's secrets"
        return PureWindowsPath(self.key_file).name if self.key_file else "of your login"

    def is_for_endpoint(self) -> bool:
        """Say whether the key was made for the emulator: no other is shown to such a server."""
        info: Mapping[str, Any] | None = self.service_account
        if info is None:
            if not self.key_file:
                return False
            try:
                info = json.loads(Path(self.key_file).expanduser().read_text("utf-8"))
            except (OSError, ValueError, RecursionError):
                return True  # what is wrong with it is about to be told
        if isinstance(info, Mapping) and info.get("token_uri"):
            return urlsplit(str(info["token_uri"])).netloc == urlsplit(self.endpoint).netloc
        # Anything else is no key, which is told when it is read.
        return not isinstance(info, Mapping) or info.get("type") not in _KNOWN
