"""Lowering: which lanes share a batch, in which order they come back, and what is refused."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.errors import ParameterError, RegimenError
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.inputs.regimen import Regimen
from pkmodel.inputs.session import Session
from pkmodel.inputs.treatment import dose
from pkmodel.model.body import Batch, Run, drug_names, lower
from pkmodel.solve.runs import solve_runs

DRUG = "cisplatin"


def run(regimen: Regimen, until_h: float = 500.0, **options: object) -> Run:
    """The reference patient under a regimen."""
    return Run(pk.Scenario("hcc_reference", regimen, **options), until_h)


def lanes(batches: list[Batch]) -> list[list[int]]:
    """Lanes of the batches."""
    return [batch.lanes.tolist() for batch in batches]


def overlapping(second_start: object) -> Regimen:
    """A ten-hour infusion, and a second dose that starts before or after its end."""
    first = dose(DRUG, 50.0, route="iv", duration_h=10.0)
    second = dose(DRUG, 20.0, route="iv", duration_h=1.0, start_h=second_start)
    return Regimen((Session(doses=(first, second)),))


def test_one_scenario_is_one_lane() -> None:
    [batch] = lower([run(pk.iv(DRUG, 50.0, at_h=4.0))])
    problem = batch.problem
    assert batch.lanes.tolist() == [0]
    assert problem.n == 1
    assert problem.drug_names == (DRUG,)
    np.testing.assert_array_equal(problem.boundaries[:, 0], [0.0, 4.0, 4.0, 4.25, 500.0])
    assert problem.sessions == (1,)
    assert problem.readings == (1,)
    [slot] = problem.slots
    assert (slot.begin, slot.end) == (2, 3)
    np.testing.assert_array_equal(slot.amount, [[50.0]])


def test_boundaries_never_fall() -> None:
    start = np.array([2.0, 20.0, 10.0, 9.5])
    for batch in lower([run(overlapping(start))]):
        assert np.all(np.diff(batch.problem.boundaries, axis=0) >= 0.0)


def test_lanes_of_one_order_form_a_batch() -> None:
    # the second dose ends inside the first, starts inside it and ends after it, or follows it
    start = np.array([2.0, 20.0, 9.5, 3.0, 30.0, 9.2])
    found = lower([run(overlapping(start))])
    assert sorted(lanes(found)) == [[0, 3], [1, 4], [2, 5]]


def test_lanes_come_back_in_the_order_given() -> None:
    start = np.array([2.0, 20.0, 9.5, 3.0, 30.0, 9.2])
    whole = solve_runs([run(overlapping(start))], [5.0])
    for lane, value in enumerate(start):
        alone = solve_runs([run(overlapping(value))], [5.0])
        np.testing.assert_allclose(whole.plasma_auc[0, lane], alone.plasma_auc[0, 0], rtol=1e-5)
        np.testing.assert_allclose(whole.plasma_cmax[0, lane], alone.plasma_cmax[0, 0], rtol=2e-5)
    assert len(set(np.round(whole.plasma_cmax[0], 9))) == start.size


def test_runs_come_back_one_after_the_other() -> None:
    runs = [
        run(pk.iv(DRUG, 50.0)),
        run(pk.hepatic_artery(DRUG, np.array([10.0, 20.0]))),
        run(pk.iv(DRUG, 5.0)),
    ]
    solution = solve_runs(runs)
    np.testing.assert_array_equal(solution.dose[0], [50.0, 10.0, 20.0, 5.0])
    np.testing.assert_array_equal(solution.arterial[0], [0.0, 10.0, 20.0, 0.0])


def test_arms_share_one_batch() -> None:
    arms = [
        pk.iv(DRUG, 50.0),
        pk.hepatic_artery(DRUG, 50.0),
        pk.hepatic_artery(DRUG, 50.0, duration_h=4.0),
        pk.hepatic_artery(DRUG, 50.0) + pk.embolisation(("lipiodol", "gelatin_sponge")),
        pk.embolisation("gelatin_sponge"),
        pk.chemoembolisation(DRUG, 50.0, carrier="lipiodol_emulsion", embolic="gelatin_sponge"),
    ]
    [batch] = lower([run(each) for each in arms])
    assert batch.lanes.tolist() == list(range(len(arms)))
    np.testing.assert_array_equal(batch.problem.slots[0].venous, [1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(batch.problem.slots[0].amount[0], [50, 50, 50, 50, 0, 50])


def test_emulsion_and_beads_share_one_batch() -> None:
    runs = [run(pk.chemoembolisation(DRUG, 50.0, carrier=each)) for each in ("lipiodol_emulsion", "beads")]
    [batch] = lower(runs)
    law = batch.problem.slots[0].law
    assert law is not None
    assert law.kind == "mixture"
    slow = [pk.carrier(each).for_drug(DRUG).release.slow_rate for each in ("lipiodol_emulsion", "beads")]
    np.testing.assert_allclose(np.broadcast_to(law.slow_rate, (1, 2))[0], slow)


def test_laws_of_different_kinds_are_batches_of_their_own() -> None:
    emulsion = pk.carrier("lipiodol_emulsion")
    weibull = emulsion.replace(release=ReleaseParameters(law="weibull", scale=20.0, shape=0.7), variants=())
    higuchi = emulsion.replace(release=ReleaseParameters(law="higuchi", rate_constant=0.1), variants=())
    carriers = [emulsion, weibull, higuchi, weibull, emulsion]
    found = lower([run(pk.chemoembolisation(DRUG, 50.0, carrier=each)) for each in carriers])
    assert sorted(lanes(found)) == [[0, 4], [1, 3], [2]]
    kinds = {batch.problem.slots[0].law.kind for batch in found if batch.problem.slots[0].law is not None}
    assert len(kinds) == 3


def test_tables_share_a_batch_when_they_are_the_same() -> None:
    def table(last: float) -> Run:
        law = ReleaseParameters(law="tabulated", times=(0.0, 5.0, 20.0), fractions=(0.0, 0.4, last))
        carrier = pk.carrier("lipiodol_emulsion").replace(release=law, variants=())
        return run(pk.chemoembolisation(DRUG, 50.0, carrier=carrier))

    assert lanes(lower([table(0.9), table(0.9)])) == [[0, 1]]
    assert len(lower([table(0.9), table(0.8)])) == 2


def test_reviews_are_structure() -> None:
    plain, reviewed = run(pk.iv(DRUG, 50.0)), run(pk.iv(DRUG, 50.0), review_days=7.0)
    found = lower([plain, reviewed])
    assert lanes(found) == [[0], [1]]
    assert len(found[1].problem.readings) == 1 + 2  # at the session, and after 7 and 14 of 20.8 days


def test_nothing_given_is_followed_with_an_inert_drug() -> None:
    [batch] = lower([run(Regimen(()))])
    assert batch.problem.drug_names == ("none",)
    assert batch.problem.slots == ()
    assert solve_runs([run(Regimen(()))]).dose.sum() == 0.0


def test_several_drugs_lie_on_an_axis_of_their_own() -> None:
    runs = [
        run(pk.iv("cisplatin", 50.0)),
        run(pk.iv("doxorubicin", 20.0) + pk.iv("cisplatin", 5.0, at_h=40.0)),
    ]
    assert drug_names(runs) == ("cisplatin", "doxorubicin")
    [batch] = lower(runs)
    np.testing.assert_array_equal(sum(s.amount for s in batch.problem.slots), [[50.0, 5.0], [0.0, 20.0]])


def test_a_player_taken_out_gives_no_drug() -> None:
    scenario = pk.Scenario("hcc_reference", pk.hepatic_artery(DRUG, 50.0))
    [batch] = lower([Run(scenario, 100.0, players=(0.0, 1.0, 0.0))])
    assert np.all(batch.problem.slots[0].amount == 0.0)
    assert batch.problem.patient.ischaemia_switch.tolist() == [1.0]
    assert batch.problem.patient.retention_switch.tolist() == [0.0]


def test_lanes_are_taken_from_every_array() -> None:
    regimen = pk.chemoembolisation(DRUG, np.arange(1.0, 6.0), carrier="lipiodol_emulsion")
    [batch] = lower([run(regimen)])
    part = batch.problem.take(np.array([4, 1]))
    assert part.n == 2
    np.testing.assert_array_equal(part.slots[0].amount[0], [5.0, 2.0])
    for field in fields(part.patient):
        assert getattr(part.patient, field.name).shape[-1] == 2


def test_nothing_to_simulate_is_an_error() -> None:
    with pytest.raises(RegimenError, match="no scenario given"):
        lower([])


def test_a_session_past_the_horizon_is_named() -> None:
    regimen = pk.iv(DRUG, 50.0).repeat(every_days=10, times=3)
    with pytest.raises(RegimenError, match=r"session 3 .* after the end of follow-up at 300 h"):
        lower([run(regimen, 300.0)])
    with pytest.raises(RegimenError, match=r"\(index 1\)"):
        lower([run(pk.iv(DRUG, 50.0, at_h=np.array([1.0, 400.0])), 300.0)])


def test_more_hepatic_clearance_than_there_is_is_refused_by_name() -> None:
    drug = pk.drug(DRUG)
    wrong = drug.replace(origins={}, extraction=0.9, cl_total=np.array([500.0, 10.0]))
    with pytest.raises(ParameterError, match=r"index 1.*drug\.extraction 0\.9.*drug\.cl_total 10"):
        lower([run(pk.iv(wrong, 50.0))])


def test_more_extraction_than_exchange_allows_is_refused_by_name() -> None:
    drug = pk.drug(DRUG)
    wrong = drug.replace(liver=drug.liver.replace(origins={}, ps=1.0))
    with pytest.raises(
        ParameterError, match=r"drug\.liver\.ps times drug\.reference\.parenchyma_volume is 1\.24"
    ):
        lower([run(pk.iv(wrong, 50.0))])


def test_extraction_without_flow_is_refused_by_name() -> None:
    drug = pk.drug(DRUG)
    wrong = drug.replace(reference=drug.reference.replace(origins={}, liver_flow=0.0))
    with pytest.raises(ParameterError, match=r"drug\.reference\.liver_flow above 0"):
        lower([run(pk.iv(wrong, 50.0))])


def test_drugs_held_back_by_different_laws_are_refused_by_name() -> None:
    carrier = pk.carrier("lipiodol_emulsion")
    other = carrier.for_drug("cisplatin").replace(
        release=ReleaseParameters(law="weibull", scale=20.0, shape=0.7), variants=()
    )
    mixed = carrier.replace(variants=(("cisplatin", other),))
    regimen = pk.chemoembolisation({"cisplatin": 50.0, "doxorubicin": 20.0}, carrier=mixed)
    with pytest.raises(RegimenError, match="cisplatin and doxorubicin back by laws of different kinds"):
        lower([run(regimen)])
