"""The calibration's configuration, and its results written back into the library's files."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import FileError
from ...inputs.rewrite import rewrite_parameter
from ...inputs.tomlfile import read_toml, refuse_unknown
from ..disposition_files import load_cases
from .fit import Found, StageFit
from .stage import Free, Stage, data_of

_STAGE = ("title", "rows", "sigma", "sigmas", "sizes", "curve", "unused", "free")
_FREE = ("start", "range", "scale", "targets", "note", "drug", "patients", "also")
DIGITS, RANGE_DIGITS = 8, 3  # of written values: reruns are compared to 1e-6
EXPERIMENT = "experiments/01_calibration"


@dataclass(frozen=True)
class Shared:
    """A value that drugs without data of their own take over: the geometric mean of fitted ones."""

    of: tuple[str, ...]
    targets: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Calibration:
    """A configuration: stages in order, shared values, why `fit` observations are in no stage, the library's folder."""

    stages: tuple[Stage, ...]
    shares: tuple[Shared, ...]
    unused: Mapping[str, str]
    folder: Path


def load_calibration(config: str | Path, *, without: Sequence[str] = ()) -> Calibration:
    """Read the stages of a configuration.

    Parameters
    ----------
    config : TOML file
    without : ids of observations, or names of cases, that are left out

    Raises
    ------
    FileError
        The file is not a configuration of this kind.
    UnknownNameError
        It names what does not exist.
    """
    config = Path(config)
    table = read_toml(config)
    folder, disposition = (table.pop(key, None) for key in ("library", "disposition"))
    if not isinstance(folder, str) or not isinstance(disposition, str):
        raise FileError(f"{config}: 'library' and 'disposition' must name a folder and a file")
    curves, _ = load_cases(config.parent / disposition)
    shares = tuple(Shared(tuple(e["of"]), tuple(e["targets"]), e["note"]) for e in table.pop("shared", []))
    stages, unused = [], {}
    for name, each in table.items():
        where = f"{config}: [{name}]"
        if not isinstance(each, dict):
            raise FileError(f"{where} must be a table")
        refuse_unknown(each, _STAGE, where)
        unused.update(each.get("unused", {}))
        data = data_of(
            each["rows"], sigma=each["sigma"], sigmas=each.get("sigmas", {}), sizes=each.get("sizes", {})
        )
        data = tuple(d for d in data if d.id not in without and d.case.id not in without)
        free = tuple(_free(path, given, f"{where} {path}") for path, given in each["free"].items())
        curve = curves[each["curve"]] if "curve" in each else None
        stages.append(Stage(name, each["title"], free, data, curve))
    return Calibration(tuple(stages), shares, unused, config.parent / folder)


def _free(path: str, given: Mapping[str, Any], where: str) -> Free:
    refuse_unknown(given, _FREE, where)
    low, high = given["range"]
    start = float(given["start"])
    if not low < start < high:
        raise FileError(f"{where}: start {start:g} must lie within its range [{low:g}, {high:g}]")
    return Free(
        path=path,
        start=start,
        range=(float(low), float(high)),
        targets=tuple(given["targets"]),
        note=given["note"],
        drug=given.get("drug"),
        patients=tuple(given.get("patients", ())),
        scale=given["scale"],
        also=tuple(given.get("also", ())),
    )


