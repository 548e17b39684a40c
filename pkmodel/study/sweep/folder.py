"""The folder of a sweep: whether it may be used, what is in it, and what has happened to it."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import FileError
from .chunks import COURSES, FOLDER, Damage, FolderStore, Store
from .compute import STATUSES
from .durable import TEMPORARY, remove_leftovers
from .manifest import NAME, DamagedManifest, differences, read_manifest, write_manifest
from .plan import Plan

LOG, LOCK = "log.txt", ".lock"
CSV, NPZ = "results.csv", "results.npz"
_OWN = frozenset((NAME, LOG, FOLDER, COURSES, CSV, NPZ))


def check_usable(folder: Path, *, resume: bool) -> None:
    """See that a folder is new or empty, or that of a sweep to go on with; nothing is touched.

    Raises
    ------
    FileError
        It holds something else, or it is not empty and is not to be continued.
    """
    names = _names(folder)
    if names and not resume:
        raise FileError(
            f"{folder} is not empty; name a new folder, or go on with the sweep in it with resume (--resume)"
        )
    if names and NAME not in names:
        raise FileError(f"{folder} is not the folder of a sweep: it has no {NAME}; name another folder")


def _names(folder: Path) -> set[str]:
    """What is in a folder, but for its lock and what a killed process had begun to write."""
    try:
        there = {each.name for each in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise FileError(f"cannot use {folder} as the folder of a sweep: {error.strerror}") from None
    return {each for each in there if each != LOCK and not each.endswith(TEMPORARY)}


def prepare(folder: Path, manifest: dict[str, Any]) -> None:
    """Make a folder that `check_usable` let pass, and that is locked, ready for a sweep.

    Raises
    ------
    FileError
        It holds another sweep.
    """
    for each in (folder, folder / FOLDER, folder / COURSES):
        remove_leftovers(each)
    begun = bool(_names(folder))
    if not begun or not _same(folder, manifest):
        write_manifest(folder, manifest)
    _append(folder, "resumed" if begun else "begun")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes of this machine out of a folder; the lock ends with the process, however that ends.

    Raises
    ------
    FileError
        Another process works in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / LOCK, "w")  # noqa: SIM115  (it closes with the block below)
    except OSError as error:
        raise FileError(f"cannot use {folder} as the folder of a sweep: {error.strerror}") from None
    with file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass  # a system without such locks: two sweeps in one folder would do the same work twice
        except OSError:
            raise FileError(f"another process is at work in {folder}; wait for it, or end it") from None
        yield


def _same(folder: Path, manifest: dict[str, Any]) -> bool:
    """Whether the folder's manifest is that of this sweep; False when it must be written again."""
    try:
        found = read_manifest(folder)
    except DamagedManifest as error:
        foreign = sorted(_names(folder) - _OWN)
        if foreign:  # it may be the manifest of something else
            raise FileError(f"{error}, and {folder} holds {foreign[0]} too, which is no part of a sweep") from None
        warnings.warn(f"{error}; written again", UserWarning, stacklevel=2)
        _append(folder, str(error))
        return False
    other = differences(found, manifest)
    if other:
        raise FileError(
            f"{folder} holds another sweep: {', '.join(other)} differ in its {NAME}; name another folder"
        )
    return True


def check_chunks(plan: Plan, store: Store) -> None:
    """See that no file of another sweep lies among the chunks.

    Raises
    ------
    FileError
        One does, and is named.
    """
    if not isinstance(store, FolderStore):
        return
    for number, names in sorted(store.index().items()):
        known = store.path(number, plan.key(plan.task(number))).name if number < plan.chunks else ""
        for each in names:
            if each != known:
                raise FileError(f"{store.folder / FOLDER / each} belongs to another sweep; name another folder")


def log(store: Store, event: str) -> None:
    """Note what happened, with the time, in the folder's log."""
    if isinstance(store, FolderStore):
        _append(store.folder, event)


def _append(folder: Path, event: str) -> None:
    path = folder / LOG
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {event}\n")
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror}; what was finished before is kept") from None


@dataclass(frozen=True)
class Status:
    """How far a sweep is.

    Attributes
    ----------
    manifest : of the sweep
    chunks, points : finished
    rows : finished rows by status
    damaged : what is wrong with damaged files
    complete : whether the final tables are there
    """

    manifest: Mapping[str, Any]
    chunks: int
    points: int
    rows: Mapping[str, int]
    damaged: tuple[str, ...]
    complete: bool


def status(folder: str | Path) -> Status:
    """Look at the folder of a sweep, also while it runs, and check all its chunks.

    Raises
    ------
    FileError
        It is no folder of a sweep, or its manifest is damaged.
    """
    place = Path(folder)
    manifest = read_manifest(place)
    store = FolderStore(place, tuple(manifest["study"]["times_h"]))
    chunks = points = 0
    rows = dict.fromkeys(STATUSES, 0)
    damaged = []
    for number in range(manifest["chunks"]):
        try:
            found = store.get(number)
        except Damage as damage:
            damaged.append(str(damage))
            continue
        if found is not None:
            chunks, points = chunks + 1, points + found.axes.shape[0]
            for i, name in enumerate(STATUSES):
                rows[name] += int((found.status == i).sum())
    complete = chunks == manifest["chunks"] and all((place / each).is_file() for each in (CSV, NPZ))
    return Status(manifest, chunks, points, rows, tuple(damaged), complete)
