"""The runs of a project on W&B: listed by the page, their whole histories kept, usable offline."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import ServiceError, WandbError
from viz3d.run import FileInfo, Problem
from viz3d.sources.batches import Batches, alone
from viz3d.sources.cache import Cache
from viz3d.sources.globs import matches
from viz3d.sources.kept import KeptSource, open_spare_cache
from viz3d.sources.progress import Meter
from viz3d.sources.wandb import Client
from viz3d.sources.wandb_address import WandbAddress
from viz3d.sources.wandb_faults import wandb_fault
from viz3d.sources.wandb_history import Histories, Packing
from viz3d.sources.wandb_project import ask_run, list_runs, to_files

if TYPE_CHECKING:
    from viz3d.settings import Settings
    from viz3d.sources.progress import Watch


class WandbSource(KeptSource[WandbAddress]):
    """A project, or one run of it; see `viz3d.sources.base.Remote`.

    Parameters
    ----------
    address : WandbAddress
    settings : Settings
    packing : Packing
        The format in which histories are kept.
    """

    def __init__(self, address: WandbAddress, settings: Settings, packing: Packing) -> None:
        self._client = Client(settings, str(address), self._say)
        # Another server may have a project of the same name.
        place = f"{self._client.host} {address.entity}/{address.project}"
        super().__init__(address, settings, "W&B", place)
        self._file = packing.FILE
        self._packing = packing
        self._unkept: dict[Path, WandbError] = {}
        self._batches = Batches(self._bring)

    @property
    def identity(self) -> str:
        """Who we are to W&B; known after the first question."""
        return "" if self._client.who == "This key" else self._client.who

    @property
    def project(self) -> str:
        """The project that is read."""
        return f"{self.address.entity}/{self.address.project}"

    def names(self) -> list[str]:
        """Return nothing: `files` is as fast."""
        return []

    def files(self) -> list[FileInfo]:
        """List the runs, a file for each, newest first; no history is read.

        Where W&B cannot be asked, the last listing is returned if there is one; `as_of` and
        `problems` tell so.

        Raises
        ------
        WandbError
            If the project cannot be listed and never was.
        """
        key = f"{self._place} {self.address.run}"
        try:
            files = self._list()
        except WandbError as error:
            saved = self.cache.load_listing(key)
            if saved is None:
                raise
            return self._saved(saved, error)
        self._as_of = None
        try:
            self.cache.save_listing(key, files, time.time())
        except OSError as error:
            reason = error.strerror or type(error).__name__
            said = f"The listing could not be kept for a time without network: {reason}."
            self._told += (Problem(said, "Set VIZ3D_CACHE_DIR to a folder with space."),)
        return files

    def find(self, pattern: str) -> list[FileInfo]:
        """List the files whose path matches a pattern.

        Raises
        ------
        WandbError
        """
        return [file for file in self.files() if matches(pattern, file.path)]

    def prepare(
        self, files: Sequence[FileInfo], watch: Watch | None = None,
        cancel: threading.Event | None = None,
    ) -> None:  # fmt: skip
        """Read the histories that are not here yet, several at once; the progress counts rows."""
        if self._as_of is not None:
            return
        meter = Meter(cancel, "rows")
        wanted = [self._whole(file) for file in files]
        self._batches.forget(wanted)
        missing = [file for file in wanted if self.cache.find(self._place, file) is None]
        for file in missing:
            meter.plan(file.rows or 0)
        self._batches.bring(missing, meter, watch)

    def fetch(self, file: FileInfo) -> Path:
        """Return the kept history of a run, or the last good one where the new cannot be had.

        Raises
        ------
        WandbError
        """
        whole = self._whole(file)
        path = self._or_older(file, whole, partial(self._brought, whole))
        unkept = self._unkept.get(path)
        if unkept is not None:
            said = f"{unkept.what} It is kept until the program ends."
            self._remarks[file.path] = Problem(said, unkept.remedy, file.path)
        return path

    def problems(self) -> tuple[Problem, ...]:
        """Return what the last listing has to tell."""
        return (*self._told, *self.cache.problems)

    def _list(self) -> list[FileInfo]:
        self._client.identify()
        if self.address.run:
            self._told = ()
            return to_files([ask_run(self._client, self.address, self.address.run)], self._file)
        runs, total = list_runs(self._client, self.address, self._say)
        left_out = total - len(runs)
        said = f"The project has {total:,} runs; the {len(runs):,} newest are listed."
        remedy = f"Open another one by its address, {self.address}/RUN_ID."
        self._told = (Problem(said, remedy),) if left_out > 0 else ()
        return to_files(runs, self._file)

    def _brought(self, file: FileInfo) -> Path:
        self._batches.raise_for(file)
        meter = Meter(unit="rows")
        meter.plan(file.rows or 0)
        return self._bring(file, meter)

    def _bring(self, file: FileInfo, meter: Meter) -> Path:
        with alone(f"{self._place}\0{file.path}"):
            here = self.cache.find(self._place, file)
            if here is not None:
                return here
            if self._as_of is not None:
                raise wandb_fault("offline", name=file.path, where=self.address)
            try:
                return self._histories(self.cache).bring(file, meter)
            except WandbError as error:
                if error.kind not in ("disk_full", "cache_unwritable"):
                    raise
                return self._bring_elsewhere(file, error)

    def _bring_elsewhere(self, file: FileInfo, why: WandbError) -> Path:
        """Bring a history that the cache cannot take into a folder of this process alone."""
        try:
            spare = open_spare_cache()
            meter = Meter(unit="rows")
            path = spare.find(self._place, file) or self._histories(spare).bring(file, meter)
        except ServiceError:
            raise why from None
        self._unkept[path] = why
        return path

    def _histories(self, cache: Cache) -> Histories:
        return Histories(self._client, cache, self.address, self._packing, self._place)

    def _whole(self, file: FileInfo) -> FileInfo:
        """Return `file` under the run's id, which stays when the run is renamed."""
        return replace(file, path=file.key)
