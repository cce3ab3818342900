"""Google Cloud Storage through its own client: the only file that knows `google.cloud`.

The client is used for what it does well: login, requests, listing. Retries, deadlines, checksums
and partial transfers are decided elsewhere, because its own answers to them lose or corrupt files:
it skips the checksum of resumed downloads, ignores ``Retry-After``, and waits for two minutes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources import login
from viz3d.sources.access import Access
from viz3d.sources.explain import Asked, clock_offset, explain
from viz3d.sources.patience import Deadlines

if TYPE_CHECKING:
    from google.cloud.storage import Client

T = TypeVar("T")

# Connections kept open: no more downloads than these run at once.
CONNECTIONS = 16


def load() -> None:
    """Load the client's code."""
    import google.auth.transport.requests
    import google.cloud.storage  # noqa: F401


class Connection:
    """A login, a client and its transport, for one bucket.

    The login is looked for at the first question. One that Google does not take is tried without,
    since a public bucket opens for everybody; if that fails too, the login's fault is raised.

    Parameters
    ----------
    name : str
        A legal bucket name: the client does not quote it.
    access : Access
    deadlines : Deadlines
    where : str
        The address for messages.
    tell : callable, optional
        Is told, on a thread of ours, when something is tried again.
    """

    _writes = False  # whether the login is asked for that may write

    def __init__(
        self, name: str, access: Access, deadlines: Deadlines, where: str = "",
        tell: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self.name, self.deadlines, self.tell = name, deadlines, tell
        self._access = access
        self._asked = Asked(
            where or f"gs://{name}", name, key=access.key_name, silence=deadlines.silence,
            writing=self._writes,
        )  # fmt: skip
        self._client: Client | None = None
        self._session: Any = None
        self._auth_request: Any = None
        self._lock = Lock()
        self.notice: BucketError | None = None
        # When an answer came last (monotonic), and what went wrong since.
        self.last_answer = 0.0
        self.last_fault: BucketError | None = None

    @property
    def identity(self) -> str:
        """Who we are to the service, in words; known after the first question."""
        return self._asked.who

    @property
    def project(self) -> str:
        """The project of the login or the setting; empty where there is none."""
        return self._asked.project or self._access.project

    def load(self) -> None:
        """Load the client's code, which takes a second and is no fault of the network."""
        load()

    def _media(self, file: FileInfo, start: int, left: float) -> Any:
        """Ask for the stored bytes, on the client's own transport.

        The client's download methods take 8 kB at a time, which costs more than the network: with
        larger blocks the same transport is twice as fast (``benchmarks/bucket_download.py``).
        """
        from google.api_core.exceptions import from_http_response

        client = self._connect()
        which = f"&generation={quote(file.generation, safe='')}" if file.generation else ""
        url = (
            f"{client.api_endpoint}/download/storage/v1/b/{self.name}/o/"
            f"{quote(file.path, safe='')}?alt=media{which}"
        )
        headers = {"Accept-Encoding": "gzip"} | ({"Range": f"bytes={start}-"} if start else {})
        answer = self._get(url, headers, self._timeout(left))
        if answer.status_code not in (200, 206):
            with answer:
                raise from_http_response(answer)
        return answer

    def _get(self, url: str, headers: dict[str, str], timeout: tuple[float, float]) -> Any:
        """Ask the transport's adapter, and the whole session where more than one answer is needed.

        For small objects, what a session does about cookies, redirects and the settings of each
        request costs as much as the request.
        """
        from requests import PreparedRequest

        session = self._session
        request = PreparedRequest()
        request.method, request.url = "GET", url
        request.headers = session.headers.copy()
        request.headers.update(headers)
        session.credentials.before_request(self._auth_request, "GET", url, request.headers)
        answer = session.get_adapter(url).send(
            request, stream=True, timeout=timeout, verify=session.verify, cert=session.cert,
            proxies=session.proxies,
        )  # fmt: skip
        self._note_answer(answer)
        if answer.is_redirect or answer.status_code == 401:
            answer.close()
            return session.get(url, headers=headers, stream=True, timeout=timeout)
        return answer

    def _without_login(self, found: BucketError) -> bool:
        of_login = ("expired_login", "bad_key_file", "refused_login", "clock")
        return found.kind in of_login and self.identity != login.ANONYMOUS

    def _once_without_login(
        self, ask: Callable[[Client, float], T], left: float, found: BucketError
    ) -> T:
        """Try a bucket that may be open to everyone; the login's own fault counts if it is not."""
        client, session = self._make_client(login.anonymous(), None)
        try:
            answer = ask(client, left)
        except Exception:  # whatever it is, the login is what has to be mended
            raise found from None
        self._client, self._session = client, session
        self._asked = replace(self._asked, who=login.ANONYMOUS)
        self.notice = found
        return answer

    def _timeout(self, left: float) -> tuple[float, float]:
        shortest = self.deadlines.connect / 10
        return (
            max(min(self.deadlines.connect, left), shortest),
            max(min(self.deadlines.silence, left), shortest),
        )

    def _connect(self) -> Client:
        """Return the client; the login is found once."""
        with self._lock:
            if self._client is None:
                try:
                    credentials, project = login.credentials(self._access, writes=self._writes)
                except Exception as error:
                    found = explain(error, self._asked)
                    if found.kind != "no_credentials":
                        raise found from error
                    credentials, project = login.anonymous(), None
                self._asked = replace(
                    self._asked,
                    who=login.identity(credentials),
                    project=self._access.project or project or "",
                )
                self._client, self._session = self._make_client(credentials, self._asked.project)
            return self._client

    def _make_client(self, credentials: Any, project: str | None) -> tuple[Client, Any]:
        """Return a client and the transport that it was given."""
        # The client asks for the bucket's own description behind our back, for traces that nobody
        # here collects; this is its documented switch.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        from google.auth.transport.requests import AuthorizedSession
        from google.cloud.storage import Client
        from requests import Session
        from requests.adapters import HTTPAdapter

        self._auth_request = login.bounded(
            Session(), self.deadlines.login, self._asked, self._note_answer
        )
        session = AuthorizedSession(credentials, auth_request=self._auth_request)
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS, max_retries=0))
        session.hooks["response"].append(self._note_answer)
        options = {"api_endpoint": self._access.endpoint} if self._access.endpoint else None
        client = Client(
            project=project or "<none>", credentials=credentials, client_options=options,
            _http=session,
        )  # fmt: skip
        # Proxies and certificates are looked up in the environment once: for each of a thousand
        # small files again, that is a fifth of the work. And no netrc speaks for the login.
        found = session.merge_environment_settings(client.api_endpoint, {}, None, None, None)
        session.proxies, session.verify, session.cert = (
            found["proxies"],
            found["verify"],
            found["cert"],
        )
        session.trust_env = False
        return client, session

    def _note_answer(self, response: Any, *_: Any, **__: Any) -> None:
        # The transport of the login calls it `status`.
        if getattr(response, "status_code", 0) == 200:
            self.last_answer, self.last_fault = monotonic(), None
        offset = clock_offset(response.headers.get("Date"), time.time())
        self._asked = replace(self._asked, clock=offset)
