"""What a bucket of Google Cloud Storage is asked: to list its objects, and for the bytes of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import RawIOBase
from typing import TYPE_CHECKING, Any, TypeVar

from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources import login
from viz3d.sources.checksum import decode
from viz3d.sources.explain import explain
from viz3d.sources.faults import fault
from viz3d.sources.gcs import Connection
from viz3d.sources.patience import retry, within

if TYPE_CHECKING:
    from google.cloud.storage import Client

T = TypeVar("T")

FIELDS = "items(name,size,updated,generation,crc32c,contentEncoding),prefixes,nextPageToken"
# The most that is read from a connection in one go.
AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Listing:
    """One level of a bucket: its objects and the prefixes of the next."""

    files: tuple[FileInfo, ...]
    folders: tuple[str, ...]


class Bucket(Connection):
    """One bucket, of which the login is looked for at the first question."""

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

    def _with_nearest(self, found: BucketError) -> BucketError:
        """Add to a missing bucket the names that come closest."""
        if found.kind != "no_bucket":
            return found
        import difflib

        near = difflib.get_close_matches(self.name, self.buckets(), n=3, cutoff=0.5)
        names = f" Closest in your project: {', '.join(near)}." if near else ""
        return fault("no_bucket", bucket=self.name, nearest=names)


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
