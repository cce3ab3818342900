"""Google Cloud Storage through its own client: the only file that knows `google.cloud`.

The client is used for what it does well: login, requests, listing. Retries, deadlines, checksums
and partial transfers are decided elsewhere, because its own answers to them lose or corrupt files:
it skips the checksum of resumed downloads, ignores ``Retry-After``, and waits for two minutes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import RawIOBase
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources import login
from viz3d.sources.access import Access
from viz3d.sources.checksum import decode
from viz3d.sources.explain import Asked, clock_offset, explain
from viz3d.sources.faults import fault
from viz3d.sources.patience import Deadlines, retry, within

if TYPE_CHECKING:
    from google.cloud.storage import Client

T = TypeVar("T")

FIELDS = "items(name,size,updated,generation,crc32c,contentEncoding),prefixes,nextPageToken"
# Connections kept open: no more downloads than these run at once.
CONNECTIONS = 16
# The most that is read from a connection in one go.
AT_ONCE = 1 << 18


def load() -> None:
    """Load the client's code."""
    import google.auth.transport.requests
    import google.cloud.storage  # noqa: F401


@dataclass(frozen=True)
class Listing:
    """One level of a bucket: its objects and the prefixes of the next."""

    files: tuple[FileInfo, ...]
    folders: tuple[str, ...]


class Bucket:
    """One bucket.

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

    def level(self, prefix: str) -> Listing:
        """List the objects right under a prefix, and the prefixes of the next level.

        Raises
        ------
        BucketError
        """
        return self._list(prefix=prefix, delimiter="/")

    def match(self, glob: str, prefix: str = "") -> list[FileInfo]:
        """List the objects whose whole name matches a glob.

        Raises
        ------
        BucketError
        """
        return list(self._list(prefix=prefix, match_glob=glob).files)

    def stat(self, name: str) -> FileInfo | None:
        """Return the present state of an object, or None where there is none.

        Raises
        ------
        BucketError
        """
        # A listing of one name: it needs no right beyond that to list.
        page, _ = self._ask(
            lambda client, left: self._page(client, None, left, prefix=name, limit=1)
        )
        return next((file for file in page.files if file.path == name), None)

    def read(self, file: FileInfo, start: int, sink: RawIOBase, left: float) -> None:
        """Read the stored bytes of one generation into `sink`, from `start` on: one try.

        What arrives is not checked here; an answer may even be of the wrong length.

        Parameters
        ----------
        file : FileInfo
            With the full name of the object as its path.
        start : int
            Bytes that are there already.
        sink : binary file
        left : float
            Seconds to wait for the answer to begin; within it, `Deadlines.silence` holds.

        Raises
        ------
        BucketError
            Also what the sink raises, if it is one.
        """
        asked = replace(self._asked, name=file.path)
        try:
            with self._media(file, start, left) as answer:
                while block := answer.raw.read1(AT_ONCE, decode_content=False):
                    sink.write(block)
        except OSError as error:
            if _is_disk(error):
                raise
            raise explain(error, asked) from error
        except Exception as error:
            raise explain(error, asked) from error

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

    def buckets(self) -> list[str]:
        """Return the names of the project's buckets; empty where they cannot be listed."""
        try:
            client = self._connect()
            if not self.project or self.identity == login.ANONYMOUS:
                return []
            return within(
                self.deadlines.refused,
                lambda: [
                    str(bucket.name)
                    for bucket in client.list_buckets(
                        project=self.project, fields="items(name)", retry=None,
                        timeout=self._timeout(self.deadlines.refused), max_results=1000,
                    )
                ],
                self._asked.where,
            )  # fmt: skip
        except Exception:  # a hint that cannot be had is left out
            return []

    def _list(self, **what: Any) -> Listing:
        """List every page; each is a question of its own, with a deadline of its own."""
        files: list[FileInfo] = []
        folders: list[str] = []
        token: str | None = None
        while True:
            page, token = self._ask(
                lambda client, left, token=token: self._page(client, token, left, **what)  # type: ignore[misc]
            )
            files += page.files
            folders += page.folders
            if not token:
                return Listing(tuple(files), tuple(sorted(set(folders))))

    def _page(
        self,
        client: Client,
        token: str | None,
        left: float,
        *,
        limit: int | None = None,
        **what: Any,
    ) -> tuple[Listing, str | None]:
        found = client.list_blobs(
            self.name, page_token=token, fields=FIELDS, max_results=limit, retry=None,
            timeout=self._timeout(left), **what,
        )  # fmt: skip
        page = next(found.pages, ())
        files = tuple(info(blob) for blob in page)
        return Listing(files, tuple(found.prefixes)), None if limit else found.next_page_token

    def _ask(self, ask: Callable[[Client, float], T]) -> T:
        """Ask one question, with retries, within its deadline."""

        def once(left: float) -> T:
            try:
                return ask(self._connect(), left)
            except Exception as error:
                self.last_fault = found = explain(error, self._asked)
                if self._without_login(found):
                    return self._once_without_login(ask, left, found)
                raise self._with_nearest(found) from error

        self.load()
        self.last_fault = None
        # Room for the threads themselves: the question's own deadline comes first.
        longest = self.deadlines.answer + max(self.deadlines.first, 1.0)
        return within(longest, lambda: retry(once, self.deadlines, self.tell), self._asked.where)

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

    def _with_nearest(self, found: BucketError) -> BucketError:
        """Add to a missing bucket the names that come closest."""
        if found.kind != "no_bucket":
            return found
        import difflib

        near = difflib.get_close_matches(self.name, self.buckets(), n=3, cutoff=0.5)
        names = f" Closest in your project: {', '.join(near)}." if near else ""
        return fault("no_bucket", bucket=self.name, nearest=names)

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


def info(blob: Any) -> FileInfo:
    """Return what the service says of an object."""
    return FileInfo(
        path=blob.name,
        size=int(blob.size or 0),
        changed=blob.updated.timestamp() if blob.updated else None,
        generation=str(blob.generation or ""),
        crc32c=decode(blob.crc32c),
        encoding=(blob.content_encoding or "").lower(),
    )


def _is_disk(error: OSError) -> bool:
    """Say whether an error came from our sink and not from the network."""
    import errno

    disk = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS)
    return error.errno in disk and type(error) is OSError
