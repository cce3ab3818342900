"""Every way in which W&B can fail, and what people are told.

What is wrong with an address (``bad_name``) is said where it is read. The kinds are part of
``python -m viz3d check --json``; those of `viz3d.sources.faults` mean the same here.
"""

from __future__ import annotations

import re

from viz3d.errors import WandbError
from viz3d.sources.faults import sentence

_KEY = "Get a key at wandb.ai/authorize and put it into WANDB_API_KEY, or run `wandb login`."
_AGAIN = "Try again in a minute; what was read before stays usable."
_NETWORK = "Check the network (VPN, proxy) and WANDB_BASE_URL, then try again."

# kind -> what happened, what to do now. {where} is the address, {name} a run.
_FAULTS: dict[str, tuple[str, str]] = {
    "not_installed": (
        "The package wandb is not installed here, so {where} cannot be read.",
        "Run `pip install -r requirements.txt`.",
    ),
    "other_version": (
        "The installed package wandb is of a version that viz3d cannot ask ({reason}).",
        "Run `pip install -r requirements.txt`.",
    ),
    "bad_setting": (
        "The wandb package refuses the value of {name}.",
        "Correct or remove it in the environment, in .env and in W&B's own settings file.",
    ),
    "no_credentials": ("There is no W&B key here, so {where} cannot be read.", _KEY),
    "bad_key": ("The W&B key has not the form of a key.", f"Copy it again. {_KEY}"),
    "refused_login": ("W&B does not accept the key.", _KEY),
    "no_permission": (
        "{who} may not read {where}.",
        "Ask the project's owner for access, or use the key of somebody who has it.",
    ),
    "no_entity": ("W&B knows no user or team {entity}.", "Check the first part of the address."),
    "no_project": (
        "There is no project {project} of {entity} on W&B that {who} can see.{nearest}",
        "Check its name, or ask its owner for access.",
    ),
    "no_run": (
        "There is no run {name} in {where}.",
        "A run is named by its id, the last part of its page's address; list the runs to see them.",
    ),
    "deleted": (
        "The run {name} is no longer in {where}.",
        "List the runs again to see what is there now.",
    ),
    "unreachable": ("{where} cannot be reached: {reason}.", _NETWORK),
    "certificate": (
        "No secure connection to {where} can be made: its certificate is not trusted.",
        "Check the computer's clock, the proxy and WANDB_BASE_URL.",
    ),
    "service_down": ("W&B answers with errors ({reason}).", _AGAIN),
    "too_many_requests": ("W&B asks for fewer requests.", _AGAIN),
    "stalled": (
        "{where} has not answered within {seconds:g} s.",
        "Check the network, or raise the deadlines with VIZ3D_PATIENCE=2.",
    ),
    "portal": (
        "A web page came instead of an answer about {where}, perhaps the login page of a network.",
        "Open a browser and log in to the network, or check WANDB_BASE_URL.",
    ),
    "bad_answer": (
        "The answer about {where} cannot be understood ({reason}).",
        "Try again; if it stays so, a proxy may change the answers, or WANDB_BASE_URL is wrong.",
    ),
    "disk_full": (
        "The disk is full, so the history of the run {name} cannot be kept.",
        "Free some space, or set VIZ3D_CACHE_DIR to another disk.",
    ),
    "cache_unwritable": (
        "The history of the run {name} cannot be written to the cache folder: {reason}.",
        "Set VIZ3D_CACHE_DIR to a folder that you own.",
    ),
    "no_going_on": (
        "The rows of the run {name} cannot be kept: {reason}.",
        "If no limit is named, run `python -m viz3d cache verify` and open the run again.",
    ),
    "offline": (
        "The run {name} was never read, and {where} cannot be asked now.",
        "Choose runs that are here, or try again once W&B answers.",
    ),
    "cancelled": ("Reading the run {name} was stopped.", "Start it again to go on from there."),
}
KINDS = (*_FAULTS, "bad_name")

_STATUS = re.compile(r"(?:HTTP(?: status)?|returned error)\s+(\d{3})\b")
_STATUSES = {401: "refused_login", 403: "no_permission", 429: "too_many_requests"}
# A service, or a proxy before it, may repeat the header that the key came in.
_SECRET = re.compile(r"[\w+/=-]{20,}")
# What the client's own errors say -> kind, and the reason that is told of it.
_SAID = (
    (r"did not respond in time|deadline exceeded|Client\.Timeout|i/o timeout", "stalled", ""),
    (r"looking for beginning of value|invalid character '<'", "portal", ""),
    (r"x509|certificate|tls:", "certificate", ""),
    (r"no such host|server misbehaving", "unreachable", "its name cannot be resolved"),
    (r"connection refused", "unreachable", "nothing answers there"),
    (r"no route to host|network is unreachable", "unreachable", "there is no way to it"),
    (r"connection reset|\bEOF\b|broken pipe", "unreachable", "the connection broke off"),
    (r"proxyconnect", "unreachable", "the proxy does not answer"),
    (r"service process is not running", "unreachable", "the helper of the wandb package ended"),
    (r"permission denied|access denied", "no_permission", ""),
)


def wandb_fault(kind: str, **facts: object) -> WandbError:
    """Return the error of a kind.

    Parameters
    ----------
    kind : str
        A key of the table above.
    **facts
        What its sentence names.
    """
    what, remedy = _FAULTS[kind]
    return WandbError(kind, sentence(what, facts), remedy)


def explain(said: str, status: int, **facts: object) -> WandbError:
    """Return the fault behind what the client says of a question that failed.

    Parameters
    ----------
    said : str
        Its message; never repeated, but for a status and the first words of an unknown one.
    status : int
        Of the answer; 0 where the client does not tell.
    **facts
        ``where``, ``who`` and ``seconds``.
    """
    found = [int(code) for code in _STATUS.findall(said)]
    status = status or next((code for code in reversed(found) if code >= 400), 0)
    if status in _STATUSES:
        return wandb_fault(_STATUSES[status], **facts)
    if status == 408 or status >= 500:
        return wandb_fault("service_down", reason=f"status {status}", **facts)
    for pattern, kind, reason in _SAID:
        if re.search(pattern, said):
            return wandb_fault(kind, reason=reason, **facts)
    if status:
        return wandb_fault("bad_answer", reason=f"status {status}: {_short(said)}", **facts)
    return wandb_fault("bad_answer", reason=_short(said), **facts)


def _short(said: str) -> str:
    """Cut a foreign message down to a few words without addresses, paths and what may be a key."""
    plain = re.sub(r"https?://\S+|(?<!\w)[/\\][\w./\\-]+", "…", " ".join(said.split()))
    plain = _SECRET.sub("…", plain)
    return plain.rstrip(". ")[:120] or "no reason given"
