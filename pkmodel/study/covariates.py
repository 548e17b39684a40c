"""Covariates of a cohort: what differs between its subjects, as labelled columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ..errors import ParameterError, UnknownNameError
from ..inputs.patient import Patient
from ..inputs.record import Row
from ..inputs.scenario import Scenario
from ..laws.perfusion import escape_share
from ..model.problem import Array


@dataclass(frozen=True, eq=False)
class Covariates(Mapping[str, np.ndarray]):
    """Columns of a cohort by name, each (n,); a mapping, so that a data frame takes it as it is.

    Attributes
    ----------
    columns : name with its unit -> numbers, or texts of a class
    units : name -> unit
    """

    columns: Mapping[str, np.ndarray]
    units: Mapping[str, str]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.columns:
            raise UnknownNameError.of("covariate", name, self.columns)
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return one row a subject as CSV text, units in the column names; written to `path` if one is given."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        texts = [[_cell(each) for each in column.tolist()] for column in self.columns.values()]
        writer.writerows(zip(*texts, strict=True))
        if path is not None:
            Path(path).write_text(out.getvalue(), encoding="utf-8")
        return out.getvalue()


def covariates(subjects: Patient | Scenario, *, first: int = 0) -> Covariates:
    """Return what differs between the subjects of a cohort.

    Parameters
    ----------
    subjects : patient or scenario with arrays
    first : number of the first subject, as it was drawn

    Returns
    -------
    Covariates
        `subject`; every value that is an array, named by its path and unit (`liver_flow_ml_per_min`); `child_pugh`
        where the cohort is mixed; `tumour_volume_ml` and `tumour_escape_share`, which follow from others.

    Raises
    ------
    ParameterError
        There are no arrays in it: it is a single subject.

    Examples
    --------
    >>> import pkmodel as pk
    >>> table = pk.covariates(pk.population("hcc_reference", n=3, seed=1))
    >>> table.to_csv().splitlines()[0].split(",")[:3]
    ['subject', 'bsa_m2', 'liver_flow_ml_per_min']
    """
    if not isinstance(subjects, Patient | Scenario):
        raise ParameterError(f"covariates are those of a Patient or Scenario, not of {type(subjects).__name__}")
    n = subjects.size
    person = subjects.patient if isinstance(subjects, Scenario) else subjects
    rows: Iterator[Row] = subjects.rows()
    columns: dict[str, np.ndarray] = {"subject": np.arange(first, first + n)}
    units = {"subject": "1"}
    classes = getattr(person, "child_pugh_classes", ())
    for path, value, unit, _ in rows:
        if isinstance(value, np.ndarray):
            name = path.removeprefix("patient.").replace(".", "_") + suffix(unit)
            columns[name], units[name] = np.broadcast_to(value, (n,)), unit
    if len(columns) == 1:
        raise ParameterError("there is one subject and nothing differs; make a cohort with population() first")
    if classes:
        columns["child_pugh"], units["child_pugh"] = np.array(classes), "1"
    for name, unit, found in _derived(person):
        if np.ndim(found) and np.size(found) == n:
            columns[name], units[name] = np.asarray(found), unit
    return Covariates(MappingProxyType(columns), MappingProxyType(units))


def _derived(person: Patient) -> Iterator[tuple[str, str, Array | float]]:
    tumour = person.tumour
    yield "tumour_volume_ml", "mL", tumour.volume_ml
    logit = (tumour.escape_intercept, tumour.escape_slope, tumour.escape_deviation)
    yield "tumour_escape_share", "1", escape_share(tumour.diameter, *logit)


def suffix(unit: str) -> str:
    """The ending that says a unit in a column's name: ``mL/min`` is ``_ml_per_min``, a plain number has none."""
    if unit == "1":
        return ""
    plain = unit.lower().replace("/", "_per_").replace("%", "percent")
    return f"_{plain.removeprefix('1_')}"


def _cell(value: float | str) -> str:
    return value if isinstance(value, str) else repr(value)
