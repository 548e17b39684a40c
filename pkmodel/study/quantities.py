"""What published experiments report, read off a simulated course: each quantity one small function.

Results are arrays (n,), one value a lane, in internal units (mg/L, h, L/h, L, 1); `in_unit` converts them to the unit
that a paper printed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .. import units
from ..course import Trajectory
from ..errors import UnitError
from ..inputs.cases import Reading
from ..model.body import Run, lower
from ..model.columns import column
from ..model.problem import Array

POINTS = 80  # samples of a window
SLOPE_POINTS = 20
FEW_POINTS = 5  # of the whole course, where a reading has no window
NOTHING = 1e-9  # of the highest sample: what is below is gone, and has no tail
LAST_PART = 0.4  # of a window: where its terminal slope is taken
PLATINUM_G_PER_MOL = 195.084
_BASE = {
    "cmax": "mg/L", "deposited_density": "mg/L", "concentration": "mg/L", "auc": "mg*h/L", "clearance": "L/h",
    "volume_central": "L", "volume_steady": "L", "tmax": "h", "half_life": "h", "half_life_fast": "h",
    "oil_half_life": "h",
}  # fmt: skip
COHORT_QUANTITIES = ("necrosis_above", "response")  # shares of a group of tumours that differ
_RATIOS = ("", "-", "1", "ratio", "fraction", "fold")


@dataclass(frozen=True)
class Subject:
    """What quantities need beside the course: dose [mg], its duration [h], size, and molar mass [g/mol]."""

    dose_mg: float
    duration_h: float
    bsa_m2: float
    weight_kg: float
    molar_mass: float


Quantity = Callable[[Trajectory, Reading, Subject], Array]


def grid(reading: Reading, until_h: float) -> Array:
    """Times at which a reading needs the course [h]."""
    wanted = [np.linspace(0.0, until_h, FEW_POINTS)]
    for window in (reading.window, reading.tail):
        if window is not None:
            low, high = window[0], min(window[1], until_h)
            wanted.append(np.linspace(low, high, POINTS))
            wanted.append(np.geomspace(max(low, 1e-3 * high), high, POINTS))
    if reading.time is not None:
        wanted.append(np.array([reading.time]))
    times = np.unique(np.concatenate(wanted))
    return times[times <= until_h]


def value(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    """The quantity of a reading for every lane, (n,), in internal units."""
    return np.atleast_1d(QUANTITIES[reading.quantity](course, reading, subject))


def in_unit(quantity: str, unit: str, subject: Subject) -> float:
    """Factor from the internal unit of a quantity to the unit of an evidence row.

    Raises
    ------
    UnitError
        The unit does not belong to the quantity.
    """
    plain, factor = unit.strip(), 1.0
    if quantity not in _BASE:
        if plain == "%":
            return 100.0
        if plain in _RATIOS:
            return 1.0
        raise UnitError(f"{quantity} is a share, and {unit!r} is not the unit of one")
    if re.search(r"\bPt\b", plain):
        plain, factor = re.sub(r"\s*\bPt\b", "", plain), PLATINUM_G_PER_MOL / subject.molar_mass
    for ending, size in (("/m2", subject.bsa_m2), ("/kg", subject.weight_kg)):
        if plain.endswith(ending):
            plain, factor = plain.removesuffix(ending), factor / size
    plain = re.sub(r"\b([un]?)M\b", r"\1mol/L", plain)
    if "mol" in plain:  # mg/L over g/mol is mmol/L
        return factor / subject.molar_mass * units.factor(_BASE[quantity].replace("mg", "mmol"), plain)
    plain = re.sub(r"/g\b", "/mL", plain)  # tissue: 1 g = 1 mL
    return factor * units.factor(_BASE[quantity], plain)


def base_unit(quantity: str) -> str:
    """The internal unit of a quantity; 1 for shares."""
    return _BASE.get(quantity, "1")


def _samples(course: Trajectory, reading: Reading, window: tuple[float, float] | None = None) -> tuple[Array, Array]:
    """Times (m,) and concentrations (m, n) of a reading's window."""
    low, high = window or reading.window or (0.0, math.inf)
    inside = (course.times_h >= low) & (course.times_h <= high)
    found = course.concentration_mg_per_l(reading.observable or "plasma")[inside]
    return course.times_h[inside], found.reshape(inside.sum(), -1)


