"""Chunks as bytes and as files: each carries the key of its inputs and a checksum, so that damage is always seen."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ...errors import FileError
from ...model.problem import Array
from .durable import sync_folder, write_whole

MAGIC = b"pkmodel-sweep-chunk-1"
KEY_SHOWN = 20
FOLDER, COURSES = "chunks", "courses"


@dataclass(frozen=True, eq=False)
class Chunk:
    """Results of a range of points.

    Attributes
    ----------
    key : content hash of the inputs
    start : number of the first point
    axes : values of the axes, (points, k); of an axis of names the number of the name
    values : the numbers, (rows, columns); rows are points, or points and subjects
    status : 0 ok, 1 refused, 2 failed, (rows,)
    reasons : why there is no number, or what is missing, one text a row
    courses : full courses by name, (rows, times); empty when none were asked for
    """

    key: str
    start: int
    axes: Array
    values: Array
    status: np.ndarray
    reasons: tuple[str, ...]
    courses: Mapping[str, Array] = field(default_factory=dict)

    @classmethod
    def of(cls, key: str, start: int, rows: Array, result: Mapping[str, Any]) -> Chunk:
        """Make a chunk of what `compute` returns."""
        values, status = np.asarray(result["values"]), np.asarray(result["status"])
        return cls(key, start, rows, values, status, tuple(result["reasons"]), result["courses"])


class Damage(Exception):
    """A chunk's bytes are not what was written; the message says in what way."""


def pack(chunk: Chunk, courses_sha256: str | None = None) -> bytes:
    """Return a chunk as bytes, the same for equal content; courses stand in a file of their own."""
    texts = list(dict.fromkeys(chunk.reasons))
    which = {text: i for i, text in enumerate(texts)}
    head = {
        "key": chunk.key,
        "start": chunk.start,
        "axes": list(chunk.axes.shape),
        "values": list(chunk.values.shape),
        "reasons": texts,
        "courses_sha256": courses_sha256,
    }
    body = json.dumps(head, sort_keys=True).encode() + b"\n"
    body += np.ascontiguousarray(chunk.status, dtype="u1").tobytes()
    body += np.array([which[each] for each in chunk.reasons], dtype="<i4").tobytes()
    body += np.ascontiguousarray(chunk.axes, dtype="<f8").tobytes()
    body += np.ascontiguousarray(chunk.values, dtype="<f8").tobytes()
    return b"%s %s %d\n" % (MAGIC, hashlib.sha256(body).hexdigest().encode(), len(body)) + body


def unpack(content: bytes, key: str | None = None) -> tuple[Chunk, str | None]:
    """Return the chunk of `pack`, and the checksum of its courses.

    Raises
    ------
    Damage
        Length, checksum or key are not right.
    """
    first, _, body = content.partition(b"\n")
    parts = first.split(b" ")
    if len(parts) != 3 or parts[0] != MAGIC:
        raise Damage("it does not begin like a chunk")
    if parts[2] != b"%d" % len(body):
        raise Damage(f"it has {len(body)} bytes, not those it was written with")
    if hashlib.sha256(body).hexdigest().encode() != parts[1]:
        raise Damage("its checksum is wrong")
    line, _, rest = body.partition(b"\n")
    head = json.loads(line)
    if key is not None and head["key"] != key:
        raise Damage("it belongs to other inputs")
    rows = head["values"][0]
    status = np.frombuffer(rest, "u1", rows)
    which = np.frombuffer(rest, "<i4", rows, offset=rows)
    place = 5 * rows
    axes = np.frombuffer(rest, "<f8", int(np.prod(head["axes"])), offset=place).reshape(head["axes"])
    values = np.frombuffer(rest, "<f8", int(np.prod(head["values"])), offset=place + axes.nbytes)
    reasons = tuple(head["reasons"][i] for i in which)
    chunk = Chunk(head["key"], head["start"], axes, values.reshape(head["values"]), status, reasons)
    return chunk, head["courses_sha256"]


class Store(Protocol):
    """Where chunks are kept."""

    def get(self, number: int, key: str | None = None) -> Chunk | None:
        """Return a chunk (of a key), None when it is not there; raise `Damage` when it is not what was written."""

    def put(self, number: int, chunk: Chunk) -> None:
        """Keep a chunk."""


