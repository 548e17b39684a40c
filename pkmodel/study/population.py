"""Virtual cohorts: a patient, or a whole scenario, with one lane a subject, drawn from declared variability.

Subject `i` depends on the seed and `i` alone: a hundred subjects are the first hundred of ten thousand, whatever else
is drawn, in whatever order. Variability is between subjects; the uncertainty of typical values (`study.uncertainty`)
is another matter and not part of this.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import ParameterError, PlausibilityWarning
from ..inputs import library
from ..inputs.declare import specs
from ..inputs.drug import Drug
from ..inputs.patient import Patient
from ..inputs.record import Record, other, packed, record
from ..inputs.scenario import Scenario
from ..model.columns import derived_clearances
from ..model.problem import Array
from .mixture import CLASS_PATH, classes_of, labels_of
from .variability import (
    MOST_ROUNDS,
    NODES,
    WEIGHTS,
    Variability,
    declared,
    deviates,
    first_possible,
    impossible,
    uniforms,
)

# Evidence row P007: liver volume [mL] over body surface [m2] of 369 adults.
LIVER_ML_PER_M2, LIVER_ML = 758.259, -124.272
SIZE = "patient.bsa"
# Flow follows size as the volume does: perfusion, flow per tissue, is what does not depend on it (rows P001, P009).
WITH_SIZE = ("patient.liver.parenchyma_volume", "patient.liver.flow")
SINGLE = "a cohort is drawn around one subject; this one has arrays in it already"
NOTHING = "nothing varies, as no variability is declared, or none of it is chosen"
Vary = Sequence[str] | Mapping[str, float] | None
Make = Callable[[dict[str, Array]], object]


@record
class MixedPatient(Patient):
    """A cohort of several Child-Pugh classes: a patient with arrays, and the class of each subject.

    The classes belong to the lanes: a copy with another number of lanes has none.
    """

    child_pugh_classes: tuple[str, ...] = other("Child-Pugh class of each subject", default=())

    def check(self) -> None:
        """Let go of classes that belong to other lanes."""
        super().check()
        if len(self.child_pugh_classes) != self.size:
            object.__setattr__(self, "child_pugh_classes", ())


def population(
    patient: Patient | str,
    *,
    n: int,
    seed: int,
    vary: Vary = None,
    child_pugh: Mapping[str, float] | None = None,
    first: int = 0,
) -> Patient:
    """Return a cohort: a patient with arrays of `n` subjects in every value that varies.

    Liver volume and flow keep their declared variability, of which body size explains a part where both vary; the
    escape share follows the diameter by its own law, and varies around it by `tumour.escape_spread`.

    Parameters
    ----------
    patient : record, library name or TOML path, with one value each: the typical subject
    n : number of subjects
    seed : of the cohort, a whole number from 0
    vary : None for everything that declares a variability; paths; or path -> coefficient of variation [1]. A value
        that you set yourself is the same in every subject unless it stands here
    child_pugh : class -> share, such as ``{"A": 0.7, "B": 0.3}``. The liver of a class is that of the library's patient
        with the same tumour type; what you set yourself in the liver holds in every class
    first : number of the first subject: a cohort can be made in parts

    Raises
    ------
    ParameterError
        For a population, numbers that make no sense, a path that declares no variability, or variability that hardly
        ever gives a legal subject.
    UnknownNameError
        No such path or class.

    Examples
    --------
    >>> import pkmodel as pk
    >>> cohort = pk.population("hcc_reference", n=500, seed=1)
    >>> cohort.size, bool((cohort.liver.flow > 0).all())
    (500, True)
    """
    person = library.load("patients", patient)
    _check_numbers(n, seed, first)
    subjects = np.arange(first, first + n)
    found = _people(person, _prefixed(vary), child_pugh, seed, subjects)
    if found.size != n:
        raise ParameterError(f"{person.name}: {NOTHING}", field="vary")
    return found


def cohort(
    scenario: Scenario,
    *,
    n: int,
    seed: int,
    vary: Vary = None,
    child_pugh: Mapping[str, float] | None = None,
    first: int = 0,
) -> Scenario:
    """Return a scenario with `n` subjects: the patient as of `population`, and what varies in drug and materials.

    A drug's potency varies between tumours by its `kill.potency_spread`. Paths in `vary` are those of the scenario.

    Raises
    ------
    ParameterError, UnknownNameError
        As of `population`.

    Examples
    --------
    >>> import pkmodel as pk
    >>> given = pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50))
    >>> pk.cohort(given, n=500, seed=1).size
    500
    """
    if not isinstance(scenario, Scenario):
        raise ParameterError(f"cohort takes a Scenario, got {type(scenario).__name__}", field="scenario")
    _check_numbers(n, seed, first)
    if scenario.size > 1:
        raise ParameterError(SINGLE)
    subjects = np.arange(first, first + n)
    known = frozenset(scenario.paths())
    rows = [row for row in scenario.rows() if row[0] in known]
    chosen = declared(rows, scenario.spec, vary)
    own = {path: each.cv for path, each in chosen.items() if path.startswith("patient.")}
    people = _people(scenario.patient, own if isinstance(vary, Mapping) else list(own), child_pugh, seed, subjects)
    values: dict[str, Array] = {}
    for group, make in _groups(scenario):
        varying = {path: each for path, each in chosen.items() if path.startswith(group)}
        values |= _subjects(varying, make, seed, subjects)
    if people.size != n and not values:
        raise ParameterError(f"this scenario: {NOTHING}", field="vary")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        return scenario.replace(patient=people).with_values(values)


def _people(
    person: Patient, vary: Vary, mix: Mapping[str, float] | None, seed: int, subjects: np.ndarray
) -> Patient:
    """The patient with arrays of everything that differs between subjects; vary with full paths."""
    if person.size > 1:
        raise ParameterError(SINGLE)
    typical = classes_of(person, mix)
    labels = np.full(subjects.size, person.child_pugh)
    if mix:
        labels = labels_of(mix, uniforms(seed, subjects, CLASS_PATH, 0)[:, 0])
    values: dict[str, Array] = {}
    for label, each in typical.items():
        where = labels == label
        part = _of_one_class(each, vary, seed, subjects[where])
        for path in {*values, *part, *_changes(person, each)}:
            if path not in values:
                values[path] = np.full(subjects.size, person.get(path))
            values[path][where] = part.get(path, each.get(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # another class's liver may be implausible in this one
        found = person.with_values(values)
    found = _with_origins(found, person)
    return _mixed(found, tuple(str(label) for label in labels)) if mix else found


def _changes(person: Patient, other: Patient) -> set[str]:
    """Paths of the numbers in which two patients differ."""
    theirs = {path: packed(value) for path, value, *_ in other.rows()}
    return {path for path, value, *_ in person.rows() if isinstance(value, float) and packed(value) != theirs[path]}


def _of_one_class(person: Patient, vary: Vary, seed: int, subjects: np.ndarray) -> dict[str, Array]:
    """Values of what varies in subjects around one typical patient, by the patient's own paths."""
    varying = declared(person.rows("patient."), lambda path: person.spec(_own(path)), vary)

    def make(values: dict[str, Array]) -> object:
        return person.with_values({_own(path): each for path, each in values.items()})

    found = _subjects(varying, make, seed, subjects, sized=person.species == "human")
    return {_own(path): values for path, values in found.items()}


