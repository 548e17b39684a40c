"""Random parameter sets for the physics tests: a drug in a patient under a catheter, all values arrays (n,).

Values lie around those of the library (log-uniform within a factor of three, shares uniform) and are always
legal: the liver clears no more than the whole body does, and its uptake lies below its exchange.
"""

from __future__ import annotations

import os
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import fields
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pkmodel.errors import PlausibilityWarning
from pkmodel.inputs import library
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.patient import Catheter, Patient
from pkmodel.inputs.record import Record
from pkmodel.inputs.regimen import Regimen
from pkmodel.inputs.scenario import Scenario
from pkmodel.laws import perfusion
from pkmodel.model.body import Run, lower
from pkmodel.model.network import read_geometry
from pkmodel.model.problem import DrugColumns, PatientColumns
from pkmodel.solve.drive import Options
from pkmodel.solve.runs import solve_runs
from pkmodel.solve.solution import Solution

Array = NDArray[np.float64]
R = TypeVar("R", bound=Record)

DRUGS = ("cisplatin", "doxorubicin", "fluorouracil", "mitomycin_c")
N = int(os.environ.get("PKMODEL_SETS", "1000"))  # proof.sh asks for ten thousand
FACTOR = 3.0
ML_PER_MIN = 0.06  # in L/h

_SPREAD_DRUG = (
    "cl_total", "v1", "q2", "v2", "q3", "v3", "km_other", "liver.kp", "liver.ps", "liver.km", "tumour.kp",
    "tumour.ps", "tumour.loss_extracellular", "tumour.loss_cellular", "bound.half_life",
)  # fmt: skip
_SPREAD_PATIENT = ("liver.flow", "liver.parenchyma_volume", "tumour.perfusion_ratio", "tumour.doubling_time")
_UNIFORM_PATIENT = {
    "bsa": (1.4, 2.2),
    "liver.arterial_share": (0.2, 0.7),
    "liver.extracellular_fraction": (0.15, 0.4),
    "liver.reserve": (0.3, 1.2),
    "liver.shunt": (0.0, 0.5),
    "tumour.diameter": (15.0, 130.0),
    "tumour.extracellular_fraction": (0.2, 0.5),
    "tumour.escape_deviation": (-2.0, 2.0),
    "tumour.arterial_weight_core": (0.9, 1.0),
    "tumour.arterial_weight_escape": (0.3, 0.8),
    "tumour.shunt": (0.0, 0.2),
}
_UNIFORM_CATHETER = {"territory_share": (0.1, 1.0), "coverage": (0.5, 1.0)}


class Draw(NamedTuple):
    """One random set per lane: the records, and the generator for what a test draws on top."""

    drug: Drug
    patient: Patient
    catheter: Catheter
    rng: np.random.Generator

    def scenario(self, regimen: Regimen) -> Scenario:
        """The set under a regimen, which must give the set's own drug."""
        assert all(drug is self.drug for drug in regimen.drugs)
        return Scenario(self.patient, regimen, catheter=self.catheter)

    def run(self, regimen: Regimen, until_h: float) -> Run:
        """The set under a regimen, followed until a horizon [h]."""
        return Run(self.scenario(regimen), until_h)

    def changed(
        self,
        *,
        drug: dict[str, object] | None = None,
        patient: dict[str, object] | None = None,
        catheter: dict[str, object] | None = None,
    ) -> Draw:
        """The same set with some values replaced."""
        return self._replace(
            drug=quietly(self.drug, drug or {}),
            patient=quietly(self.patient, patient or {}),
            catheter=quietly(self.catheter, catheter or {}),
        )

    def linear(self) -> Draw:
        """Without saturation: what the closed forms speak of."""
        return self.changed(drug={"km_other": np.inf, "liver.km": np.inf})

    def unshunted(self) -> Draw:
        """Without the shunt of the liver."""
        return self.changed(patient={"liver.shunt": 0.0})


