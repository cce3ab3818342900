"""From an exception of the storage client to one of the faults that people are told.

The client, its login library, requests and urllib3 each have a tree of exceptions of their own, and
wrap one another. They are told apart by name and status here, so that none of them is imported.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from viz3d.errors import BucketError
from viz3d.sources.access import ANONYMOUS
from viz3d.sources.faults import fault

Say = Callable[[BaseException, str, "Asked"], BucketError]

_PROJECT = re.compile(r"\bproject\b|billing|quota|accessNotConfigured", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+")
# Seconds by which a clock may be off before Google refuses what it signs.
CLOCK_TOLERANCE = 300


@dataclass(frozen=True)
class Asked:
    """What was asked for, for the sentences.

    Attributes
    ----------
    where : str
        Address of the bucket or of the folder in it.
    bucket : str
    who : str
        The login, in words.
    project : str
    key : str
        Name of the key file, without its folder.
    name : str
        The object; empty for a listing.
    silence : float
        Seconds without a byte after which an answer counts as stalled.
    clock : float
        Seconds by which this computer's clock is ahead of Google's, where an answer told.
    writing : bool
        Whether it was to be written.
    """

    where: str
    bucket: str
    who: str = "this login"
    project: str = ""
    key: str = "file"
    name: str = ""
    silence: float = 10.0
    clock: float = 0.0
    writing: bool = False


def explain(error: BaseException, asked: Asked) -> BucketError:
    """Return the fault behind an exception.

    Parameters
    ----------
    error : BaseException
    asked : Asked

    Returns
    -------
    BucketError
        `after` is set where the answer held a ``Retry-After``.

    Raises
    ------
    NameError, ImportError, AssertionError, MemoryError
        A fault of the program is not dressed up as one of the network.
    """
    if isinstance(error, NameError | ImportError | AssertionError | MemoryError):
        raise error
    for cause in _causes(error):
        if isinstance(cause, BucketError):
            return cause
    for cause in _causes(error):
        found = _by_status(cause, asked) or _by_name(cause, asked)
        if found is not None:
            return found
    return fault("bad_answer", where=asked.where, reason=_reason(error))


def release(error: BaseException) -> None:
    """Free what the frames behind a handled exception hold, such as the data that was to be sent.

    They hold the exception as well, so only the garbage collector would; training loops switch it
    off.
    """
    for cause in _causes(error):
        traceback.clear_frames(cause.__traceback__)
        cause.__traceback__ = None


def looks_like_page(text: str | bytes) -> bool:
    """Say whether an answer is a web page, as a network's login page is."""
    start = text[:200]
    if isinstance(start, bytes):
        start = start.decode("latin-1")
    return bool(re.match(r"\s*<(!doctype html|html|head|body)", start, re.IGNORECASE))