def _at(course: Trajectory, values: Array, time: float | None) -> Array:
    row = int(np.argmin(np.abs(course.times_h - (course.until_h if time is None else time))))
    return np.atleast_1d(values[row])


def _cmax(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    return np.asarray(_samples(course, reading)[1].max(axis=0))


def _tmax(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    times, found = _samples(course, reading)
    return np.asarray(times[found.argmax(axis=0)])


def _concentration(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    return _at(course, course.concentration_mg_per_l(reading.observable or "plasma"), reading.time)


def _area(times: Array, found: Array) -> Array:
    """Trapezoids over the first axis, (n,)."""
    return np.asarray((0.5 * (found[1:] + found[:-1]) * np.diff(times)[:, None]).sum(axis=0))


def _slope(times: Array, found: Array) -> Array:
    """Rate [1/h] at which the logarithm of a concentration falls, by regression, (n,)."""
    t = times - times.mean()
    with np.errstate(divide="ignore", invalid="ignore"):  # what has vanished has no slope: NaN
        logs = np.log(found)
        return np.asarray(-(t[:, None] * (logs - logs.mean(axis=0))).sum(axis=0) / (t**2).sum())


def _even(times: Array, found: Array) -> tuple[Array, Array]:
    """The same course at evenly spaced times, so that a regression does not favour its beginning."""
    even = np.linspace(times[0], times[-1], SLOPE_POINTS)
    with np.errstate(divide="ignore"):
        logs = np.log(found)
    return even, np.exp(np.stack([np.interp(even, times, logs[:, i]) for i in range(found.shape[1])], axis=1))


def _terminal(times: Array, found: Array) -> Array:
    late = times >= times[-1] - LAST_PART * (times[-1] - times[0])
    return _slope(*_even(times[late], found[late]))


def _moments(course: Trajectory, reading: Reading) -> tuple[Array, Array]:
    """AUC and AUMC from zero to infinity as somebody would find them who sampled in the window, (n,)."""
    times, found = _samples(course, reading)
    last, t = found[-1], times[-1]
    gone = last < NOTHING * found.max(axis=0)
    last, rate = np.where(gone, 0.0, last), np.where(gone, 1.0, _terminal(times, np.maximum(found, 0.0)))
    rate = np.where(rate > 0.0, rate, np.nan)
    area = _area(times, found) + last / rate
    moment = _area(times, found * times[:, None]) + last * t / rate + last / rate**2
    return area, moment


def _auc(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    window = reading.window or (0.0, math.inf)
    if math.isinf(window[1]):
        if reading.observable == "plasma":
            return course.solution.plasma_auc[0] + course.solution.plasma_auc_rest[0]
        return _moments(course, reading)[0]
    times, found = _samples(course, reading)
    return _area(times, found)


def _clearance(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    window = reading.window or (0.0, math.inf)
    if math.isinf(window[1]):
        return subject.dose_mg / (course.solution.plasma_auc[0] + course.solution.plasma_auc_rest[0])
    return subject.dose_mg / _moments(course, reading)[0]


def _volume_central(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    [batch] = lower([Run(course.scenario, course.until_h)])
    return np.asarray(batch.problem.drug.v1[0])


def _volume_steady(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    area, moment = _moments(course, reading)
    return subject.dose_mg / area * (moment / area - 0.5 * subject.duration_h)


def _half_life(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    return np.log(2.0) / _slope(*_even(*_samples(course, reading)))


def _half_life_fast(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    late, tail = _even(*_samples(course, reading, reading.tail))
    rate = _slope(late, tail)
    level = np.exp(np.log(tail).mean(axis=0) + rate * late.mean())
    times, found = _even(*_samples(course, reading))
    rest = found - level * np.exp(-rate * times[:, None])
    return np.log(2.0) / _slope(times, np.where(rest > 0.0, rest, np.nan))


def _extraction(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    plasma, vein = (course.concentration_mg_per_l(name) for name in ("plasma", "hepatic_vein"))
    return 1.0 - _at(course, vein, reading.time) / _at(course, plasma, reading.time)


def _released(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    held = sum(course.depot_mg(region) for region in ("core", "escape", "served", "lung"))
    return 1.0 - _at(course, np.asarray(held), reading.time) / subject.dose_mg


def _deposits(course: Trajectory, time: float | None) -> dict[str, Array]:
    """What the carrier holds in tumour, liver and lung at a time [mg]."""
    held = {name: _at(course, course.depot_mg(name), time) for name in ("core", "escape", "served", "lung")}
    return {"tumour": held["core"] + held["escape"], "liver": held["served"], "lung": held["lung"]}


def _deposited_share(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    held = _deposits(course, reading.time)
    return held[str(reading.place)] / np.asarray(sum(held.values()))


def _deposited_density(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    place = str(reading.place)
    volume = {"tumour": course.viable_volume_ml()[0] / 1000.0, "liver": course.solution.parenchyma[0]}[place]
    return _deposits(course, reading.time)[place] / np.broadcast_to(volume, (course.size,))


def _flow_left(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    return _at(course, course.patent_fraction("tumour"), reading.time)


def _oil_half_life(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    left = np.atleast_2d(course.oil_retained_fraction(str(reading.place)).T).T
    return np.log(2.0) * (course.times_h[-1] - course.times_h[1]) / np.log(left[1] / left[-1])


def _necrosis(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    return _at(course, course.necrosis_fraction(), reading.time)


def _viable_left(course: Trajectory, time: float | None) -> Array:
    viable = course.viable_volume_ml()
    return _at(course, viable, time) / np.atleast_1d(viable[0])


def _viable_ratio(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    return _viable_left(course, reading.time)


def cohort_reading(course: Trajectory, reading: Reading) -> tuple[float, Array, float]:
    """Of a share of a cohort: +1 where more counts and -1 where less does, the tumours' values (n,), the threshold."""
    threshold = float(reading.threshold or 0.0)
    necrosis = reading.quantity == "necrosis_above"
    values = _at(course, course.necrosis_fraction(), reading.time) if necrosis else _viable_left(course, reading.time)
    return (1.0 if necrosis else -1.0), values, threshold


def _member(course: Trajectory, reading: Reading, subject: Subject) -> Array:
    """One lane a tumour: 1 where it lies beyond the threshold; the caller takes the share of its cohort."""
    beyond, values, threshold = cohort_reading(course, reading)
    return (beyond * (values - threshold) > 0.0).astype(float)


QUANTITIES: Mapping[str, Quantity] = {
    "cmax": _cmax,
    "tmax": _tmax,
    "concentration": _concentration,
    "auc": _auc,
    "clearance": _clearance,
    "volume_central": _volume_central,
    "volume_steady": _volume_steady,
    "half_life": _half_life,
    "half_life_fast": _half_life_fast,
    "extraction": _extraction,
    "released_fraction": _released,
    "deposited_share": _deposited_share,
    "deposited_density": _deposited_density,
    "flow_left": _flow_left,
    "oil_half_life": _oil_half_life,
    "necrosis": _necrosis,
    "viable_volume_ratio": _viable_ratio,
    "necrosis_above": _member,
    "response": _member,
}


def subject_of(course: Trajectory) -> Subject:
    """The first lane's dose, duration of its first dose, size and molar mass; NaN where no drug is given."""
    drugs = course.scenario.regimen.drugs
    doses = [each for session in course.scenario.regimen.sessions for each in session.doses]
    duration = column(doses[0], "duration", course.size) if doses else np.zeros(1)
    patient = course.scenario.patient
    return Subject(
        dose_mg=float(course.solution.dose[0, 0]),
        duration_h=float(np.nan_to_num(duration[0])),
        bsa_m2=float(np.atleast_1d(patient.bsa)[0]),
        weight_kg=float(np.atleast_1d(patient.body_weight)[0]),
        molar_mass=float(np.atleast_1d(drugs[0].molar_mass)[0]) if drugs else math.nan,
    )
