"""The files of the disposition fits: cases from a configuration, a table of results, fitted drugs written back."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import FileError, InputError, nearest
from ..inputs import library
from ..inputs.rewrite import rewrite_parameter
from ..inputs.tomlfile import read_toml, refuse_unknown
from .disposition import Case, DispositionFit, FreeParameter, fit_disposition, low_dose_limits
from .reference_curve import LinearCurve, SaturableCurve

_KEYS = ("title", "rows", "dose_mg", "duration_h", "window_h", "curve", "free")
_DIGITS = 8  # of a written value: reruns are compared to 1e-6
_RANGE_DIGITS = 3
EXPERIMENT = "experiments/00_disposition"


def load_cases(path: str | Path) -> tuple[dict[str, Case], Path]:
    """Cases of a configuration by drug, and the folder of the drug files it names.

    Raises
    ------
    FileError
        The file is not a configuration of disposition fits.
    UnknownNameError
        It names an unknown drug or evidence row.
    """
    path = Path(path)
    table = read_toml(path)
    folder = table.pop("drugs", None)
    if not isinstance(folder, str):
        raise FileError(f"{path}: 'drugs' must name the folder of the drug files")
    cases = {name: _case(name, each, f"{path}: [{name}]") for name, each in table.items()}
    return cases, path.parent / folder


def _case(name: str, table: Any, where: str) -> Case:
    drug = library.drug(name)
    if not isinstance(table, dict):
        raise FileError(f"{where} must be a table")
    refuse_unknown(table, _KEYS, where)
    missing = [key for key in _KEYS if key not in table]
    if missing:
        raise FileError(f"{where} lacks {', '.join(missing)}")
    for row in table["rows"]:
        library.evidence_row(row)
    try:
        model = SaturableCurve if "vmax" in table["curve"] else LinearCurve
        curve: LinearCurve | SaturableCurve = model(**table["curve"])
        free = {
            path: FreeParameter(
                float(each["start"]), (float(each["range"][0]), float(each["range"][1])), str(each["note"])
            )
            for path, each in table["free"].items()
        }
        first, last = (float(each) for each in table["window_h"])
    except (TypeError, KeyError, ValueError, IndexError) as error:
        raise FileError(f"{where} cannot be read: {error!r}") from None
    for path, each in free.items():
        if path not in drug.paths():
            raise FileError(f"{where}: no parameter {path!r} of a drug; {nearest(path, drug.paths())}")
        if not 0.0 < each.range[0] <= each.start <= each.range[1]:
            raise FileError(f"{where}: free.{path} must start above 0 and within its range")
    if not 0.0 < first < last:
        raise FileError(f"{where}: window_h must be two times above 0 h, the first one first")
    return Case(
        drug=name,
        curve=curve,
        rows=tuple(table["rows"]),
        dose_mg=float(table["dose_mg"]),
        duration_h=float(table["duration_h"]),
        window_h=(first, last),
        free=free,
        title=str(table["title"]),
    )


def fit_table(fits: Sequence[DispositionFit]) -> str:
    """Results as text: parameters before and after, largest deviation and where, clearance and extraction."""
    lines = []
    for fit in fits:
        drug, before, after = fit.drug, fit.before, fit.after
        clearance, extraction = low_dose_limits(drug, fit.case)
        lines += [
            f"{drug.name}: {fit.case.title}; {', '.join(fit.case.rows)}",
            f"  largest deviation {100 * before.largest:.1f} % at {before.where_h:.3g} h before, "
            f"{100 * after.largest:.2f} % at {after.where_h:.3g} h after "
            f"({fit.case.window_h[0]:g}-{fit.case.window_h[1]:g} h)",
            f"  dose/AUC {clearance:.5g} L/h (declared {drug.cl_total:g}), "
            f"extraction {extraction:.4g} (declared {drug.extraction:g})",
            f"  {'parameter':<10}{'published':>11}{'fitted':>11}  {'unit':<6}{'sharpness':>10}",
        ]
        for path, value in fit.values.items():
            start, sharp = fit.case.free[path].start, 100.0 * fit.relative_error[path]
            lines.append(
                f"  {path:<10}{start:>11.5g}{value:>11.5g}  {drug.spec(path).unit:<6}{sharp:>8.2g} %"
            )
    return "\n".join(lines)


def written_values(fit: DispositionFit) -> dict[str, Mapping[str, str | float | tuple[float, ...]]]:
    """What `write_fit` states of every fitted parameter, by path."""
    found: dict[str, Mapping[str, str | float | tuple[float, ...]]] = {}
    for path, limits in fit.ranges().items():
        unit, each = fit.drug.spec(path).unit, fit.case.free[path]
        found[path] = {
            "value": float(f"{fit.values[path]:.{_DIGITS}g}"),
            "unit": unit,
            "range": tuple(float(f"{limit:.{_RANGE_DIGITS}g}") for limit in limits),
            "kind": "fitted",
            "note": f"Re-fitted with the liver inside by {EXPERIMENT} ({fit.case.title}): largest deviation "
            f"{100 * fit.after.largest:.1f} % at {fit.after.where_h:.2g} h. Start {each.start:g} {unit}, without a "
            f"liver of its own: {each.note} Range that of the start, in proportion.",
        }
    return found


def write_fit(fit: DispositionFit, file: Path) -> None:
    """Update the fitted parameters in a drug's TOML file; every other line stays as it is.

    Records that this process has already loaded from the library keep their old values.

    Raises
    ------
    FileError
        The file lacks a fitted parameter, or would no longer be TOML.
    """
    text = file.read_text(encoding="utf-8")
    for path, changes in written_values(fit).items():
        text = rewrite_parameter(text, path, changes, where=str(file))
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{file} would not be TOML any more: {error}") from None
    file.write_text(text, encoding="utf-8", newline="\n")


def run(config: str | Path, arguments: Sequence[str] = ()) -> list[DispositionFit]:
    """Fit all cases of a configuration and print the table; ``--write`` also updates the drug files.

    Raises
    ------
    InputError
        Any other argument, or a wrong configuration.
    """
    if list(arguments) not in ([], ["--write"]):
        raise InputError(f"unknown arguments {' '.join(arguments)!r}; the only one is --write")
    cases, folder = load_cases(config)
    fits = [fit_disposition(library.drug(name), case) for name, case in cases.items()]
    print(fit_table(fits))
    if arguments:
        for fit in fits:
            write_fit(fit, folder / f"{fit.case.drug}.toml")
    return fits