def written(fits: Iterable[StageFit], shares: Iterable[Shared] = ()) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield (file, table, keys) of everything that the fits put into the library; ``*`` stands for every file.

    Decided parameters are stated as fitted, with standard error and 90 % range; those decided only together with others
    stay assumed at their most probable value; flat ones stay assumed at their prior's centre.
    """
    values: dict[str, Found] = {}
    for fit in fits:
        rows = tuple(dict.fromkeys(row for datum in fit.stage.data for row in datum.observation.rows))
        for each in fit.parameters:
            values[each.free.path] = each
            yield from _targets(each.free.targets, _fitted(each, rows, fit) if each.decided else _together(each, fit))
        for each in fit.flat:
            yield from _targets(each.free.targets, _flat(each, fit))
    for shared in shares:
        sources = [values[path] for path in shared.of if path in values]
        if sources:
            yield from _targets(shared.targets, _mean(sources, shared))


def _targets(targets: Iterable[str], keys: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for target in targets:
        file, _, table = target.partition(":")
        yield file, table, keys


def _fitted(each: Found, rows: tuple[str, ...], fit: StageFit) -> dict[str, Any]:
    return {
        "value": _round(each.value, DIGITS),
        "range": _range(each.interval),
        "se": _round(each.standard_error, RANGE_DIGITS),
        "kind": "fitted",
        "rows": rows,
        "note": f"{EXPERIMENT}, stage {fit.stage.name}: fitted, prior {_prior(each.free)} narrowed to "
        f"{100 * each.narrowed:.0f} %. Prior: {each.free.note}",
    }


def _together(each: Found, fit: StageFit) -> dict[str, Any]:
    return {
        "value": _round(each.value, DIGITS),
        "range": _range(each.interval),
        "kind": "assumed",
        "note": f"{EXPERIMENT}, stage {fit.stage.name}: most probable value beside the stage's other parameters; alone "
        f"the data do not decide it (prior {_prior(each.free)} narrowed to {100 * each.narrowed:.0f} %). "
        f"Prior: {each.free.note}",
    }


def _flat(each: Found, fit: StageFit) -> dict[str, Any]:
    return {
        "value": _round(each.free.start, DIGITS),
        "range": each.free.range,
        "kind": "assumed",
        "note": f"{each.free.note} {EXPERIMENT}, stage {fit.stage.name}: the data say nothing of it (prior narrowed to "
        f"{100 * each.narrowed:.0f} %).",
    }


def _mean(sources: Sequence[Found], shared: Shared) -> dict[str, Any]:
    """Geometric mean of fitted values, over the range of all of them."""
    intervals = [each.interval for each in sources]
    value = math.exp(sum(math.log(each.value) for each in sources) / len(sources))
    return {
        "value": _round(value, DIGITS),
        "range": _range((min(low for low, _ in intervals), max(high for _, high in intervals))),
        "kind": "assumed",
        "note": f"{EXPERIMENT}: {shared.note}",
    }


def _range(limits: tuple[float, float]) -> tuple[float, float]:
    return _round(limits[0], RANGE_DIGITS), _round(limits[1], RANGE_DIGITS)


def _prior(free: Free) -> str:
    return f"{free.start:g} ({free.range[0]:g}-{free.range[1]:g})"


def _round(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def write(fits: Sequence[StageFit], folder: Path, shares: Sequence[Shared] = ()) -> None:
    """Update the library's files below a folder; every other line stays as it is.

    Raises
    ------
    FileError
        A file lacks a parameter, or would no longer be TOML.
    """
    for pattern, table, keys in written(fits, shares):
        for file in sorted(folder.glob(f"{pattern}.toml")):
            text = rewrite_parameter(file.read_text(encoding="utf-8"), table, keys, where=str(file))
            try:
                tomllib.loads(text)
            except tomllib.TOMLDecodeError as error:
                raise FileError(f"{file} would not be TOML any more: {error}") from None
            file.write_text(text, encoding="utf-8", newline="\n")


def differences(
    fits: Sequence[StageFit], folder: Path, shares: Sequence[Shared] = (), *, tolerance: float = 1e-6
) -> Iterator[tuple[str, float, float]]:
    """Yield (place, committed, found) of every value in the files that a rerun would change beyond a tolerance."""
    for pattern, table, keys in written(fits, shares):
        for file in sorted(folder.glob(f"{pattern}.toml")):
            place: Any = tomllib.loads(file.read_text(encoding="utf-8"))
            for part in table.split("."):
                place = place[part]
            committed, found = float(place["value"]), float(keys["value"])
            if abs(committed - found) > tolerance * max(abs(found), 1e-12):
                yield f"{file.stem}:{table}", committed, found