def clock_offset(date: str | None, now: float) -> float:
    """Return the seconds by which `now` is ahead of a ``Date`` header; 0 where there is none."""
    try:
        return now - parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError):
        return 0.0


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and what it wraps, innermost last."""
    seen: set[int] = set()
    left: list[object] = [error]
    while left:
        cause = left.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        left += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def _by_status(error: BaseException, asked: Asked) -> BucketError | None:
    """Explain an answer that has a status."""
    status = getattr(error, "code", None)
    if not isinstance(status, int):
        return None
    response = getattr(error, "response", None)
    said = _ADDRESS.sub("…", str(getattr(error, "message", "") or error))
    if looks_like_page(getattr(response, "content", None) or b""):
        return fault("portal", where=asked.where)
    if status == 429:
        found = fault("too_many_requests", where=asked.where)
    elif status == 408 or status >= 500:
        found = fault("service_down", where=asked.where, reason=f"status {int(status)}")
    else:
        return _refused(int(status), said, asked)
    headers = getattr(response, "headers", {})
    found.after = _seconds(headers.get("Retry-After"))
    return found


def _refused(status: int, said: str, asked: Asked) -> BucketError | None:
    """Explain an answer that says no."""
    found: BucketError | None = None
    if status in (401, 403) and asked.who == ANONYMOUS:
        found = fault("no_credentials", where=asked.where)
    elif status == 401:
        found = _clock(asked) or fault("refused_login", who=asked.who)
    elif status == 400 and "glob" in said.lower():
        found = fault("bad_pattern", reason=_short(said))
    elif status in (400, 403) and _PROJECT.search(said) and "storage.objects" not in said:
        project = asked.project or "of this login"
        found = fault("wrong_project", project=project, where=asked.where, reason=_short(said))
    elif status == 403:
        kind = "no_write_permission" if asked.writing else "no_permission"
        found = fault(kind, who=asked.who, where=asked.where)
    elif status == 404 and (not asked.name or "bucket does not exist" in said):
        found = fault("no_bucket", bucket=asked.bucket, nearest="")
    elif status == 404:
        found = fault("deleted", name=asked.name, where=asked.where)
    elif status in (304, 412, 416) and asked.name:
        found = fault("changed", name=asked.name, where=asked.where)
    return found


def _by_name(error: BaseException, asked: Asked) -> BucketError | None:
    """Explain an exception that comes without a status."""
    name, said = type(error).__name__, str(error)
    for names, say in _NAMED:
        if any(part in name for part in names):
            return say(error, said, asked)
    return None


def _anonymous(_: BaseException, __: str, asked: Asked) -> BucketError:
    # An anonymous login that is asked to renew itself raises an error of its own.
    return fault("no_credentials", where=asked.where)


def _no_json(error: BaseException, _: str, asked: Asked) -> BucketError:
    if looks_like_page(getattr(error, "doc", "")):
        return fault("portal", where=asked.where)
    return fault("bad_answer", where=asked.where, reason="it is no JSON")


def _unsafe(_: BaseException, said: str, asked: Asked) -> BucketError:
    stale = "not yet valid" in said or "expired" in said
    reason = "out of date by this computer's clock" if stale else "not trusted"
    return fault("certificate", where=asked.where, reason=f"its certificate is {reason}")


def _silent(_: BaseException, __: str, asked: Asked) -> BucketError:
    return fault("stalled", where=asked.where, seconds=asked.silence)


def _unreachable(reason: str) -> Say:
    return lambda _, __, asked: fault("unreachable", where=asked.where, reason=reason)


def _dropped(_: BaseException, __: str, asked: Asked) -> BucketError:
    return fault("dropped", where=asked.where)


def _login(error: BaseException, said: str, asked: Asked) -> BucketError:
    """Explain why the login could not be renewed."""
    if looks_like_page(said):
        return fault("portal", where=asked.where)
    if "Invalid JWT" in said and "reasonable timeframe" in said:
        return _clock(asked) or fault("clock", by="")
    if "Invalid JWT" in said or re.search(r"(invalid|unauthorized|deleted)_client|not found", said):
        return fault("bad_key_file", key=asked.key, reason="Google does not know it any more")
    if "invalid_grant" in said or "invalid_rapt" in said or "Reauthentication" in said:
        return _clock(asked) or fault("expired_login")
    # Behind the sentence the answer itself may follow.
    sentence = str(error.args[0]) if error.args else ""
    return fault("token_service", reason=_short(sentence) or "no reason given")


def _clock(asked: Asked) -> BucketError | None:
    if abs(asked.clock) < CLOCK_TOLERANCE:
        return None
    minutes = abs(asked.clock) / 60
    size = f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
    return fault("clock", by=f" ({size} {'ahead' if asked.clock > 0 else 'behind'})")


def _key(_: BaseException, said: str, asked: Asked) -> BucketError:
    """Explain why there is no login at all."""
    if "default credentials were not found" in said or "automatically determine" in said:
        return fault("no_credentials", where=asked.where)
    # Of a field that is missing it says that it "was not found", too.
    reasons = {"File .* was not found": "it is not there", ".*not a valid json": "it is no JSON"}
    found = (reason for pattern, reason in reasons.items() if re.match(pattern, said))
    return fault("bad_key_file", key=asked.key, reason=next(found, "it is no Google key"))


def _seconds(text: str | None) -> float | None:
    """Read a ``Retry-After`` header of seconds; one with a date is left aside."""
    return float(text) if text and re.fullmatch(r"\d+(\.\d+)?", text.strip()) else None


def _reason(error: BaseException) -> str:
    return _short(str(error)) or type(error).__name__


def _short(said: str) -> str:
    """Cut a foreign message down to its first sentence; addresses and paths stay out of it."""
    try:
        document = json.loads(said)
        said = str(document["error"]["message"])
    except (ValueError, KeyError, TypeError):
        pass
    said = re.sub(r"(?<!\w)[/\\][\w./\\-]+", "…", _ADDRESS.sub("…", " ".join(said.split())))
    return re.split(r"(?<=[a-z)])\. ", said)[0].rstrip(". ")[:120]


# Parts of an exception's name -> what it means; the first that fits counts.
_NAMED: tuple[tuple[tuple[str, ...], Say], ...] = (
    (("RefreshError", "OAuthError"), _login),
    (("InvalidOperation",), _anonymous),
    (("DefaultCredentialsError", "MalformedError"), _key),
    (("JSONDecodeError",), _no_json),
    (("SSL", "CertificateError"), _unsafe),
    (("ReadTimeout",), _silent),
    (("NameResolution", "gaierror"), _unreachable("its name cannot be resolved")),
    (("ConnectTimeout",), _unreachable("it does not answer")),
    (("NewConnectionError", "ConnectionRefused"), _unreachable("nothing answers there")),
    (("ProxyError",), _unreachable("the proxy does not answer")),
    (
        (
            "ProtocolError", "ChunkedEncoding", "ConnectionReset", "ConnectionAborted",
            "BrokenPipe", "IncompleteRead", "RemoteDisconnected", "BadStatusLine",
            "ContentDecoding",
        ),
        _dropped,
    ),
)  # fmt: skip
