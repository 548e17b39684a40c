"""What figures draw is what the model says and the papers print: numbers against closed forms and evidence rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs import library
from pkmodel.model.graph import DAUGHTERS, INPUTS, NODES
from pkmodel.report.figures import (
    arterial_flow,
    concentrations,
    drawn,
    exposure,
    model_diagram,
    necrosis_by_size,
    published,
    release,
    what_kills,
)
from pkmodel.report.figures.data import FigureData
from pkmodel.study.compare import compare


def gids(data: FigureData) -> set[str]:
    """Names that the boxes and arrows of the diagram carry."""
    return {each.get_gid() for each in model_diagram.draw(data).findobj() if each.get_gid()}


def test_the_diagram_has_every_compartment_and_flow_of_the_graph() -> None:
    wanted = {node.name for node in NODES} | set(DAUGHTERS)
    wanted |= {f"{node.name}>{node.parent}" for node in NODES if node.parent is not None}
    wanted |= {f"{node.name}>" for node in NODES if node.loss}
    wanted |= {f"{model_diagram.depot_of(name)}>{name}" for name in INPUTS}
    data = model_diagram.data()
    assert wanted <= gids(data)
    laws = set(data.texts("law"))
    assert {node.exchange for node in NODES if node.parent} | {node.loss for node in NODES if node.loss} <= laws


def test_a_compartment_that_the_graph_gains_appears() -> None:
    rows = [*model_diagram.data().rows(), {"kind": "compartment", "name": "spleen"},
            {"kind": "exchange", "name": "spleen", "to": "central", "law": "Q_S", "occluded": "no"}]  # fmt: skip
    more = FigureData.of_rows(rows, caption="", n="")
    assert gids(more) - gids(model_diagram.data()) == {"spleen", "spleen>central"}


def test_boxes_do_not_overlap() -> None:
    places = list(model_diagram.boxes(model_diagram.data()).items())
    for i, (name, one) in enumerate(places):
        for other_name, other in places[i + 1 :]:
            apart = one.right <= other.left or other.right <= one.left or one.top <= other.bottom
            assert apart or other.top <= one.bottom, (name, other_name)


def test_published_peaks_stand_at_their_dose_with_their_spread() -> None:
    found = {point.row: point for point in published.concentrations("doxorubicin")}
    raoul = found["dox110"]  # 2.1 +/- 0.9 mg/L after 50 mg over 5 min
    assert (raoul.arm, raoul.dose_mg) == ("hepatic_artery_bolus", 50.0)
    assert raoul.time_h == pytest.approx(5.0 / 60.0)
    assert [raoul.value, raoul.low, raoul.high] == pytest.approx([2.1, 1.2, 3.0])
    doubled = concentrations.data(dose_mg=100.0, arms=("hepatic_artery_bolus",)).where(row="dox110")
    assert doubled.numbers("plasma_ng_per_ml") == pytest.approx([4200.0])
    assert doubled.numbers("high_ng_per_ml") == pytest.approx([6000.0])


@pytest.mark.parametrize(
    ("row", "ends"), [("P026", (48.3, 73.6)), ("dox063", (0.7, 1.3)), ("FU017", (21.8 - 16.3, 21.8 + 16.3))]
)
def test_spread_as_printed(row: str, ends: tuple[float, float]) -> None:
    assert published.spread_of(row) == pytest.approx(ends)


def test_a_deviation_beyond_the_mean_has_no_lower_end() -> None:
    low, high = published.spread_of("dox175")  # 0.76 +/- 1.22
    assert low is None
    assert high == pytest.approx(1.98)


def test_courses_are_those_of_simulate() -> None:
    data = concentrations.data(arms=("iv",), points=False)
    times = data.numbers("time_h")
    assert (times[0], times[-1]) == (0.0, 28 * 24.0)
    course = pk.simulate(pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50), catheter="lobar"), until_days=28,
                         times_h=times)  # fmt: skip
    assert data.numbers("plasma_ng_per_ml") == pytest.approx(1e3 * course.concentration_mg_per_l("plasma"))


def test_regional_advantage_follows_its_closed_form() -> None:
    data = exposure.data(drugs=("doxorubicin",), arms=("iv",), catheters=("lobar", "superselective"))
    found = data.where(panel="advantage")
    left = found.numbers("flow_l_per_h") * (1.0 - found.numbers("extraction"))
    expected = 1.0 + found.numbers("clearance_l_per_h") / left
    assert found.numbers("simulated") == pytest.approx(expected, rel=1e-6)
    # without a tumour the served liver's exchange flow is its share of the liver's flow times Rb, by hand
    liver_flow_l_per_h = 0.06 * float(np.asarray(library.patient("hcc_reference").liver.flow))
    ratio = float(np.asarray(library.drug("doxorubicin").blood_plasma_ratio))
    shares = [float(np.asarray(library.catheter(name).territory_share)) for name in ("lobar", "superselective")]
    assert found.numbers("flow_l_per_h") == pytest.approx(ratio * liver_flow_l_per_h * np.array(shares), rel=1e-9)


def test_exposures_are_those_of_the_comparison() -> None:
    found = compare(drug={"doxorubicin": 30, "cisplatin": 60}, arms=["bland_embolisation", "beads"])
    data = exposure.of_comparison(found)
    for row in found:
        for place, key, factor in exposure.PLACES:
            cell = data.where(arm=row["arm"], drug=row["drug"], place=place)
            assert cell.numbers("auc_ug_h_per_ml") == pytest.approx([factor * row[key]])
    assert data.where(arm="bland_embolisation").numbers("auc_ug_h_per_ml").max() == 0.0


def test_a_carrier_holds_what_its_law_has_not_released() -> None:
    data = release.data(carriers=("beads",), draws=2).where(panel="carrier")
    carrier = library.carrier("beads").for_drug("doxorubicin")
    times, over = data.numbers("time_h"), float(np.asarray(carrier.duration))
    later = times > over
    prompt = float(np.asarray(carrier.prompt_fraction))
    left = 100.0 * (1.0 - prompt) * (1.0 - release.law_of(carrier).window_mean(times, over))
    assert data.numbers("held_percent")[later] == pytest.approx(left[later], rel=1e-4)
    rate = data.numbers("rate_percent_per_h")[later]
    fall = float(np.sum(0.5 * (rate[1:] + rate[:-1]) * np.diff(times[later])))
    held = data.numbers("held_percent")[later]
    assert fall == pytest.approx(held[0] - held[-1], rel=0.03)


def test_a_measured_curve_is_drawn_with_every_law_that_fits() -> None:
    times = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    data = release.data(carriers=("beads",), draws=2, curve=(times, 1.0 - np.exp(-0.2 * times)))
    measured = data.where(panel="measured").numbers("released_percent")
    assert measured == pytest.approx(100.0 * (1.0 - np.exp(-0.2 * times)))
    fitted = data.where(panel="fit", law="first_order")
    expected = 100.0 * (1.0 - np.exp(-0.2 * fitted.numbers("time_h")))
    assert fitted.numbers("released_percent") == pytest.approx(expected, abs=1e-3)
    assert len(data.where(panel="fit").distinct("law")) >= 4
    release.draw(data)


def test_shapes_of_all_laws_meet_at_their_half_time() -> None:
    data = release.data(carriers=(), draws=2).where(panel="law")
    assert set(data.distinct("law")) == set(release.LAW_LOOKS)
    assert data.where(time_over_half_time=1.0).numbers("released_percent") == pytest.approx(50.0, abs=0.1)


def test_arteries_open_as_the_embolic_says() -> None:
    data = arterial_flow.data(agents=("gelatin_sponge",), draws=2, points=False).where(panel="one session")
    sponge = library.embolic("gelatin_sponge")
    days = data.numbers("time_h") / 24.0
    depth, half = (float(np.asarray(sponge.get(name))) for name in ("occlusion", "half_life"))
    assert data.numbers("open_percent") == pytest.approx(100.0 * (1.0 - depth * 2.0 ** (-days / half)), rel=1e-6)


def test_published_perfusion_is_what_is_left() -> None:
    found = {row["row"]: row for row in arterial_flow._published()}
    wang = found["P026"]  # reduction 61 % (48.3-73.6)
    assert [wang["open_percent"], wang["low_percent"], wang["high_percent"]] == pytest.approx([39.0, 26.4, 51.7])


def test_shares_sum_to_the_whole_and_come_from_the_comparison() -> None:
    data = what_kills.data(drugs=("cisplatin",), arms=("emulsion_sponge",), draws=0)
    row = compare(drug="cisplatin", arms=["emulsion_sponge"]).row("emulsion_sponge")
    shares = data.where(quantity="share of the log kill")
    assert math.fsum(shares.numbers("percent")) == pytest.approx(100.0)
    assert shares.where(cause="drug").numbers("percent") == pytest.approx([row["shapley_drug_percent"]])
    both = data.where(quantity="necrosis", cause="all").numbers("percent")
    assert both == pytest.approx([row["necrosis_percent"]])
    assert np.isnan(data.numbers("low_90_percent")).all()
    assert data.seed is None
    what_kills.draw(data)


def test_resected_cases_carry_exact_intervals() -> None:
    from scipy.stats import binom

    found = {row["row"]: row for row in necrosis_by_size._published()}
    for row_id, dead, of in (("P053", 35, 50), ("P054", 15, 34)):
        row = found[row_id]
        assert row["nearly_dead_percent"] == pytest.approx(100.0 * dead / of)
        assert binom.sf(dead - 1, of, row["low_percent"] / 100.0) == pytest.approx(0.05, rel=1e-6)
        assert binom.cdf(dead, of, row["high_percent"] / 100.0) == pytest.approx(0.05, rel=1e-6)
    nobody = found["P055"]
    assert (nobody["nearly_dead_percent"], nobody["low_percent"]) == (0.0, 0.0)
    assert binom.cdf(0, 22, nobody["high_percent"] / 100.0) == pytest.approx(0.05, rel=1e-6)


def test_draws_are_shared_and_compared_one_by_one() -> None:
    one: Any = {"tumour_auc_ug_h_per_ml": np.array([2.0, 4.0]), "necrosis_percent": np.array([1.0, 2.0])}
    other: Any = {"tumour_auc_ug_h_per_ml": np.array([1.0, 4.0])}
    assert drawn.over(one, other)["tumour_auc_over_iv"] == pytest.approx([2.0, 1.0])
    candidates = {"a": np.array([1.0, 5.0, 3.0, 3.0]), "b": np.array([2.0, 4.0, 4.0, 3.0])}
    assert drawn.wins(candidates, least=True) == {"a": 75.0, "b": 25.0}
    assert drawn.wins(candidates, least=False) == {"a": 50.0, "b": 50.0}
    [row] = drawn.rows({"x": np.arange(101.0), "nothing": np.array([np.nan])}, arm="iv")
    assert (row["arm"], row["quantity"], row["value"]) == ("iv", "x", 0.0)
    assert [row["low_90"], row["high_90"]] == pytest.approx([5.0, 95.0])
