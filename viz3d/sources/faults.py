"""Every way in which a bucket can fail, and what people are told: one table, no logic.

What is wrong with an address (``bad_name``) is said where it is read. The kinds are part of
``python -m viz3d check --json``; a program may rely on them.
"""

from __future__ import annotations

from collections.abc import Mapping

from viz3d.errors import BucketError

_LOGIN = (
    "Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a "
    "service account's key file; a hosted app needs an attached service account or "
    "[gcp_service_account] in its secrets."
)
_AGAIN = "Try again in a minute; what was downloaded before stays usable."
_NETWORK = "Check the network connection (VPN, proxy), then try again."

# kind -> what happened, what to do now. {where} is the bucket's address, {name} an object.
_FAULTS: dict[str, tuple[str, str]] = {
    "no_credentials": (
        "There is no Google login here, and {where} is not open to everyone.",
        _LOGIN,
    ),
    "bad_key_file": (
        "The Google key {key} cannot be used: {reason}.",
        "Download a new key for the service account and set GOOGLE_APPLICATION_CREDENTIALS to it, "
        "or run `gcloud auth application-default login`.",
    ),
    "expired_login": ("Your Google login has expired or was revoked.", _LOGIN),
    "refused_login": ("{who} is not accepted by Google.", _LOGIN),
    "no_permission": (
        "{who} may not read {where}.",
        "Ask the bucket's owner for the role Storage Object Viewer (roles/storage.objectViewer).",
    ),
    "no_write_permission": (
        "{who} may not write to {where}.",
        "Ask the bucket's owner for the role Storage Object User (roles/storage.objectUser).",
    ),
    "no_bucket": (
        "There is no bucket {bucket}.{nearest}",
        "Check its name; `gcloud storage ls` lists the buckets of your project.",
    ),
    "wrong_project": (
        "The project {project} cannot be used to read {where}: {reason}.",
        "Correct GCP_PROJECT_ID, or ask for access to that project.",
    ),
    "unreachable": ("{where} cannot be reached: {reason}.", _NETWORK),
    "certificate": (
        "No secure connection to {where} can be made: {reason}.",
        "Check the computer's clock and whether a proxy replaces certificates.",
    ),
    "service_down": (
        "Google Cloud Storage answers {where} with errors ({reason}).",
        _AGAIN,
    ),
    "too_many_requests": (
        "Google Cloud Storage asks for fewer requests to {where}.",
        _AGAIN,
    ),
    "stalled": (
        "{where} stopped answering: no byte for {seconds:g} s.",
        _AGAIN,
    ),
    "dropped": (
        "The connection to {where} broke off again and again.",
        _NETWORK,
    ),
    "token_service": (
        "Google's login service does not answer ({reason}).",
        _AGAIN,
    ),
    "portal": (
        "The network answered with a web page, probably its own login page, instead of {where}.",
        "Open a browser, log in to the network, then try again.",
    ),
    "bad_answer": (
        "The answer about {where} cannot be understood ({reason}).",
        "Try again; if it stays so, a proxy may change the answers.",
    ),
    "bad_pattern": (
        "The pattern cannot be used: {reason}.",
        "Close every [ and {, let no / stand between { and }, and put a backslash before a sign "
        "that is meant as such.",
    ),
    "clock": (
        "This computer's clock is wrong{by}, so Google refuses the login.",
        "Set the clock, then try again.",
    ),
    "deleted": (
        "{name} is no longer in {where}.",
        "List the runs again to see what is there now.",
    ),
    "changed": (
        "{name} in {where} is being replaced faster than it can be read.",
        _AGAIN,
    ),
    "corrupt": (
        "{name} from {where} arrived twice with wrong bytes (size or checksum differ), so it was "
        "not kept.",
        "Try again; if it stays so, a proxy may change the data.",
    ),
    "no_checksum": (
        "{name} in {where} has no checksum in the listing, so it cannot be verified.",
        "Copy the object within the bucket, which gives it one.",
    ),
    "too_large": (
        "{name} is stored compressed and unpacks to more than {limit:,} bytes, so it was not "
        "opened.",
        "Store it uncompressed if it is a log, or set VIZ3D_MAX_RATIO or VIZ3D_MAX_UNPACKED_MIB to "
        "more if you trust it.",
    ),
    "disk_full": (
        "The disk is full: {name} needs {needs} and {has} are free where downloads are kept.",
        "Free some space, or set VIZ3D_CACHE_DIR to another disk.",
    ),
    "cache_unwritable": (
        "Downloads cannot be written to the cache folder: {reason}.",
        "Set VIZ3D_CACHE_DIR to a folder that you own.",
    ),
    "offline": (
        "{name} was never downloaded, and {where} cannot be read now.",
        "Choose runs that are here, or try again once the bucket answers.",
    ),
    "cancelled": ("The download of {name} was stopped.", "Start it again to go on from there."),
}

# These may pass by themselves; the others stay until somebody does something.
PASSING = frozenset(
    {
        "unreachable",
        "service_down",
        "too_many_requests",
        "stalled",
        "dropped",
        "bad_answer",
        "token_service",
    }
)
KINDS = (*_FAULTS, "bad_name")


def fault(kind: str, **facts: object) -> BucketError:
    """Return the error of a kind.

    Parameters
    ----------
    kind : str
        A key of the table above.
    **facts
        What its sentence names.

    Returns
    -------
    BucketError
    """
    what, remedy = _FAULTS[kind]
    return BucketError(kind, sentence(what, facts), remedy)


def sentence(what: str, facts: Mapping[str, object]) -> str:
    """Return a sentence of a table with its facts filled in, its first word capitalised."""
    said = what.format(**facts)
    # A name or an address at the beginning stays as it is.
    plain = said.split(" ", 1)[0].isalpha()
    return said[:1].upper() + said[1:] if plain else said
