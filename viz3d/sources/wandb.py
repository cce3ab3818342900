"""The W&B client: one question at a time, each with a deadline, asked as whoever the key says.

The client sends everything through a helper process of its own (wandb-core), one for all of this
process, which ends with it. That asks again once by itself after a second, or after what
``Retry-After`` says, and slows down as W&B's rate-limit headers say; everything beyond is decided
here, so that it is told and ends in time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from viz3d.errors import WandbError
from viz3d.sources.patience import Deadlines, retry, within
from viz3d.sources.wandb_faults import explain, wandb_fault

if TYPE_CHECKING:
    from viz3d.settings import Settings

HOST = "https://api.wandb.ai"
# The helper of the client begins within a second or so; a slow disk may take longer.
START = 20.0
# Seconds of silence after which the viewer is told.
SILENT = 2.0
# What the client says, or raises, when its helper is gone.
HELPER_ENDED = "service process is not running"
GONE = ("MailboxClosedError", "HandleAbandonedError")
_VIEWER = "query Viewer { viewer { username } }"

_helper_lock = threading.Lock()


class Client:
    """Asks W&B.

    Parameters
    ----------
    settings : Settings
    where : str
        What is asked about, for messages.
    tell : callable
        Is told, on any thread, of each further try.
    """

    def __init__(self, settings: Settings, where: str, tell: Callable[[str], None]) -> None:
        self.deadlines = Deadlines(answer=10.0).scaled(settings.patience)
        self.who = "This key"
        self._settings, self._where, self._tell = settings, where, tell
        self._lock = threading.Lock()
        self._service: Any = None
        self._connection: Any = None

    @property
    def host(self) -> str:
        """Address of the service: that of WANDB_BASE_URL, or W&B's own."""
        return os.environ.get("WANDB_BASE_URL", "").rstrip("/") or HOST

    def identify(self) -> str:
        """Ask who we are, once, and return it in words.

        Raises
        ------
        WandbError
        """
        if self.who == "This key":
            viewer = self.ask(_VIEWER).get("viewer")
            if not viewer:
                raise wandb_fault("refused_login")
            self.who = f"the W&B user {viewer.get('username') or '(without a name)'}"
        return self.who

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask one GraphQL question; all tries together take `Deadlines.answer` at most.

        Parameters
        ----------
        query : str
        **variables
            Of the query.

        Returns
        -------
        dict
            What stands under ``data``.

        Raises
        ------
        WandbError
        """
        self._open()
        last: list[WandbError] = []

        def once(left: float) -> dict[str, Any]:
            try:
                self._open()
                return self._once(query, variables, left)
            except WandbError as error:
                # That a further try took too long tells less than why it was needed.
                why = last[-1] if error.kind == "stalled" and last else error
                last.append(why)
                raise why from error

        return retry(once, self.deadlines, self._tell)

    def _once(self, query: str, variables: dict[str, Any], left: float) -> dict[str, Any]:
        """Ask once; `left` is what remains of the deadline, in seconds."""
        facts = {"where": self._where, "who": self.who, "seconds": self.deadlines.answer}
        began = monotonic()
        silent = f"{self._where} has not answered for {SILENT:g} s …"
        timer = threading.Timer(SILENT, self._tell, [silent])
        timer.daemon = True
        timer.start()
        service, connection = self._service, self._connection
        try:
            answer = service.execute_graphql(query, variables, timeout=max(left, 0.1))
        except (ValueError, TypeError, RecursionError) as error:
            raise wandb_fault("bad_answer", reason="it is no JSON", **facts) from error
        except Exception as error:  # the helper is another program, and has errors of many kinds
            response = getattr(error, "response", None)
            status = int(getattr(response, "http_status", 0) or 0)
            facts["seconds"] = round(monotonic() - began, 1)
            said = str(error)
            if HELPER_ENDED in said or isinstance(error, OSError) or type(error).__name__ in GONE:
                said = HELPER_ENDED
                self._start_anew(connection)
            raise explain(said, status, **facts) from None  # which may hold an address
        finally:
            timer.cancel()
        if not isinstance(answer, dict):
            raise wandb_fault("bad_answer", reason="it is no object", **facts)
        return answer

    def _open(self) -> None:
        """Load the client and its helper, once."""
        with self._lock:
            if self._service is None:
                late = wandb_fault(
                    "unreachable", where=self._where, reason="the wandb package does not start"
                )
                self._service = within(START, self._connect, late)

    def _connect(self) -> Any:
        """Load the package and open its connection, as whoever the settings or its login say."""
        # Neither faults nor usage are reported to W&B: what is read here is nobody else's business.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        try:
            return self._service_of_package()
        except ModuleNotFoundError as error:
            if error.name == "wandb":
                raise wandb_fault("not_installed", where=self._where) from None
            raise wandb_fault("other_version", reason=f"it has no {error.name}") from error
        except (ImportError, AttributeError, TypeError) as error:
            raise wandb_fault("other_version", reason=str(error)[:120]) from error
        except ValueError as error:  # which may name what was set, a key even
            raise wandb_fault("bad_setting", name=_setting(error)) from None

    def _service_of_package(self) -> Any:
        from wandb.apis.public.service_api import ServiceApi
        from wandb.errors import AuthenticationError, UsageError
        from wandb.sdk import wandb_setup
        from wandb.sdk.lib import wbauth

        general = wandb_setup.singleton().settings
        host = os.environ.get("WANDB_BASE_URL") or general.base_url
        key = self._settings.wandb_api_key
        try:
            if key:
                auth: Any = wbauth.AuthApiKey(host=host, api_key=key)
            else:
                auth = wbauth.authenticate_session(
                    host=host, source="viz3d", prompt=False, update_session=False
                )
        except (AuthenticationError, UsageError):
            raise wandb_fault("bad_key") from None
        if auth is None:
            raise wandb_fault("no_credentials", where=self._where)
        settings = general.model_copy()
        wbauth.set_auth_settings(settings, auth)
        settings.base_url = auth.host.url
        if isinstance(auth, wbauth.AuthApiKey) and "@" not in settings.base_url:
            # The helper's further try of a question keeps the key of the first one, and a redirect
            # takes it along to another port or to a name below this one. A user in the address,
            # whose place the key takes, makes the helper put it on a copy of each request.
            settings.base_url = settings.base_url.replace("://", "://viz3d@", 1)
        settings.x_graphql_retry_max = 1  # 0 would be taken as not set, which is 20
        settings.x_graphql_retry_wait_min_seconds = settings.x_graphql_retry_wait_max_seconds = 1
        settings.x_graphql_timeout_seconds = self.deadlines.silence
        self._connection = self._helper(wandb_setup.singleton())
        return ServiceApi(settings=settings)

    def _helper(self, setup: Any) -> Any:
        """Return the connection to the helper, which starts if none runs."""
        with _helper_lock:
            try:
                return setup.ensure_service()
            except Exception:  # that of the process that began this one, which is gone
                os.environ.pop("WANDB_SERVICE", None)
            try:
                return setup.ensure_service()
            except Exception as error:
                reason = f"the helper of the wandb package does not start ({type(error).__name__})"
                raise wandb_fault("unreachable", where=self._where, reason=reason) from error

    def _start_anew(self, connection: Any) -> None:
        """Forget the helper that ended, so that the next question starts another one."""
        import wandb
        from wandb.sdk import wandb_setup

        with self._lock, _helper_lock:
            if self._connection is connection:
                self._service = None
            # Another source may have started a new one meanwhile.
            if wandb_setup.singleton()._connection is connection:
                os.environ.pop("WANDB_SERVICE", None)
                with suppress(Exception):  # there is nobody to say good-bye to
                    wandb.teardown()


def _setting(error: ValueError) -> str:
    """Return which setting the package refuses, as far as it tells."""
    try:
        name = str(error.errors()[0]["loc"][0])  # type: ignore[attr-defined]
    except (AttributeError, LookupError, TypeError):
        return "one of the variables WANDB_…"
    return f"WANDB_{name.upper()}"
