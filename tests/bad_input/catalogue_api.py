"""Bad input through the Python interface: records, doses and regimens, scenarios and their paths."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from cases import api

import pkmodel as pk
from pkmodel.errors import (
    FileError,
    InputError,
    ParameterError,
    PlausibilityWarning,
    RegimenError,
    UnitError,
    UnknownNameError,
)
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.inputs.record import Record

DOX = "doxorubicin"
DIAMETER = "patient.tumour.diameter"


def patient(path: Any, value: object) -> pk.Patient:
    """The reference patient with one value changed."""
    return pk.patient("hcc_reference").with_value(path, value)


def drug(path: Any, value: object) -> pk.Drug:
    """Doxorubicin with one value changed."""
    return pk.drug(DOX).with_value(path, value)


def release(**values: Any) -> ReleaseParameters:
    """A release law."""
    return ReleaseParameters(**values)


def treated(path: Any, value: object, regimen: pk.Regimen | None = None) -> pk.Scenario:
    """A scenario with one value changed."""
    scenario = pk.Scenario("hcc_reference", pk.hepatic_artery(DOX, 50) if regimen is None else regimen)
    return scenario.with_value(path, value)


RECORDS = (
    # numbers that are none
    api("nan", lambda: patient("tumour.diameter", math.nan), ParameterError, DIAMETER, "nan mm", "[0, 300] mm"),
    api("inf", lambda: patient("tumour.diameter", math.inf), ParameterError, DIAMETER, "inf mm", "[0, 300] mm"),
    api("negative", lambda: patient("liver.flow", -5), ParameterError, "patient.liver.flow = -5 mL/min", "[0, 100000]"),
    api("minus-inf-where-inf-is-legal", lambda: drug("km_other", -math.inf), ParameterError, "drug.km_other", "or inf"),
    api("nan-text", lambda: patient("bsa", "nan m2"), ParameterError, "patient.bsa", "nan m2", "[0.001, 4] m2"),
    api("bool", lambda: patient("bsa", True), ParameterError, "patient.bsa", "True (bool)", "[0.001, 4] m2"),
    api("numpy-bool", lambda: patient("bsa", np.True_), ParameterError, "patient.bsa", "True", "not a number"),
    api("complex", lambda: patient("bsa", 1.8 + 0j), ParameterError, "patient.bsa", "(complex)", "[0.001, 4] m2"),
    api("none", lambda: patient("bsa", None), ParameterError, "patient.bsa", "None", "[0.001, 4] m2"),
    api("text", lambda: patient("bsa", "big"), ParameterError, "patient.bsa", "'big' is not a number", "[0.001, 4] m2"),
    api("empty-text", lambda: patient("bsa", ""), ParameterError, "patient.bsa", "'' is not a number"),
    api("bytes", lambda: patient("bsa", b"1.8"), ParameterError, "patient.bsa", "(bytes)"),
    api("dict", lambda: patient("bsa", {"value": 1.8}), ParameterError, "patient.bsa", "(dict)"),
    api("list-of-lists", lambda: patient("bsa", [1.8, [1.7]]), ParameterError, "patient.bsa[1]", "[1.7] (list)"),
    api("object-array", lambda: patient("bsa", np.array([1.8, None])), ParameterError, "patient.bsa", "object"),
    api("complex-array", lambda: patient("bsa", np.array([1j])), ParameterError, "patient.bsa", "complex128"),
    api("bool-array", lambda: patient("bsa", np.array([True])), ParameterError, "patient.bsa", "bool"),
    api("matrix", lambda: patient("bsa", np.ones((2, 2))), ParameterError, "patient.bsa", "(2, 2)", "one dimension"),
    api("empty-array", lambda: patient("bsa", []), ParameterError, "patient.bsa", "empty"),
    api("masked", lambda: patient("bsa", np.ma.masked_equal([1.8, 2], 2)), ParameterError, "patient.bsa", "masked"),
    api("nan-in-array", lambda: patient("bsa", np.array([1.8, math.nan])), ParameterError, "patient.bsa[1] = nan m2"),
    api("bad-lane", lambda: patient("bsa", [1.8, 1.9, 9]), ParameterError, "bsa[2] = 9 m2", "[0.001, 4] m2"),
    api("too-large", lambda: patient("bsa", 10**400), ParameterError, "patient.bsa", "too large", "[0.001, 4] m2"),
    # units
    api("wrong-unit", lambda: patient("liver.flow", "78 kg"), UnitError, "liver.flow", "'kg' (mass)", "'mL/min'"),
    api("unknown-unit", lambda: patient("liver.flow", "1 mL/mn"), UnitError, "liver.flow", "'mn'", "'min'"),
    api("decimal-comma", lambda: patient("bsa", "1,8 m2"), UnitError, "patient.bsa", "'1,8 m2'", "decimal comma"),
    api("two-numbers", lambda: patient("bsa", "1 500 m2"), UnitError, "patient.bsa", "'1 500 m2'", "two numbers"),
    api("cm-for-mm", lambda: patient("tumour.diameter", "60 cm"), ParameterError, DIAMETER, "600 mm", "[0, 300] mm"),
    api("mm-as-cm", lambda: patient("tumour.diameter", 6 / 10), PlausibilityWarning, DIAMETER, "0.6 mm", "[5, 200] mm"),
    api("flow-times-60", lambda: patient("liver.flow", "78 L/min"), PlausibilityWarning, "78000 mL/min", "[400, 2200]"),
    api("flow-over-60", lambda: patient("liver.flow", "1.3 L/h"), PlausibilityWarning, "21.6667 mL/min", "[400, 2200]"),
    api("flow-in-litres", lambda: patient("liver.flow", 1.3), PlausibilityWarning, "1.3 mL/min", "[400, 2200] mL/min"),
    api("volume-in-litres", lambda: patient("liver.parenchyma_volume", 1.24), PlausibilityWarning, "1.24 mL", "[500"),
    api("clearance-over-60", lambda: drug("cl_total", 53.3 / 60), PlausibilityWarning, "drug.cl_total",
        "[20, 110] L/h"),
    api("clearance-in-ml-min", lambda: drug("cl_total", 888.0), PlausibilityWarning, "888 L/h", "[20, 110] L/h"),
    api("ec50-times-1000", lambda: drug("kill.ec50", 58.2), PlausibilityWarning, "drug.kill.ec50", "[0.001, 2] mg/L"),
    api("percent-as-share", lambda: drug("extraction", 33), ParameterError, "drug.extraction = 33", "[0, 0.99]"),
    api("days-for-hours", lambda: drug("bound.half_life", "19 d"), PlausibilityWarning, "456 h", "[5, 80] h"),
    # names and rules
    api("unknown-field", lambda: patient("tumor.diameter", 50), UnknownNameError, "'tumor.diameter'",
        "'tumour.diameter'"),
    api("path-no-text", lambda: patient(3, 50), UnknownNameError, "3", "a path is a text"),
    api("unknown-replace", lambda: pk.drug(DOX).replace(cl=3), UnknownNameError, "'cl' of a drug", "choose from"),
    api("not-a-mapping", lambda: pk.drug(DOX).with_values([1]), InputError, "drug", "mapping", "[1]"),
    api("unknown-choice", lambda: patient("species", "humans"), ParameterError, "species = 'humans'", "'human'"),
    api("choice-no-text", lambda: patient("species", 3), ParameterError, "patient.species", "3 (int)", "human, rabbit"),
    api("name-with-slash", lambda: pk.patient("pig").replace(name="../x"), ParameterError, "patient.name", "'../x'"),
    api("gompertz-capacity-below-volume", lambda: pk.patient("hcc_reference").with_values(
        {"tumour.growth": "gompertz", "tumour.growth_capacity": 100}), ParameterError,
        "patient.tumour.growth_capacity", "113.1 mL", "gompertz"),
    api("no-tumour-with-diameter", lambda: patient("tumour_type", "none"), ParameterError, DIAMETER, "'none'", "0"),
    api("mismatched-lengths", lambda: pk.patient("hcc_reference").with_values(
        {"bsa": [1.7, 1.8], "tumour.diameter": [40, 50, 60]}), ParameterError, "bsa has 2", "tumour.diameter has 3"),
    api("internal-of-text", lambda: pk.drug(DOX).internal("name"), ParameterError, "drug.name", "no unit"),
    # release laws
    api("law-parameter-missing", lambda: release(law="weibull", scale=1), ParameterError, "release.shape",
        "scale, shape"),
    api("law-shape-too-small", lambda: release(law="weibull", scale=1, shape=0.01), ParameterError,
        "release.shape = 0.01",
        "[0.05, 20]"),
    api("law-exponent-too-small", lambda: release(law="korsmeyer_peppas", rate_constant=1, exponent=0), ParameterError,
        "release.exponent = 0", "[0.05, 5]"),
    api("law-scale-zero", lambda: release(law="weibull", scale=0, shape=1), ParameterError, "release.scale = 0 h",
        "[1e-09, 1e+06] h"),
    api("law-unknown", lambda: release(law="weibul"), ParameterError, "release.law = 'weibul'", "'weibull'"),
    api("table-lengths", lambda: release(law="tabulated", times=[0, 1], fractions=[0]), ParameterError, "2 values",
        "1"),
    api("table-unsorted", lambda: release(law="tabulated", times=[0, 2, 1], fractions=[0, 0.1, 0.2]), ParameterError,
        "release.times[2] = 1 after 2", "increase"),
    api("table-falls", lambda: release(law="tabulated", times=[0, 1, 2], fractions=[0, 0.5, 0.4]), ParameterError,
        "release.fractions[2] = 0.4 after 0.5"),
    api("table-above-one", lambda: release(law="tabulated", times=[0, 1], fractions=[0, 1.1]), ParameterError,
        "release.fractions[1] = 1.1", "[0, 1]"),
    api("table-text", lambda: release(law="tabulated", times="0 1", fractions=[0, 1]), ParameterError, "release.times"),
    api("release-without-effect", lambda: pk.carrier("beads").with_value("release.rate", 0.1), ParameterError,
        "carrier.release.rate", "no effect", "'biexponential'", "fast_rate, fast_share, slow_rate"),
)  # fmt: skip


def dose(**fields: Any) -> pk.Dose:
    """A dose of doxorubicin made by hand."""
    made: dict[str, Any] = {"drugs": (pk.drug(DOX),), "amounts": {DOX: 50}, "route": "hepatic_artery"} | fields
    return pk.Dose(**made)


def tace(**fields: Any) -> pk.Regimen:
    """A chemoembolisation."""
    return pk.chemoembolisation(DOX, 50, **({"carrier": "beads"} | fields))


DOSES = (
    api("unknown-drug", lambda: pk.iv("doxorubicine", 50), UnknownNameError,
        "no drug 'doxorubicine'; did you mean 'doxorubicin'? (cisplatin, doxorubicin, fluorouracil, mitomycin_c)"),
    api("drug-number", lambda: pk.iv(3, 50), InputError, "drug: expected a Drug", "3"),
    api("drug-none", lambda: pk.iv(None, 50), InputError, "drug: expected a Drug", "None"),
    api("drug-climbs-out", lambda: pk.drug("../patients/pig"), UnknownNameError, "'../patients/pig'", DOX),
    api("drug-no-file", lambda: pk.drug("nowhere/x.toml"), FileError, "nowhere/x.toml"),
    api("drug-null-byte", lambda: pk.drug("a\0.toml"), FileError, "a\\x00.toml", "null byte"),
    api("dose-missing", lambda: pk.iv(DOX), RegimenError, DOX, "mg"),
    api("dose-negative", lambda: pk.iv(DOX, -5), ParameterError, "dose.doxorubicin = -5 mg", "[0, 1e+06] mg"),
    api("dose-nan", lambda: pk.iv(DOX, [50, math.nan]), ParameterError, "dose.doxorubicin[1] = nan mg"),
    api("dose-wrong-unit", lambda: pk.iv(DOX, "50 mL"), UnitError, "dose.doxorubicin", "'mL' (volume)", "'mg' (mass)"),
    api("dose-comma", lambda: pk.iv(DOX, "5,5 mg"), UnitError, "dose.doxorubicin", "'5,5 mg'", "decimal comma"),
    api("dose-grams", lambda: pk.Scenario("hcc_reference", pk.iv(DOX, "50 g")), PlausibilityWarning,
        "dose.doxorubicin: 50000 mg", "150] mg"),
    api("dose-micrograms", lambda: pk.Scenario("hcc_reference", pk.iv(DOX, "50 ug")), PlausibilityWarning,
        "dose.doxorubicin: 0.05 mg", "150] mg"),
    api("dose-twice", lambda: pk.iv({DOX: 50}, 50), RegimenError, "one or the other"),
    api("amounts-number", lambda: dose(amounts=50), RegimenError, "pairs of drug name and mg", "50"),
    api("amounts-lists", lambda: dose(amounts=[[DOX, 50]]), RegimenError, "pairs of drug name and mg"),
    api("amounts-of-another", lambda: dose(amounts={"cisplatin": 50}), RegimenError, DOX, "cisplatin"),
    api("route-unknown", lambda: dose(route="vein"), ParameterError, "dose.route = 'vein'", "hepatic_artery, iv"),
    api("duration-negative", lambda: pk.iv(DOX, 50, duration_h=-1), ParameterError, "duration = -1 h", "[0, 10000] h"),
    api("duration-hours-for-minutes", lambda: tace(duration_h="15 h"), PlausibilityWarning, "dose.duration: 15 h",
        "[0.02, 2] h"),
    api("depot-in-a-vein", lambda: dose(route="iv", carrier=pk.carrier("beads")), RegimenError, "'beads'", "vein"),
    api("depot-missing", lambda: dose(route="extravascular"), RegimenError, "extravascular", "carrier"),
    api("carrier-missing", lambda: tace(carrier=None), RegimenError, "needs a carrier"),
    api("carrier-unknown", lambda: tace(carrier="bead"), UnknownNameError, "no carrier 'bead'", "'beads'"),
    api("embolic-unknown", lambda: tace(embolic="sponge"), UnknownNameError, "no embolic 'sponge'", "gelatin_sponge"),
    api("embolic-number", lambda: tace(embolic=3), InputError, "embolic: expected an Embolic", "3"),
    api("embolic-twice", lambda: pk.embolisation("lipiodol+lipiodol"), RegimenError, "twice", "lipiodol"),
    api("embolic-joined-badly", lambda: pk.embolisation("lipiodol+"), UnknownNameError, "no embolic ''"),
    api("session-empty", lambda: pk.Session(), RegimenError, "needs a dose or an embolic"),
    api("session-of-text", lambda: pk.Session(doses="x"), ParameterError, "session.doses"),
    api("session-before-0", lambda: pk.iv(DOX, 50, at_h=-1), ParameterError, "session.at = -1 h", "[0, 1e+06] h"),
    api("sessions-overlap", lambda: pk.iv(DOX, 50, duration_h=5) + pk.iv(DOX, 50, at_h=2), RegimenError,
        "session 2 starts at 2 h", "session 1 lasts until 5 h"),
    api("sessions-overlap-in-a-lane", lambda: pk.iv(DOX, 50, duration_h=[1, 5]) + pk.iv(DOX, 50, at_h=2), RegimenError,
        "session 2 starts at 2 h", "(lane 1)"),
    api("regimen-of-text", lambda: pk.Regimen("x"), ParameterError, "regimen.sessions"),
    api("repeat-interval-0", lambda: tace().repeat(every_days=0, times=2), ParameterError, "regimen.every = 0 d",
        "(0,"),
    api("repeat-half", lambda: tace().repeat(every_days=28, times=2.5), ParameterError,
        "regimen.times = 2.5", "whole"),
    api("repeat-minus", lambda: tace().repeat(every_days=28, times=-1), ParameterError, "regimen.times = -1",
        "[1, 10000]"),
    api("repeat-bool", lambda: tace().repeat(every_days=28, times=True), ParameterError, "regimen.times",
        "True (bool)"),
    api("repeat-overlaps", lambda: tace().repeat(every_days="1 min", times=2), RegimenError, "session 2", "session 1"),
    api("repeat-nothing", lambda: pk.Regimen(()).repeat(every_days=28, times=2), RegimenError, "without sessions"),
    api("two-drugs-of-one-name", lambda: pk.iv(DOX, 50) + pk.iv(drug("v1", 20), 50, at_h=24), RegimenError,
        "two different drugs", DOX),
)  # fmt: skip

SCENARIOS = (
    api("patient-unknown", lambda: pk.Scenario("pigg", tace()), UnknownNameError, "no patient 'pigg'", "'pig'"),
    api("patient-number", lambda: pk.Scenario(3, tace()), InputError, "patient: expected a Patient"),
    api("regimen-text", lambda: pk.Scenario("pig", "iv"), ParameterError, "scenario.regimen", "str"),
    api("catheter-none", lambda: pk.Scenario("pig", tace(), catheter=None), InputError, "catheter", "None"),
    api("review-0", lambda: pk.Scenario("pig", tace(), review_days=0), ParameterError, "review_days = 0 d",
        "(0, 100000] d"),
    api("lanes-differ", lambda: treated(DIAMETER, [40, 50, 60], pk.iv(DOX, [50, 60])), ParameterError,
        "patient.tumour.diameter has 3", "dose.doxorubicin has 2"),
    api("path-unknown", lambda: treated("patient.tumor.diameter", 5), UnknownNameError, "'patient.tumor.diameter'",
        "did you mean 'patient.tumour.diameter'"),
    api("path-number", lambda: treated(3, 5), UnknownNameError, "3", "a path is a text"),
    api("path-empty", lambda: treated("", 5), UnknownNameError, "no path ''", "choose from"),
    api("path-of-another-session", lambda: treated("session.2.dose", 5), UnknownNameError, "session.2.dose",
        "session.1.dose"),
    api("path-of-no-carrier", lambda: treated("carrier.occlusion", 0.5), UnknownNameError, "no session has a carrier"),
    api("path-of-other-drug", lambda: treated("drug.cisplatin.v1", 5), UnknownNameError, "drug.cisplatin.v1", "drug"),
    api("values-no-mapping", lambda: pk.Scenario("pig", tace()).with_values("x"),
        InputError, "mapping of path to value", "'x'"),
    api("interval-of-one", lambda: treated("regimen.every", 28), RegimenError, "regimen.every", "regimen.times"),
    api("cycles-without-interval", lambda: treated("regimen.times", 2), RegimenError, "regimen.every", "set it too"),
    api("several-values", lambda: (pk.Scenario("pig", pk.iv(DOX, 20) + pk.iv(DOX, 30, at_h=24))).get("session.dose"),
        RegimenError, "session.dose has several values"),
    api("several-laws-in-a-dose", lambda: pk.simulate(pk.Scenario("hcc_reference", mixed_laws()), until_h=24),
        RegimenError,
        "cisplatin", DOX, "different kinds"),
    api("describe-number", lambda: pk.describe(3), InputError, "scenario: expected a Scenario", "int"),
)  # fmt: skip


def mixed_laws() -> pk.Regimen:
    """Two drugs in one carrier that holds them by laws of different kinds."""
    beads = pk.carrier("beads")
    version = Record.replace(beads.for_drug("cisplatin"), release=release(law="weibull", scale=10, shape=0.7))
    carrier = beads.replace(variants={"cisplatin": version})
    return pk.chemoembolisation({DOX: 50, "cisplatin": 60}, carrier=carrier)
