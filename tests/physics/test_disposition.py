"""The committed drugs keep their published plasma curves, clearances and extractions with the liver inside."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pkmodel.inputs import library
from pkmodel.laws import clearance
from pkmodel.model.columns import derived_clearances
from pkmodel.study.disposition import (
    deviation,
    fit_disposition,
    low_dose_limits,
    reference_subject,
)
from pkmodel.study.disposition_files import load_cases, written_values
from pkmodel.study.reference_curve import LinearCurve

CONFIG = Path(__file__).parents[2] / "experiments" / "00_disposition" / "config.toml"
CASES, FOLDER = load_cases(CONFIG)
each_drug = pytest.mark.parametrize("name", sorted(CASES))


def _value(row: str) -> float:
    return float(library.evidence_row(row)["value"])


def test_every_drug_has_a_case_and_its_file() -> None:
    assert set(CASES) == set(library.names("drugs"))
    assert all((FOLDER / f"{name}.toml").is_file() for name in CASES)


@each_drug
def test_the_curve_is_kept(name: str) -> None:
    assert deviation(library.drug(name), CASES[name]).largest <= 0.05


@each_drug
def test_the_curve_is_kept_from_the_first_seconds_on(name: str) -> None:
    """The windows start late for good reasons, none of which is that the beginning is missed."""
    case = CASES[name]
    longer = replace(case, window_h=(1e-3, case.window_h[1]))
    assert deviation(library.drug(name), longer).largest <= 0.05


@each_drug
def test_clearance_and_extraction_come_out_as_declared(name: str) -> None:
    drug = library.drug(name)
    found, extraction = low_dose_limits(drug, CASES[name])
    assert found == pytest.approx(drug.cl_total, rel=1e-3)
    assert extraction == pytest.approx(drug.extraction, rel=1e-3)


@each_drug
def test_extraction_in_closed_form_is_the_declared_one(name: str) -> None:
    drug = library.drug(name)
    _, per_volume = derived_clearances(drug, 1)
    volume = drug.reference.internal("parenchyma_volume")
    behind = clearance.in_series(drug.liver.ps * volume, per_volume * volume)
    inflow = drug.reference.internal("liver_flow") * drug.blood_plasma_ratio
    assert behind / (inflow + behind) == pytest.approx(drug.extraction, rel=1e-9)


@each_drug
def test_a_rerun_from_the_committed_values_stays_there(name: str) -> None:
    drug, case = library.drug(name), CASES[name]
    fit = fit_disposition(drug, case, start={path: float(drug.get(path)) for path in case.free})
    for path, value in fit.values.items():
        assert value == pytest.approx(drug.get(path), rel=1e-6), path


@pytest.mark.parametrize("name", ["cisplatin", "mitomycin_c"])
def test_a_rerun_from_the_published_values_reproduces_what_is_committed(name: str) -> None:
    drug = library.drug(name)
    for path, stated in written_values(fit_disposition(drug, CASES[name])).items():
        origin = drug.origin(path)
        assert origin is not None
        assert stated["value"] == pytest.approx(drug.get(path), rel=1e-6)
        assert stated["range"] == pytest.approx(origin.range, rel=1e-6)
        assert stated["note"] == origin.note
        assert origin.kind == "fitted"


@each_drug
def test_every_fitted_number_says_so(name: str) -> None:
    drug = library.drug(name)
    for path in CASES[name].free:
        origin = drug.origin(path)
        assert origin is not None
        assert origin.kind == "fitted"
        assert origin.rows
        assert "experiments/00_disposition" in origin.note


@each_drug
def test_the_reference_subject_is_the_one_of_the_drug(name: str) -> None:
    drug = library.drug(name)
    subject = reference_subject(drug)
    assert subject.liver.flow == drug.reference.liver_flow
    assert subject.liver.parenchyma_volume == drug.reference.parenchyma_volume
    assert (subject.bsa, subject.liver.shunt, subject.liver.reserve) == (drug.reference.bsa, 0.0, 1.0)
    assert subject.tumour.diameter == 0.0


def test_the_published_curves_say_what_their_rows_say() -> None:
    adriamycin = CASES["doxorubicin"].curve
    assert isinstance(adriamycin, LinearCurve)
    for key, row in zip(("cl", "v1", "q2", "v2", "q3", "v3"), CASES["doxorubicin"].rows, strict=True):
        assert getattr(adriamycin, key) == _value(row)
    assert adriamycin.half_lives() == pytest.approx([_value(f"dox00{i}") for i in (7, 8, 9)], rel=0.02)
    platinum = CASES["cisplatin"].curve
    assert isinstance(platinum, LinearCurve)
    assert platinum.cl == pytest.approx(_value("CDDP008") * 60 * 1.8)
    assert platinum.v1 == pytest.approx(_value("CDDP009") * 1.8)
    assert math.log(2) / platinum.half_lives()[0] / 60 == pytest.approx(_value("CDDP010"), abs=1e-3)
    mitomycin = CASES["mitomycin_c"].curve
    assert isinstance(mitomycin, LinearCurve)
    assert 60 * mitomycin.half_lives() == pytest.approx([_value("MMC015"), _value("MMC016")], rel=2e-3)
    assert (mitomycin.v1 + mitomycin.v2) / 70 == pytest.approx(_value("MMC013"), rel=2e-3)
    assert mitomycin.cl / 70 / 0.06 == pytest.approx(_value("MMC014"), rel=2e-3)
    fluorouracil = CASES["fluorouracil"].curve
    assert (fluorouracil.vmax, fluorouracil.km) == (_value("FU001"), _value("FU002"))  # type: ignore[union-attr]
    assert fluorouracil.v1 == pytest.approx(_value("FU016") * 1.8, rel=0.02)


def test_the_published_doxorubicin_curve_peaks_as_its_row_says() -> None:
    case = CASES["doxorubicin"]
    peak = case.curve.concentration(np.array([0.25]), dose_mg=50.0, duration_h=0.25)[0]
    assert peak == pytest.approx(_value("dox010"), rel=0.01)
