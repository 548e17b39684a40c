"""The manifest of a sweep's folder: which sweep it is, with what versions, from which inputs and sources."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...errors import FileError
from ...inputs import library
from ...inputs.plain import to_plain
from ...inputs.record import Row
from .durable import write_whole
from .plan import Plan

NAME = "manifest.json"
CHECKSUM = "sha256"
# Recorded, but without influence on the numbers.
_FREE = ("python", CHECKSUM)
_FOLLOWING = ("borders", "chunk_points", "chunks", "columns", "inputs", "rows_a_point", "sources", "study")


class DamagedManifest(FileError):
    """A manifest is not what was written."""


def manifest_of(plan: Plan) -> dict[str, Any]:
    """All that stands in the manifest of a sweep."""
    study = json.loads(plan.study)
    rows = list(plan.scenario.rows())
    return {
        "pkmodel": __version__,
        "python": platform.python_version(),
        "numpy": study.pop("numpy"),
        "scipy": study.pop("scipy"),
        "code": study.pop("code"),
        "block": study["block"],
        "chunk_points": plan.chunk_points,
        "chunks": plan.chunks,
        "borders": "chunk i holds the points from i * chunk_points up to (i + 1) * chunk_points, in design order",
        "design": plan.design.as_dict(),
        "axes": [axis.as_dict() for axis in plan.design.axes],
        "rows_a_point": plan.scenario.size if plan.subjects else 1,
        "columns": [{"name": name, "unit": plan.unit(name)} for name in plan.value_columns()],
        "study": study,
        "inputs": {path: _input(row) for path, *row in rows},
        "sources": sources_of(rows),
    }


def _input(row: list[Any]) -> dict[str, Any]:
    value, unit, origin = row
    found: dict[str, Any] = {"value": to_plain(value), "unit": unit}
    if isinstance(value, np.ndarray):  # every value stands in the study's scenario
        found["value"] = {"lanes": value.size, "least": to_plain(value.min()), "most": to_plain(value.max())}
    found["kind"] = origin.kind if origin else "user"
    if origin is not None and origin.rows:
        found["rows"] = list(origin.rows)
    if origin is not None and origin.source is not None:
        found["source"] = origin.source
    return found


def sources_of(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Every source behind parameters, with the evidence rows that were read from it."""
    found: dict[str, set[str]] = {}
    for _, _, _, origin in rows:
        for row_id in origin.rows if origin else ():
            row = library.evidence_row(row_id)
            found.setdefault(f"{row['source']}. {row['identifier']}", set()).add(row_id)
        if origin is not None and origin.source is not None:
            entry = library.sources().get(origin.source)
            known = isinstance(entry, dict)
            found.setdefault(f"{entry['citation']}. {entry['identifier']}" if known else origin.source, set())  # type: ignore[index]
    return {source: sorted(ids) for source, ids in sorted(found.items())}


def _bytes(content: dict[str, Any]) -> bytes:
    """Content with its checksum; one content has only one text, so that a changed space is seen too."""
    bare = {key: value for key, value in content.items() if key != CHECKSUM}
    text = json.dumps(bare, indent=1, sort_keys=True, allow_nan=False)
    whole = {**bare, CHECKSUM: hashlib.sha256(text.encode()).hexdigest()}
    return (json.dumps(whole, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Write the manifest of a folder."""
    write_whole(folder / NAME, _bytes(content))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder.

    Raises
    ------
    FileError
        There is none.
    DamagedManifest
        It is not what was written.
    """
    path = folder / NAME
    try:
        given = path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"{folder} is not the folder of a sweep: it has no {NAME}") from None
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from None
    try:
        content = json.loads(given)
        right = isinstance(content, dict) and _bytes(content) == given
    except ValueError:
        right = False
    if not right:
        raise DamagedManifest(f"{path} is damaged: its checksum is wrong")
    return dict(content)


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """In what two manifests mean different sweeps; empty when a folder may be continued."""
    keys = _unequal({key: each for key, each in one.items() if key not in _FREE}, other, skip=_FREE)
    if "study" in keys:
        keys += _unequal(one.get("study", {}), other.get("study", {}))
    # What follows from the rest would only make the message long.
    return sorted(set(keys) - set(_FOLLOWING)) or keys


def _unequal(one: dict[str, Any], other: dict[str, Any], skip: tuple[str, ...] = ()) -> list[str]:
    return [key for key in sorted({*one, *other}) if key not in skip and one.get(key) != other.get(key)]
