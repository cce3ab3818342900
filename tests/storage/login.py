"""The login service, and the keys that lead to it."""

from __future__ import annotations

import base64
import json
from functools import cache
from urllib.parse import parse_qs

from tests.storage.faults import TOKEN_ERRORS, Answer, json_answer

ACCOUNT = "reader@viz3d-tests.iam.gserviceaccount.com"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Seconds by which a clock may be off before what it signs is refused.
TOLERANCE = 300


def token_answer(body: bytes, token: str, lifetime: int, now: float) -> Answer:
    """Answer a request for an access token.

    Signatures and refresh tokens are taken as they are; the times in a signed request are not.

    Parameters
    ----------
    body : bytes
        Of the request, as a form.
    token : str
        What is handed out.
    lifetime : int
        Of the token, in seconds.
    now : float
        The service's clock.
    """
    form = {name: said[0] for name, said in parse_qs(body.decode()).items()}
    grant = form.get("grant_type")
    if grant == JWT_GRANT:
        if not _in_time(form["assertion"], now):
            return json_answer(TOKEN_ERRORS["clock_skew"], 400)
    elif grant != "refresh_token":
        return json_answer({"error": "unsupported_grant_type"}, 400)
    return json_answer({"access_token": token, "expires_in": lifetime, "token_type": "Bearer"})


def service_account_key(url: str) -> dict[str, str]:
    """Return a service account's key, of the shape of its file; `url` is the server's."""
    return {
        "type": "service_account",
        "project_id": "viz3d-tests",
        "private_key_id": "0123456789abcdef",
        "private_key": _private_key(),
        "client_email": ACCOUNT,
        "client_id": "100000000000000000001",
        "token_uri": f"{url}/token",
    }


def user_credentials_file(url: str) -> dict[str, str]:
    """Return what ``gcloud auth application-default login`` writes; `url` is the server's.

    Google's login library reads the file and ignores its ``token_uri``; ``with_token_uri`` of the
    credentials leads them here.
    """
    return {
        "type": "authorized_user",
        "client_id": "viz3d-tests.apps.googleusercontent.com",
        "client_secret": "no-secret",
        "refresh_token": "no-token",
        "token_uri": f"{url}/token",
    }


def _in_time(assertion: str, now: float) -> bool:
    payload = assertion.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return bool(claims["iat"] - TOLERANCE <= now <= claims["exp"] + TOLERANCE)


@cache
def _private_key() -> str:
    """Return an RSA key in PEM that no service knows; made once, since it takes a while."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