def _own(path: str) -> str:
    return path.removeprefix("patient.")


def _groups(scenario: Scenario) -> Iterator[tuple[str, Make]]:
    """What is possible or not for itself, so that one part's redraws leave the others as they are."""
    for drug in scenario.regimen.drugs:
        yield f"drug.{drug.name}.", _drug_maker(drug)
    for head in ("catheter.", "carrier.", "embolic.", "session."):
        yield head, scenario.with_values


def _drug_maker(drug: Drug) -> Make:
    def make(values: dict[str, Array]) -> object:
        found = drug.with_values({path.removeprefix(f"drug.{drug.name}."): each for path, each in values.items()})
        return derived_clearances(found, found.size)

    return make


def _check_numbers(n: int, seed: int, first: int) -> None:
    for name, number, least in (("n", n, 1), ("seed", seed, 0), ("first", first, 0)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
            message = f"{name} = {number!r} is not a whole number from {least}"
            raise ParameterError(message, field=name, value=number, legal=f"[{least}, inf)")


def _prefixed(vary: Vary) -> Vary:
    """Paths below a patient as those of a scenario, so that both draw the same subjects."""
    if vary is None or isinstance(vary, str):
        return vary

    def full(path: str) -> str:
        return path if str(path).startswith("patient.") else f"patient.{path}"

    return {full(p): cv for p, cv in vary.items()} if isinstance(vary, Mapping) else [full(p) for p in vary]


def _subjects(
    varying: Mapping[str, Variability], make: Make, seed: int, subjects: np.ndarray, *, sized: bool = False
) -> dict[str, Array]:
    """Values of each path and subject; a subject that cannot be is drawn again as a whole."""
    found = {path: np.full(subjects.size, np.nan) for path in varying}
    pending = np.arange(subjects.size)

    def build(lanes: np.ndarray) -> object:
        return make({path: values[lanes] for path, values in found.items()})

    for attempt in range(MOST_ROUNDS):
        if not (pending.size and varying):
            return found
        one = _attempt(varying, seed, subjects[pending], attempt, sized=sized)
        for path, values in one.items():
            found[path][pending] = values
        lost = np.any([np.isnan(values) for values in one.values()], axis=0)
        whole = pending[~lost]
        refused = list(impossible(build, whole)) if whole.size else []
        pending = np.sort(np.concatenate([pending[lost], np.array(refused, dtype=int)]))
    raise ParameterError(
        f"{pending.size} of {subjects.size} subjects found no legal values in {MOST_ROUNDS} draws; what varies "
        f"({', '.join(varying)}) varies too much"
    )


def _attempt(
    varying: Mapping[str, Variability], seed: int, subjects: np.ndarray, attempt: int, *, sized: bool
) -> dict[str, Array]:
    """One draw of every path, (n,); NaN where no number inside the range came up."""
    drawn: dict[str, Array] = {}
    body = varying.get(SIZE) if sized else None
    for path, own in sorted(varying.items(), key=lambda item: item[0] != SIZE):  # the size comes first
        centre: Array | float = own.value
        if body is not None and path in WITH_SIZE:
            centre = own.value * (_liver_ml(drawn[SIZE]) / _liver_ml(np.asarray(body.value)))[:, None]
            own = _beyond_size(own, body)
        z = deviates(uniforms(seed, subjects, path, attempt), own.distribution)
        drawn[path] = first_possible(own.at(z, centre), own)
    return drawn


def _liver_ml(bsa_m2: Array) -> Array:
    return LIVER_ML_PER_M2 * bsa_m2 + LIVER_ML


def _beyond_size(own: Variability, body: Variability) -> Variability:
    """The variability that is left when size has explained its part, so that both together are what is declared."""
    if own.distribution not in ("lognormal", "normal"):
        raise ParameterError(f"{own.path} follows body size and must be lognormal or normal", field=own.path)
    livers = _liver_ml(body.at(NODES))
    logs, weights = np.log(livers[livers > 0.0]), WEIGHTS[livers > 0.0] / WEIGHTS[livers > 0.0].sum()
    explained = float(weights @ (logs - weights @ logs) ** 2)
    explained *= 1.0 if own.distribution == "lognormal" else own.value**2
    if explained > own.spread**2:
        raise ParameterError(
            f"{own.path} varies less (cv {own.cv:g}) than body surface alone makes it vary; let it vary more, "
            f"{SIZE} less, or only one of them",
            field=own.path,
            value=own.cv,
        )
    return replace(own, spread=math.sqrt(own.spread**2 - explained))


def _with_origins(found: Record, of: Record) -> Any:
    """A cohort's values come from where the typical one's do: the origins of `of` in place of "set by the user"."""
    parts = {
        name: _with_origins(getattr(found, name), getattr(of, name))
        for name, spec in specs(type(of)).items()
        if spec.kind == "part" and getattr(of, name) is not None
    }
    return found.replace(**parts, origins=of.origins)


def _mixed(person: Patient, labels: tuple[str, ...]) -> MixedPatient:
    """The cohort with its classes."""
    fields = {name: getattr(person, name) for name in specs(type(person))}
    fields["child_pugh"] = labels[0] if len(set(labels)) == 1 else "mixed"
    return MixedPatient(**fields, child_pugh_classes=labels, origins=person.origins)
