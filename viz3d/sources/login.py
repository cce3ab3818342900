"""The login to Google: found, named in words, and renewed within bounds."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from viz3d.sources.access import ANONYMOUS, Access
from viz3d.sources.explain import Asked, explain, looks_like_page
from viz3d.sources.faults import fault

READ_ONLY = ("https://www.googleapis.com/auth/devstorage.read_only",)
READ_WRITE = ("https://www.googleapis.com/auth/devstorage.read_write",)


def bounded(session: Any, longest: float, asked: Asked, note: Callable[[Any], None]) -> Any:
    """Return the login's transport: it gives up in time and knows a web page from an answer."""
    from google.auth.transport.requests import Request

    ask = Request(session)

    def request(*args: Any, **kwargs: Any) -> Any:
        try:
            answer = ask(*args, **(kwargs | {"timeout": longest, "allow_redirects": False}))
        except Exception as error:
            found = explain(error, asked)
            if found.kind == "stalled":
                raise fault("token_service", reason=f"silent for {longest:g} s") from error
            raise found from error
        note(answer)
        # What asks for a token holds what proves who we are: it goes to nobody else.
        if 300 <= answer.status < 400 or looks_like_page(answer.data):
            raise fault("portal", where=asked.where)
        if answer.status >= 500:
            # The login library would wait by a clock of its own before it asks again.
            raise fault("token_service", reason=f"status {answer.status}")
        return answer

    return request


def credentials(access: Access, *, writes: bool = False) -> tuple[Any, str | None]:
    """Find the login: what the settings name, else where Google's own tools look."""
    scopes = READ_WRITE if writes else READ_ONLY
    # Where there is no login they ask whether this is a computer of Google's, three times. On such
    # a one the answer takes milliseconds; a network that swallows the question took 12 s.
    os.environ.setdefault("GCE_METADATA_TIMEOUT", "1")
    import google.auth

    info = access.service_account
    with warnings.catch_warnings():
        # Of a login without a project for its quota, which reading does not need.
        warnings.simplefilter("ignore")
        if access.endpoint and not access.is_for_endpoint():
            return anonymous(), None
        try:
            if info is not None:
                from google.oauth2.service_account import Credentials

                return Credentials.from_service_account_info(dict(info), scopes=scopes), None
            if access.key_file:
                path = str(Path(access.key_file).expanduser())
                return google.auth.load_credentials_from_file(path, scopes=scopes)
        except OSError as error:
            reason = "it cannot be read"
            raise fault("bad_key_file", key=access.key_name, reason=reason) from error
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            reason = "it is no Google key"
            raise fault("bad_key_file", key=access.key_name, reason=reason) from error
        return google.auth.default(scopes=scopes)


def anonymous() -> Any:
    """Return the login of somebody without one."""
    from google.auth.credentials import AnonymousCredentials

    return AnonymousCredentials()


def identity(credentials: Any) -> str:
    """Say in words whose login it is."""
    if type(credentials).__name__ == "AnonymousCredentials":
        return ANONYMOUS
    named = getattr(credentials, "service_account_email", "") or getattr(credentials, "account", "")
    if named == "default":
        return "the service account of this computer"
    return str(named) if named else "your own Google login"
