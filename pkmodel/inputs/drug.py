"""A drug: disposition in the body, exchange with liver and tumour, kill, marrow toxicity."""

from __future__ import annotations

from math import inf
from typing import ClassVar

from pkmodel.inputs.record import NAME_PATTERN, Record, Value, number, part, record, text


@record
class Reference(Record):
    """The subject in whom the disposition was measured."""

    label: ClassVar[str] = "drug.reference"
    bsa: Value = number("m2", 0, 4, "body surface area", low_open=True)
    liver_flow: Value = number("mL/min", 0, 1e5, "hepatic blood flow, artery and portal vein")
    parenchyma_volume: Value = number("mL", 0, 1e5, "volume of liver parenchyma")


@record
class DrugLiver(Record):
    """Exchange with and elimination by liver parenchyma."""

    label: ClassVar[str] = "drug.liver"
    kp: Value = number("1", 0, 1e6, "tissue partition coefficient of the cells", low_open=True)
    ps: Value = number("L/h/L", 0, 1e6, "uptake clearance of the cells per tissue volume", low_open=True)
    km: Value = number(
        "mg/L",
        0,
        inf,
        "Michaelis constant on the medium-equivalent concentration; inf = linear",
        low_open=True,
        allow_inf=True,
    )


@record
class DrugTumour(Record):
    """Exchange with and loss in tumour tissue."""

    label: ClassVar[str] = "drug.tumour"
    kp: Value = number("1", 0, 1e6, "tissue partition coefficient of the cells", low_open=True)
    ps: Value = number("L/h/L", 0, 1e6, "uptake clearance of the cells per tissue volume")
    loss_extracellular: Value = number("1/h", 0, 1e4, "chemical loss in the extracellular space")
    loss_cellular: Value = number("1/h", 0, 1e4, "loss in the cells by binding or metabolism")


@record
class DrugBound(Record):
    """Daughter outside the parent's balance: bound platinum, doxorubicinol."""

    label: ClassVar[str] = "drug.bound"
    fraction: Value = number("1", 0, 1, "part of the systemic elimination that becomes the daughter")
    half_life: Value = number("h", 0, 1e5, "half-life of the daughter in the body", low_open=True)
    volume: Value = number("L", 0, 1e5, "volume of distribution of the daughter", low_open=True)
    tumour_fraction: Value = number("1", 0, 1, "part of the cellular tumour loss that becomes the daughter")
    tumour_half_life: Value = number("h", 0, 1e5, "half-life of the daughter in tumour tissue", low_open=True)


@record
class DrugKill(Record):
    """Kill of tumour cells by the unbound medium-equivalent concentration."""

    label: ClassVar[str] = "drug.kill"
    kmax: Value = number("1/h", 0, 1e3, "largest kill rate")
    ec50: Value = number("mg/L", 0, 1e6, "unbound medium concentration of half-maximal kill", low_open=True)
    hill: Value = number("1", 1, 10, "Hill exponent")
    hypoxia_factor: Value = number("1", 0, 20, "kill rate under full hypoxia over that in normoxia")
    potency: Value = number("1", 0, 100, "in-vivo potency, the median over tumours")
    potency_spread: Value = number("1", 0, 5, "standard deviation of the log potency between tumours")


@record
class DrugMarrow(Record):
    """Effect on the bone marrow; nan where no slope is known."""

    label: ClassVar[str] = "drug.marrow"
    neutrophil_slope: Value = number("L/mg", 0, 1e6, "effect per total plasma concentration", allow_nan=True)
    leukocyte_slope: Value = number("L/mg", 0, 1e6, "effect per total plasma concentration", allow_nan=True)
    neutrophil_mtt: Value = number(
        "h", 0, 1e4, "mean transit time under this drug; nan = the patient's", low_open=True, allow_nan=True
    )


@record
class Drug(Record):
    """A drug. Clearance is for the reference subject; see MODEL, section 1, for what is derived from it.

    Whether clearance, extraction and exchange are possible together is decided where they meet the reference
    subject's flow, when a scenario is lowered.
    """

    label: ClassVar[str] = "drug"
    name: str = text("library name", pattern=NAME_PATTERN)
    title: str = text("name for people", default="", identity=False)
    molar_mass: Value = number("g/mol", 10, 5000, "molar mass")
    usual_dose: Value = number("mg", 0, 1e6, "usual arterial dose", low_open=True)
    cl_total: Value = number("L/h", 0, 1e4, "total plasma clearance, low-dose limit", low_open=True)
    extraction: Value = number("1", 0, 0.99, "steady hepatic extraction ratio, low-dose limit")
    blood_plasma_ratio: Value = number("1", 0.1, 10, "blood:plasma concentration ratio")
    fraction_unbound: Value = number("1", 0, 1, "unbound fraction in plasma", low_open=True)
    v1: Value = number("L", 0, 1e5, "central volume", low_open=True)
    q2: Value = number("L/h", 0, 1e5, "clearance to the first peripheral compartment")
    v2: Value = number("L", 0, 1e5, "first peripheral volume")
    q3: Value = number("L/h", 0, 1e5, "clearance to the second peripheral compartment")
    v3: Value = number("L", 0, 1e5, "second peripheral volume")
    km_other: Value = number(
        "mg/L",
        0,
        inf,
        "Michaelis constant of the other, non-hepatic clearance; inf = linear",
        low_open=True,
        allow_inf=True,
    )
    reference: Reference = part(Reference, "subject of the disposition")
    liver: DrugLiver = part(DrugLiver, "liver parenchyma")
    tumour: DrugTumour = part(DrugTumour, "tumour tissue")
    bound: DrugBound = part(DrugBound, "daughter")
    kill: DrugKill = part(DrugKill, "tumour kill")
    marrow: DrugMarrow = part(DrugMarrow, "bone marrow")
