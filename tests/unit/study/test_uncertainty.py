"""Draws of the uncertainty: typical first, inside their ranges, shared by the arms, legal, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.errors import ParameterError
from pkmodel.inputs.origin import Origin
from pkmodel.model.columns import derived_clearances
from pkmodel.study import uncertainty
from pkmodel.study.arms import arm_scenarios
from pkmodel.study.uncertainty import drawn_paths, interval, range_of, uncertain

DRAWS = 200


@pytest.fixture(scope="module")
def arms() -> dict[str, pk.Scenario]:
    """Two arms of doxorubicin."""
    return arm_scenarios("hcc_reference", drug="doxorubicin", arms=["iv", "emulsion_sponge"])


@pytest.fixture(scope="module")
def drawn(arms: dict[str, pk.Scenario]) -> dict[str, pk.Scenario]:
    """The same, drawn."""
    return {name: uncertain(each, DRAWS) for name, each in arms.items()}


def test_the_first_lane_is_typical(arms: dict[str, pk.Scenario], drawn: dict[str, pk.Scenario]) -> None:
    for path, (value, _, _) in drawn_paths(arms["emulsion_sponge"]):
        assert drawn["emulsion_sponge"].get(path)[0] == value, path


def test_draws_keep_to_their_ranges(arms: dict[str, pk.Scenario], drawn: dict[str, pk.Scenario]) -> None:
    """About a tenth outside a range on a logarithmic scale; none far outside; the median near the value."""
    for path, (value, low, high) in drawn_paths(arms["emulsion_sponge"]):
        found = drawn["emulsion_sponge"].get(path)
        outside = np.mean((found < low * (1 - 1e-9)) | (found > high * (1 + 1e-9)))
        assert outside < 0.2, path
        if low > 0.0 and np.isfinite(high) and low < value < high:
            assert low < np.median(found) < high, path
            assert np.mean(found < value) == pytest.approx(0.5, abs=0.12), path


def test_arms_share_their_draws(drawn: dict[str, pk.Scenario]) -> None:
    for path in ("patient.liver.flow", "drug.doxorubicin.cl_total", "catheter.territory_share"):
        np.testing.assert_array_equal(drawn["iv"].get(path), drawn["emulsion_sponge"].get(path))


def test_draws_do_not_depend_on_how_many_there_are(arms: dict[str, pk.Scenario], drawn: dict[str, pk.Scenario]) -> None:
    few = uncertain(arms["iv"], 10)
    np.testing.assert_array_equal(few.get("drug.doxorubicin.v1"), drawn["iv"].get("drug.doxorubicin.v1")[:10])


def test_another_seed_draws_others(arms: dict[str, pk.Scenario], drawn: dict[str, pk.Scenario]) -> None:
    other = uncertain(arms["iv"], DRAWS, seed=1)
    assert not np.array_equal(other.get("drug.doxorubicin.v1"), drawn["iv"].get("drug.doxorubicin.v1"))


def test_every_draw_is_a_subject(drawn: dict[str, pk.Scenario]) -> None:
    """Extraction and clearance are drawn apart; where they do not fit together the draw is made again."""
    for each in drawn.values():
        [drug] = each.regimen.drugs
        other, intrinsic = derived_clearances(drug, DRAWS)
        assert np.all(other >= 0.0) and np.all(intrinsic >= 0.0)


def test_only_some_kinds(arms: dict[str, pk.Scenario]) -> None:
    assumed = uncertain(arms["iv"], 10, kinds=("assumed",))
    assert np.size(assumed.get("drug.doxorubicin.cl_total")) == 1  # measured
    assert np.ptp(assumed.get("drug.doxorubicin.liver.kp")) > 0.0


def test_who_the_subject_is_is_not_uncertain(arms: dict[str, pk.Scenario]) -> None:
    paths = dict(drawn_paths(arms["emulsion_sponge"]))
    assert not {"patient.bsa", "patient.tumour.diameter", "patient.body_weight"} & set(paths)
    assert "session.1.duration" in paths and "carrier.lipiodol_emulsion.duration" not in paths


def test_a_users_value_is_certain(arms: dict[str, pk.Scenario]) -> None:
    own = arms["iv"].with_value("patient.liver.flow", 1000.0)
    assert "patient.liver.flow" not in dict(drawn_paths(own))


def test_what_cannot_be_drawn_is_refused(arms: dict[str, pk.Scenario], drawn: dict[str, pk.Scenario]) -> None:
    with pytest.raises(ParameterError, match="200 lanes"):
        uncertain(drawn["iv"], 10)
    for wrong in (1, 2.5, True):
        with pytest.raises(ParameterError, match="whole number from 2"):
            uncertain(arms["iv"], wrong)  # type: ignore[arg-type]


def test_ranges() -> None:
    assert range_of(2.0, Origin(kind="measured", range=(1.0, 4.0))) == (1.0, 4.0)
    assert range_of(5.0, Origin(kind="measured", range=(1.0, 4.0))) == (1.0, 5.0)  # the value belongs to it
    low, high = range_of(10.0, Origin(kind="measured", se=1.0)) or (0.0, 0.0)
    assert (low, high) == (pytest.approx(8.355, abs=1e-3), pytest.approx(11.645, abs=1e-3))
    assert range_of(2.0, Origin(kind="measured", range=(2.0, 2.0))) is None
    assert range_of(2.0, Origin(kind="user", range=(1.0, 4.0))) is None
    assert range_of(2.0, Origin(kind="measured")) is None


@pytest.mark.parametrize(
    ("value", "low", "high"), [(2.0, 1.0, 8.0), (0.3, 0.1, 0.6), (0.0, 0.0, 0.2), (float("inf"), 60.0, float("inf")),
                               (50.0, 20.0, float("inf")), (-1.0, -2.0, 3.0)],
)  # fmt: skip
def test_ends_of_a_range_are_at_their_quantiles(value: float, low: float, high: float) -> None:
    assert uncertainty.value_at(0.0, value, low, high) == pytest.approx(value)
    assert uncertainty.value_at(-uncertainty.TAIL, value, low, high) == pytest.approx(low)
    assert uncertainty.value_at(uncertainty.TAIL, value, low, high) == pytest.approx(high)


def test_interval_passes_over_what_is_missing() -> None:
    low, high = interval(np.array([np.nan, *np.linspace(0.0, 100.0, 101)]))
    assert (low, high) == (pytest.approx(5.0), pytest.approx(95.0))
    assert np.isnan(interval(np.full(4, np.nan))[0])


def test_parameters_of_a_law_that_was_replaced_are_neither_listed_nor_drawn() -> None:
    given = pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
    release = "carrier.lipiodol_emulsion.release"
    changes = {f"{release}.law": "first_order", f"{release}.rate": 0.1}
    scenario = pk.Scenario("hcc_reference", given).with_values(changes)
    assert [row[0] for row in scenario.rows() if row[0].startswith(release)] == [f"{release}.law", f"{release}.rate"]
    assert uncertain(scenario, 3).size == 3
