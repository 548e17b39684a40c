"""Carriers with their release laws, and the rules between a patient's values."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pkmodel.errors import ParameterError, PlausibilityWarning
from pkmodel.inputs import library
from pkmodel.inputs.materials import Carrier, ReleaseParameters
from pkmodel.inputs.patient import Patient


def test_a_carriers_change_reaches_its_versions() -> None:
    carrier = library.carrier("lipiodol_emulsion")
    for changed in (carrier.with_value("occlusion", 0.4), carrier.replace(occlusion=0.4)):
        assert changed.occlusion == 0.4
        assert {each.occlusion for _, each in changed.variants} == {0.4}
    slower = carrier.with_value("release.slow_rate", 0.05)
    assert {each.release.slow_rate for _, each in slower.variants} == {0.05}
    assert slower.variants[0][1].release.fast_share == carrier.variants[0][1].release.fast_share
    version = carrier.for_drug("cisplatin").replace(lung_share=[0.1, 0.2])
    assert carrier.replace(variants={"cisplatin": version}).size == 2
    with pytest.raises(ParameterError, match=r"lung_share has 3 values but for\.cisplatin\.lung_share has 2"):
        carrier.replace(variants=()).replace(lung_share=[0.1] * 3, variants={"cisplatin": version})
    for wrong in ({"x": 3}, {3: version}, {"x": carrier}):
        with pytest.raises(ParameterError, match="carriers without variants"):
            carrier.replace(variants=wrong)


RELEASE = [
    ("none", {}),
    ("first_order", {"rate": 1}),
    ("biexponential", {"fast_share": 0.3, "fast_rate": 3, "slow_rate": 0.1}),
    ("weibull", {"scale": 3, "shape": 0.7}),
    ("higuchi", {"rate_constant": 0.2}),
    ("korsmeyer_peppas", {"rate_constant": 0.2, "exponent": 0.4}),
    ("tabulated", {"times": [0, 1], "fractions": [0, 0.5]}),
]


@pytest.mark.parametrize(("law", "values"), RELEASE)
def test_a_law_needs_its_own_parameters(law: str, values: dict[str, Any]) -> None:
    assert ReleaseParameters(law=law, **values).law == law
    for missing in values:
        rest = {name: value for name, value in values.items() if name != missing}
        with pytest.raises(ParameterError, match=rf"carrier.release.{missing} is missing; law '{law}' needs"):
            ReleaseParameters(law=law, **rest)


@pytest.mark.parametrize(
    ("times", "fractions", "words"),
    [
        ([0, 1, 2], [0, 1], "3 values and fractions 2"),
        ([0], [0], "at least 2"),
        ([1, 2], [0, 1], "starts at time 0"),
        ([0, 1], [0.1, 1], "starts at time 0"),
        ([0, 1, 1], [0, 0.5, 1], "times must increase"),
        ([0, 1, 2], [0, 0.5, 0.4], "must not fall"),
        ([0, 1], [0, 1.1], r"fractions\[1\] = 1.1"),
    ],
)
def test_a_tabulated_curve_must_be_one(times: list[float], fractions: list[float], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        ReleaseParameters(law="tabulated", times=times, fractions=fractions)


def test_a_gompertz_tumour_is_smaller_than_its_capacity(patient: Patient) -> None:
    volume = patient.tumour.volume_ml
    assert volume == pytest.approx(patient.tumour.count * math.pi / 6 * (patient.tumour.diameter / 10) ** 3)
    for capacity in (volume, math.inf):
        with pytest.raises(ParameterError, match=r"growth_capacity must be finite and above"):
            patient.with_values({"tumour.growth": "gompertz", "tumour.growth_capacity": capacity})
    changed = patient.with_values({"tumour.growth": "gompertz", "tumour.growth_capacity": volume * 2})
    assert changed.tumour.growth == "gompertz"


def test_no_tumour_has_no_diameter(patient: Patient) -> None:
    with pytest.raises(ParameterError, match=r"must be 0 when patient\.tumour_type is 'none'"):
        patient.replace(tumour_type="none")
    with pytest.warns(PlausibilityWarning, match="diameter: 0 mm"):
        healthy = patient.with_values({"tumour_type": "none", "tumour.diameter": 0})
    assert healthy.tumour.volume_ml == 0.0


def test_a_carrier_without_versions_is_its_own_version() -> None:
    plain = library.carrier("solution")
    assert isinstance(plain, Carrier)
    assert plain.for_drug("doxorubicin") is plain
