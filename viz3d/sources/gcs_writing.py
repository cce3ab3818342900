"""Objects written to Google Cloud Storage, each whole and only over what was seen."""

from __future__ import annotations

from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources.explain import explain, release
from viz3d.sources.gcs_reading import Bucket, info
from viz3d.sources.patience import retry


class WritableBucket(Bucket):
    """A bucket that is written to, with a login that may."""

    _writes = True

    def write(self, name: str, data: bytes, generation: str = "") -> FileInfo | None:
        """Write a whole object if it still is of the generation that was seen.

        The service compares the data with their CRC32C before it keeps them. Where no answer comes
        it is tried again, within the deadline of a question.

        Parameters
        ----------
        name : str
        data : bytes
        generation : str
            Empty where there must be no such object.

        Returns
        -------
        FileInfo or None
            None if it is of another generation, which an earlier try of ours may have written.

        Raises
        ------
        BucketError
        """

        def once(left: float) -> FileInfo | None:
            failure: BucketError | None = None
            try:
                blob = self._connect().bucket(self.name).blob(name)
                blob.upload_from_string(
                    data, content_type="application/octet-stream", checksum="crc32c", retry=None,
                    if_generation_match=int(generation or 0), timeout=self._timeout(left),
                )  # fmt: skip
                return info(blob)
            except Exception as error:
                if getattr(error, "code", None) != 412:
                    failure = explain(error, self._asked)
                release(error)
            if failure is None:
                return None
            if failure.kind == "no_credentials":
                self._client = None  # the next time there may be a login
            try:
                raise failure
            finally:
                del failure

        return retry(once, self.deadlines, self.tell)