def quietly(record: R, values: Mapping[str, object]) -> R:
    """Change values of a record; that they are implausible is the point of a random set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        return record.with_values(values) if values else record


def generator(name: str, seed: int) -> np.random.Generator:
    """A generator for a name and a seed, the same in every process."""
    return np.random.default_rng([zlib.crc32(name.encode()), seed])


def spread(rng: np.random.Generator, n: int, factor: float = FACTOR) -> Array:
    """Factors, log-uniform between 1/factor and factor."""
    return np.exp(rng.uniform(-np.log(factor), np.log(factor), n))


def draw(name: str, *, seed: int = 0, n: int = N) -> Draw:
    """Return n random sets around a drug of the library."""
    rng = generator(name, seed)
    drug, patient = library.drug(name), library.patient("hcc_reference")
    values: dict[str, Array] = {path: drug.get(path) * spread(rng, n) for path in _SPREAD_DRUG}
    values["blood_plasma_ratio"] = drug.blood_plasma_ratio * spread(rng, n, 1.5)
    values["bound.fraction"] = rng.uniform(0.0, 1.0, n)
    values["bound.tumour_fraction"] = rng.uniform(0.0, 1.0, n)
    _settle_liver(values, drug, rng, n)
    person = {path: patient.get(path) * spread(rng, n) for path in _SPREAD_PATIENT}
    person |= {path: rng.uniform(low, high, n) for path, (low, high) in _UNIFORM_PATIENT.items()}
    reached = {path: rng.uniform(low, high, n) for path, (low, high) in _UNIFORM_CATHETER.items()}
    return Draw(
        quietly(drug, values), quietly(patient, person), quietly(library.catheter("lobar"), reached), rng
    )


def _settle_liver(values: dict[str, Array], drug: Drug, rng: np.random.Generator, n: int) -> None:
    """Extraction, such that CL_h <= CL and uptake < exchange."""
    flow = drug.reference.liver_flow * ML_PER_MIN * values["blood_plasma_ratio"]
    parenchyma = drug.reference.parenchyma_volume * 1e-3
    highest = np.minimum(0.95, 0.98 * values["cl_total"] / flow)
    odds = drug.extraction / (1.0 - drug.extraction) * spread(rng, n)
    extraction = np.minimum(odds / (1.0 + odds), highest)
    apparent = extraction * flow / (1.0 - extraction)
    values["extraction"] = extraction
    values["liver.ps"] = np.maximum(values["liver.ps"], 1.1 * apparent / parenchyma)


def solved(
    *runs: Run, times: object = None, rtol: float = 1e-5, observers: tuple[object, ...] = ()
) -> Solution:
    """Solve runs together; no lane may fail."""
    solution = solve_runs(runs, times, Options(rtol=rtol, observers=observers, max_steps=20_000))  # type: ignore[arg-type]
    assert not solution.failed.any(), next(r for r in solution.reasons if r)
    return solution


def lanes(solution: Solution, chosen: slice) -> Solution:
    """Some lanes of a solution."""
    values = {f.name: getattr(solution, f.name)[..., chosen] for f in fields(Solution) if f.name != "reasons"}
    return Solution(reasons=solution.reasons[chosen], **values)


def infinite(solution: Solution, what: str = "plasma") -> Array:
    """AUC from zero to infinity of plasma, tissue or extracellular space [mg h/L], (n,)."""
    total = getattr(solution, f"{what}_auc") + getattr(solution, f"{what}_auc_rest")
    return total[0]


def worst(found: Array, expected: Array) -> float:
    """Largest relative deviation; NaN counts as infinite."""
    found, expected = np.broadcast_arrays(np.asarray(found, dtype=float), np.asarray(expected, dtype=float))
    size = np.maximum(np.abs(expected), np.finfo(float).tiny)
    deviation = np.where(found == expected, 0.0, np.abs(found - expected) / size)
    return float(np.max(np.where(np.isnan(deviation), np.inf, deviation)))


class Anatomy(NamedTuple):
    """Numbers of a set as MODEL section 8 uses them: exchange flows Q [L/h], losses, extractions, shares."""

    drug: DrugColumns
    patient: PatientColumns
    zone_flow: Array  # (2, n) Q_z
    zone_loss: Array  # (2, n) L_z
    flow: Array  # (2, n) whole exchange flow of served and other liver, shunt included
    uptake: Array  # (2, n) CLi' of served and other parenchyma
    share: Array  # (3, n) s_core, s_escape, s_served

    def kept(self) -> Array:
        """1 - E of served and other liver, (2, n); with a shunt sh + (1 - sh) Q/(Q + CLi')."""
        through = (1.0 - self.patient.liver_shunt) * self.flow
        past = through / np.where(through > 0.0, through + self.uptake, 1.0)
        return self.patient.liver_shunt + (1.0 - self.patient.liver_shunt) * past

    def clearance(self) -> Array:
        """CL = CL_oth + sum Q E + sum Q_z L_z/(Q_z + L_z) [L/h]."""
        tumour = in_series(self.zone_flow, self.zone_loss)
        liver = self.flow * (1.0 - self.kept())
        return self.drug.cl_other[0] + liver.sum(axis=0) + tumour.sum(axis=0)

    def availability(self) -> Array:
        """A = phi_sh + (1 - phi_sh)(sum_z s_z Q_z/(Q_z + L_z) + s_S (1 - E_S))."""
        shunt = self.patient.tumour_shunt
        total = self.zone_flow + self.zone_loss
        tumour = (self.share[:2] * self.zone_flow / np.where(total > 0.0, total, 1.0)).sum(axis=0)
        return shunt + (1.0 - shunt) * (tumour + self.share[2] * self.kept()[0])


def in_series(one: Array, other: Array) -> Array:
    """Two clearances one behind the other."""
    total = one + other
    return one * other / np.where(total > 0.0, total, 1.0)


def anatomy(scenario: Scenario) -> Anatomy:
    """Work out flows, losses and shares by hand from the columns, without the solver."""
    [batch] = lower([Run(scenario, 1e4)])
    d, p = batch.problem.drug, batch.problem.patient
    flows = read_geometry(batch.problem, p.zone_volume, np.zeros_like(p.zone_volume)).flows
    ratio, volume = d.blood_plasma_ratio[0], p.zone_volume
    cells = d.loss_cellular[0] * d.tumour_kp[0] * (1.0 - p.tumour_extracellular) * volume
    exchange = d.tumour_ps[0] * volume
    loss = d.loss_extracellular[0] * p.tumour_extracellular * volume + in_series(exchange, cells)
    liver = np.stack([p.served, p.other])
    uptake = in_series(d.liver_ps[0] * liver, d.liver_clint[0] * liver)
    share = perfusion.split(flows, target_preference=1.0, patent_tumour=1.0, patent_served=1.0)
    whole = ratio * np.stack([flows.served_arterial + flows.served_portal, flows.other])
    return Anatomy(d, p, ratio * flows.zone, loss, whole, uptake, share)
