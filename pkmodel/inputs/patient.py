"""A patient (or an animal) and the catheter's reach in the patient's liver."""

from __future__ import annotations

from math import inf, pi
from typing import ClassVar

import numpy as np

from pkmodel.errors import ParameterError
from pkmodel.inputs.record import NAME_PATTERN, Record, Value, number, part, record, text

SPECIES = ("human", "rabbit", "pig", "dog", "rat", "mouse")
TUMOUR_TYPES = ("hcc", "metastasis", "vx2", "none")
CHILD_PUGH = ("A", "B", "C", "mixed", "none")
PORTAL_THROMBOSIS = ("none", "branch", "main")


@record
class PatientLiver(Record):
    """Liver: flow, volume, reserve."""

    label: ClassVar[str] = "patient.liver"
    flow: Value = number("mL/min", 0, 1e5, "hepatic blood flow, artery and portal vein")
    arterial_share: Value = number("1", 0, 1, "arterial share of the hepatic flow")
    buffer_gain: Value = number("1", 0, 1, "part of lost portal flow that the artery takes over")
    portal_open: Value = number("1", 0, 1, "open part of the portal flow")
    parenchyma_volume: Value = number("mL", 0, 1e5, "volume of liver parenchyma")
    extracellular_fraction: Value = number(
        "1", 0, 1, "extracellular part of the parenchyma", low_open=True, high_open=True
    )
    reserve: Value = number("1", 0, 3, "functional reserve: multiplies intrinsic clearance", low_open=True)
    shunt: Value = number("1", 0, 0.95, "part of the hepatic flow that bypasses the parenchyma")
    critical_supply: Value = number("1", 0, 1, "oxygen supply below which parenchyma becomes ischaemic", low_open=True)


@record
class PatientTumour(Record):
    """Tumour: geometry, supply, escape zone, ischaemia, growth."""

    label: ClassVar[str] = "patient.tumour"
    diameter: Value = number("mm", 0, 300, "diameter of one nodule; 0 = no tumour")
    count: Value = number("1", 1, 1000, "number of equal nodules")
    perfusion_ratio: Value = number("1", 0, 100, "arterial perfusion, tumour over parenchyma", low_open=True)
    extracellular_fraction: Value = number("1", 0, 1, "extracellular part of the tumour", low_open=True, high_open=True)
    escape_intercept: Value = number("1", -50, 50, "b0: logit of the escape share at 30 mm")
    escape_slope: Value = number("1", -50, 50, "b1: slope of that logit in ln(diameter/30 mm)")
    escape_deviation: Value = number("1", -50, 50, "eta: this tumour's deviation on the logit scale", default=0.0)
    escape_spread: Value = number("1", 0, 20, "omega: standard deviation of eta between tumours")
    arterial_weight_core: Value = number("1", 0, 1, "arterial weight of the core", low_open=True)
    arterial_weight_escape: Value = number("1", 0, 1, "arterial weight of the escape zone")
    collateral_supply: Value = number("1", 0, 1, "q_min: supply that no occlusion removes", high_open=True)
    critical_supply: Value = number("1", 0, 1, "s_crit: supply below which tissue is ischaemic", low_open=True)
    hypoxia_time: Value = number("h", 0, 1e4, "tau: time constant of hypoxia", low_open=True)
    ischaemic_kill_rate: Value = number("1/d", 0, 1e3, "k_hyp: kill rate under full hypoxia")
    growth: str = text("growth law", ("exponential", "gompertz"))
    doubling_time: Value = number("d", 0, inf, "doubling time; inf = no growth", low_open=True, allow_inf=True)
    growth_capacity: Value = number(
        "mL", 0, inf, "Gompertz capacity of the whole tumour", low_open=True, allow_inf=True
    )
    resorption_half_life: Value = number("d", 0, inf, "half-life of necrotic tissue", low_open=True, allow_inf=True)
    escape_recovery: Value = number("1", 0, 1, "r: part of the escape zone that becomes core in the recovery time")
    escape_recovery_time: Value = number("d", 0, 1e5, "recovery time of r", low_open=True)
    shunt: Value = number("1", 0, 1, "phi_sh: part of dissolved arterial drug that bypasses to the veins")

    @property
    def volume_ml(self) -> Value:
        """Volume of all nodules [mL]."""
        return self.count * pi / 6 * (self.diameter / 10) ** 3

    def check(self) -> None:
        """A Gompertz tumour must be smaller than its capacity."""
        if self.growth != "gompertz":
            return
        if np.any(np.isinf(self.growth_capacity)) or np.any(self.growth_capacity <= self.volume_ml):
            raise ParameterError(
                "patient.tumour.growth_capacity must be finite and above the tumour's volume "
                f"({np.max(self.volume_ml):.4g} mL, from diameter and count) when growth is 'gompertz'",
                field="patient.tumour.growth_capacity",
                value=self.growth_capacity,
                unit="mL",
                legal=f"({np.max(self.volume_ml):.4g}, inf) mL",
            )


@record
class PatientMarrow(Record):
    """Bone marrow at baseline."""

    label: ClassVar[str] = "patient.marrow"
    neutrophils: Value = number("1e9/L", 0, 1e3, "neutrophils at baseline", low_open=True)
    neutrophil_mtt: Value = number("h", 0, 1e4, "mean transit time of neutrophils", low_open=True)
    neutrophil_feedback: Value = number("1", 0, 5, "feedback exponent of neutrophils")
    leukocytes: Value = number("1e9/L", 0, 1e3, "leukocytes at baseline", low_open=True)
    leukocyte_mtt: Value = number("h", 0, 1e4, "mean transit time of leukocytes", low_open=True)
    leukocyte_feedback: Value = number("1", 0, 5, "feedback exponent of leukocytes")


@record
class Patient(Record):
    """A patient or animal before the first session."""

    label: ClassVar[str] = "patient"
    name: str = text("library name", pattern=NAME_PATTERN)
    title: str = text("name for people", default="", identity=False)
    species: str = text("species", SPECIES)
    tumour_type: str = text("tumour type", TUMOUR_TYPES)
    child_pugh: str = text("Child-Pugh class", CHILD_PUGH)
    portal_thrombosis: str = text("portal vein thrombosis", PORTAL_THROMBOSIS)
    bsa: Value = number("m2", 0.001, 4, "body surface area")
    body_weight: Value = number("kg", 0, 500, "body weight", low_open=True)
    liver: PatientLiver = part(PatientLiver, "liver")
    tumour: PatientTumour = part(PatientTumour, "tumour")
    marrow: PatientMarrow = part(PatientMarrow, "bone marrow")

    def check(self) -> None:
        """A patient of tumour type ``none`` has no tumour."""
        if self.tumour_type == "none" and np.any(self.tumour.diameter > 0):
            raise ParameterError(
                "patient.tumour.diameter must be 0 when patient.tumour_type is 'none'; set the type as well",
                field="patient.tumour.diameter",
                value=self.tumour.diameter,
                unit="mm",
                legal="[0, 0] mm",
            )


@record
class Catheter(Record):
    """The catheter's position: which part of the liver and of the tumour it reaches."""

    label: ClassVar[str] = "catheter"
    name: str = text("library name", pattern=NAME_PATTERN)
    title: str = text("name for people", default="", identity=False)
    territory_share: Value = number("1", 0, 1, "share of the parenchyma in the territory", low_open=True)
    coverage: Value = number("1", 0, 1, "share of the tumour within reach")