class MemoryStore:
    """Chunks of a small sweep without a folder."""

    def __init__(self) -> None:
        self._kept: dict[int, Chunk] = {}

    def get(self, number: int, key: str | None = None) -> Chunk | None:
        """Return a chunk, None when it is not there."""
        found = self._kept.get(number)
        return found if found is not None and key in (None, found.key) else None

    def put(self, number: int, chunk: Chunk) -> None:
        """Keep a chunk."""
        self._kept[number] = chunk


class FolderStore:
    """Chunks as files ``chunks/NUMBER-KEY.chunk`` of a sweep's folder, courses as ``courses/NUMBER.npz``."""

    def __init__(self, folder: Path, times_h: tuple[float, ...] = ()) -> None:
        self.folder, self.times_h = folder, times_h
        self._index: dict[int, list[str]] | None = None

    def make(self) -> None:
        """Make the folders that hold the files."""
        try:
            for each in (FOLDER, COURSES) if self.times_h else (FOLDER,):
                (self.folder / each).mkdir(exist_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            raise FileError(f"cannot write {error.filename}: {error.strerror}") from None

    def path(self, number: int, key: str) -> Path:
        """File of a chunk."""
        return self.folder / FOLDER / f"{number:06d}-{key[:KEY_SHOWN]}.chunk"

    def courses_path(self, number: int) -> Path:
        """File of a chunk's courses."""
        return self.folder / COURSES / f"{number:06d}.npz"

    def index(self) -> dict[int, list[str]]:
        """Names of the files of every chunk that is there; more than one only where two sweeps were mixed."""
        if self._index is None:
            self._index = {}
            for each in (self.folder / FOLDER).glob("*-*.chunk"):
                number = each.name.partition("-")[0]
                if number.isdecimal():
                    self._index.setdefault(int(number), []).append(each.name)
        return self._index

    def get(self, number: int, key: str | None = None) -> Chunk | None:
        """Return a chunk without its courses, None when it is not there; raise `Damage` when it is damaged."""
        if key is not None:
            path = self.path(number, key)
        else:
            names = sorted(self.index().get(number, []))
            if len(names) > 1:
                raise Damage(f"{self.folder / FOLDER / names[1]} and {names[0]} cannot belong to one sweep")
            if not names:
                return None
            path = self.folder / FOLDER / names[0]
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Damage(f"{path} cannot be read: {error.strerror}") from None
        try:
            chunk, sha = unpack(content, key)
            if not path.name.endswith(f"-{chunk.key[:KEY_SHOWN]}.chunk"):
                raise Damage("it belongs to other inputs")
        except Damage as damage:
            raise Damage(f"{path} is damaged: {damage}") from None
        if sha is not None:
            self._check_courses(self.courses_path(number), sha)
        return chunk

    def _check_courses(self, path: Path, sha: str) -> None:
        try:
            right = hashlib.sha256(path.read_bytes()).hexdigest() == sha
        except OSError as error:
            raise Damage(f"{path} cannot be read: {error.strerror}") from None
        if not right:
            raise Damage(f"{path} is damaged: its checksum is wrong")

    def put(self, number: int, chunk: Chunk) -> None:
        """Write a chunk; its courses first, so that a chunk that is there is complete."""
        sha = None
        if chunk.courses:
            content = self._courses(chunk)
            write_whole(self.courses_path(number), content)
            sha = hashlib.sha256(content).hexdigest()
        write_whole(self.path(number, chunk.key), pack(chunk, sha))
        self._index = None

    def _courses(self, chunk: Chunk) -> bytes:
        rows, points = chunk.values.shape[0], chunk.axes.shape[0]
        each = rows // points
        buffer = io.BytesIO()
        where: dict[str, Any] = {"point": chunk.start + np.repeat(np.arange(points), each)}
        if each > 1:
            where["subject"] = np.tile(np.arange(each), points)
        arrays: dict[str, Any] = {"time_h": np.array(self.times_h), **where, **chunk.courses}
        np.savez(buffer, **arrays)
        return buffer.getvalue()
