"""Scenarios: every path reads and changes the value it names, and no other."""

from __future__ import annotations

import math
import pickle
import re
from typing import Any

import numpy as np
import pytest

from pkmodel.errors import InputError, ParameterError, RegimenError, UnknownNameError
from pkmodel.inputs import library
from pkmodel.inputs.patient import Patient
from pkmodel.inputs.record import packed
from pkmodel.inputs.scenario import Scenario
from pkmodel.inputs.treatment import Regimen, chemoembolisation, embolisation, extravascular, hepatic_artery, iv

TACE = chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="lipiodol+gelatin_sponge")


@pytest.fixture
def three() -> Scenario:
    return Scenario("hcc_reference", TACE.repeat(every_days=42, times=3))


@pytest.fixture
def mixed() -> Scenario:
    first = chemoembolisation({"doxorubicin": 50, "cisplatin": 20}, carrier="beads", at_h=24)
    return Scenario("hcc_reference", iv("cisplatin", 100) + first + embolisation("gelatin_sponge", at_h=48))


def test_names_become_records(three: Scenario, patient: Patient) -> None:
    assert three.patient is patient
    assert three.catheter is library.catheter("lobar")
    assert three.drugs == ("doxorubicin",)
    assert three.size == 1
    assert Scenario(patient, TACE, catheter="segmental").catheter.name == "segmental"
    with pytest.raises(UnknownNameError, match="no catheter 'lobal'; did you mean 'lobar'"):
        Scenario(patient, TACE, catheter="lobal")
    with pytest.raises(ParameterError, match=r"scenario\.regimen: str is not a Regimen"):
        Scenario(patient, "tace")
    assert repr(three).startswith("<Scenario hcc_reference, lobar, 3 sessions of doxorubicin, ")
    untreated = Scenario(patient, Regimen(()))
    assert "0 sessions of no drug" in repr(untreated)
    assert not [
        path for path in untreated.paths() if path.startswith(("session", "drug", "carrier", "embolic", "regimen"))
    ]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("patient", "hcc_child_b", "hcc_child_b"),
        ("patient.tumour.diameter", "8 cm", 80.0),
        ("patient.child_pugh", "B", "B"),
        ("catheter", "segmental", "segmental"),
        ("catheter.coverage", 0.9, 0.9),
        ("drug.kill.potency", 0.3, 0.3),
        ("drug.doxorubicin.cl_total", "900 mL/min", 54.0),
        ("carrier.occlusion", "21 %", 0.21),
        ("carrier.duration", "0.3 h", 0.3),
        ("carrier.lipiodol_emulsion.prompt_fraction", 0.3, 0.3),
        ("embolic.gelatin_sponge.half_life", "9 d", 9.0),
        ("session.dose", 40, 40.0),
        ("session.2.dose", "40 mg", 40.0),
        ("session.3.dose.doxorubicin", 40, 40.0),
        ("session.2.at", "45 d", 1080.0),
        ("session.duration", "30 min", 0.5),
        ("session.1.duration", 0.5, 0.5),
        ("carrier", "beads", "beads"),
        ("session.carrier", "beads", "beads"),
        ("session.2.carrier", "beads", "beads"),
        ("session.2.carrier", None, None),
        ("session.1.carrier", "none", None),
        ("embolic", "none", "none"),
        ("session.embolic", "gelatin_sponge", "gelatin_sponge"),
        ("session.2.embolic", None, None),
        ("session.3.embolic", "beads_bland+lipiodol", "beads_bland+lipiodol"),
        ("session.2.carrier.lung_share", 0.1, 0.1),
        ("regimen.every", 28, 28.0),
        ("regimen.every", "4 week", 28.0),
        ("regimen.times", 2, 2.0),
        ("review_days", "1 week", 7.0),
    ],
)
def test_a_path_changes_what_it_names(three: Scenario, path: str, value: Any, expected: Any) -> None:
    before = three.digest()
    changed = three.with_value(path, value)
    assert changed.get(path) == expected
    assert three.digest() == before
    assert changed.digest() != before
    leaf = path.removesuffix(".doxorubicin").split(".")[-1]
    if leaf not in ("patient", "catheter", "carrier", "embolic", "every", "times", "review_days"):
        moved = {each for each, _ in _rows(three) ^ _rows(changed)}
        assert moved
        assert {each.split(".")[-1] for each in moved} == {leaf}


def _rows(scenario: Scenario) -> set[tuple[str, bytes]]:
    """Return every path and value, wherever a carrier, embolic or dose is used."""
    pattern = re.compile(
        r"^(session\.\d\.)?(carrier|embolic)(\.(?!release\.)\w+(?=\.(release\.)?\w+$))?|\.doxorubicin$"
    )
    return {(pattern.sub(r"\2", path), packed(value)) for path, value, *_ in scenario.rows()}


def test_one_session_only(three: Scenario) -> None:
    changed = three.with_values({"session.2.dose": 20, "session.2.embolic.half_life": 9, "session.3.carrier": "beads"})
    assert [changed.get(f"session.{n}.dose") for n in (1, 2, 3)] == [50, 20, 50]
    assert [changed.get(f"session.{n}.carrier") for n in (1, 2, 3)] == ["lipiodol_emulsion"] * 2 + ["beads"]
    assert changed.get("session.2.embolic.half_life") == 9.0
    assert changed.regimen.sessions[0] is three.regimen.sessions[0]
    for path in ("session.dose", "embolic.half_life", "carrier", "session.at"):
        with pytest.raises(RegimenError, match=f"{path} has several values"):
            changed.get(path)


def test_a_change_reaches_every_use(mixed: Scenario) -> None:
    changed = mixed.with_values({"drug.cisplatin.cl_total": 30, "embolic.occlusion": 0.7})
    assert [each.cl_total for each in changed.regimen.drugs if each.name == "cisplatin"] == [30]
    assert {
        d.cl_total for s in changed.regimen.sessions for o in s.doses for d in o.drugs if d.name == "cisplatin"
    } == {30}
    assert changed.regimen.sessions[2].embolics[0].occlusion == 0.7
    assert changed.regimen.drug("doxorubicin") is mixed.regimen.drug("doxorubicin")


def test_mixed_doses_need_a_name(mixed: Scenario) -> None:
    assert mixed.get("session.1.dose") == 100
    assert mixed.get("session.2.dose.cisplatin") == 20
    assert mixed.with_value("session.dose.cisplatin", 30).get("session.dose.cisplatin") == 30
    for path in (
        "session.2.dose",
        "session.3.dose",
        "session.dose",
        "drug.kill.potency",
        "session.3.duration",
        "session.4.at",
    ):
        with pytest.raises(UnknownNameError, match=f"no path '{path}' in this scenario; did you mean"):
            mixed.with_value(path, 1)
    # Without a number, sessions that have a carrier; the infusion is not put into beads.
    assert mixed.with_value("carrier", "lipiodol_emulsion").regimen.sessions[0].doses[0].carrier is None


def test_a_drug_given_twice_in_a_session_cannot_be_addressed() -> None:
    twice = Scenario("hcc_reference", iv("cisplatin", 10) + hepatic_artery("cisplatin", 20))
    for path in ("session.1.dose", "session.dose.cisplatin"):
        with pytest.raises(RegimenError, match="gives cisplatin in 2 doses"):
            twice.with_value(path, 5)
    changed = twice.with_value("carrier", "beads")  # only the artery takes beads
    assert [each.carrier.name if each.carrier else None for each in changed.regimen.sessions[0].doses] == [
        None,
        "beads",
    ]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("patient.tumor.diameter", "did you mean 'patient.tumour.diameter'"),
        ("drug.liver.kpp", "did you mean 'drug.liver.kp'"),
        ("drug.cisplatin.cl_total", "did you mean"),
        ("embolics.occlusion", "did you mean 'embolic.occlusion'"),
        ("session.0.at", "did you mean"),
        ("session.4.dose", "did you mean"),
        ("", "choose from"),
        ("patient.name", "did you mean"),
        ("regimen", "did you mean"),
        ("patient.liver", "did you mean"),
        ("drug", "did you mean|choose from"),
        ("carrier.variants", "did you mean"),
    ],
)
def test_unknown_paths_name_the_nearest(three: Scenario, path: str, words: str) -> None:
    for call in (three.get, three.spec, three.origin, three.internal, lambda each: three.with_value(each, 1)):
        with pytest.raises(UnknownNameError, match=words) as caught:
            call(path)
        assert f"no path {path!r} in this scenario" in str(caught.value)


def test_what_is_not_there_is_said_so() -> None:
    bolus = Scenario("hcc_reference", iv("doxorubicin", 50))
    with pytest.raises(UnknownNameError, match="no session has a carrier"):
        bolus.with_value("carrier.duration", 1)
    with pytest.raises(UnknownNameError, match="no session has an embolic"):
        bolus.with_value("embolic.occlusion", 1)
    assert bolus.with_value("session.1.embolic", "lipiodol").get("embolic") == "lipiodol"
    artery = Scenario("hcc_reference", hepatic_artery("doxorubicin", 50))
    assert artery.get("carrier") is None
    assert artery.with_values({"carrier.duration": "0.3 h", "carrier": "beads"}).get("session.duration") == 0.3


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("session.at", 0, RegimenError),
        ("session.2.at", "0 h", RegimenError),
        ("regimen.times", 1.5, ParameterError),
        ("regimen.times", [1, 2], ParameterError),
        ("session.1.dose", -1, ParameterError),
        ("review_days", [1, 2], ParameterError),
        ("review_days", 0, ParameterError),
        ("catheter", "x", UnknownNameError),
        ("patient", 3, InputError),
        ("session.1.carrier", "sand", UnknownNameError),
        ("patient.child_pugh", "D", ParameterError),
        ("regimen.every", 0.001, RegimenError),
    ],
)
def test_illegal_values(three: Scenario, path: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        three.with_value(path, value)


def test_a_carriers_duration_needs_a_dose_that_follows_it() -> None:
    stated = chemoembolisation("doxorubicin", 50, carrier="beads", duration_h=1)
    with pytest.raises(RegimenError, match="states its own duration"):
        Scenario("hcc_reference", stated).with_value("carrier.duration", 0.3)


def test_order_of_changes_does_not_matter(three: Scenario) -> None:
    changes = {"session.4.dose": 10, "regimen.times": 4, "carrier.prompt_fraction": 0.02, "carrier": "beads"}
    one = three.with_values(changes)
    assert one.digest() == three.with_values(dict(reversed(changes.items()))).digest()
    assert one.get("session.4.dose") == 10
    assert one.get("carrier.prompt_fraction") == 0.02
    assert three.with_values({"session.dose": 10, "session.2.dose": 20}).get("session.2.dose") == 20
    assert three.with_values({"session.2.dose": 20, "session.dose": 10}).get("session.2.dose") == 10
    single = Scenario(three.patient, TACE)
    assert single.with_values({"regimen.every": 42, "regimen.times": 3}).regimen.digest() == three.regimen.digest()
    for path in ("regimen.every", "regimen.times"):
        with pytest.raises(RegimenError, match=r"regimen\.(times|every)"):
            single.with_value(path, 2)
    assert single.get("regimen.times") == 1.0


def test_arrays_make_a_population(three: Scenario) -> None:
    many = three.with_values({"patient.tumour.diameter": [50, 60], "session.2.dose": ["30 mg", 40]})
    assert many.size == 2
    assert "2 lanes" in repr(many)
    assert many.get("session.2.dose").tolist() == [30, 40]
    with pytest.raises(ParameterError, match=r"session\.1\.doses.* has 3 values but session\.2\.doses"):
        many.with_value("session.1.dose", [1, 2, 3])
    with pytest.raises(ParameterError, match=r"patient\.tumour\.diameter has 3 values but regimen\.session\.2\.doses"):
        many.with_value("patient.tumour.diameter", [50, 60, 70])


def test_every_row_can_be_read_and_has_a_spec(three: Scenario, mixed: Scenario) -> None:
    for scenario in (three, mixed, three.with_value("session.2.carrier.occlusion", 0.4)):
        rows = list(scenario.rows())
        assert len({path for path, *_ in rows}) == len(rows)
        for path, value, unit, origin in rows:
            assert packed(scenario.get(path)) == packed(value)
            assert scenario.spec(path).unit == unit
            if not path.startswith("session"):
                assert scenario.origin(path) == origin
    heads = {path.split(".")[0] for path, *_ in three.rows()}
    assert heads == {"patient", "catheter", "drug", "carrier", "embolic", "session"}
    assert next(three.rows("x."))[0].startswith("x.patient.")


def test_every_path_has_a_spec_and_most_can_be_set_to_what_they_are(three: Scenario) -> None:
    for path in three.paths():
        spec = three.spec(path)
        assert spec.doc
        try:
            value = three.get(path)
        except RegimenError as error:
            assert path == "session.at" or path.startswith(("embolic.", "session.")), error  # two embolics differ
            continue
        if not (isinstance(value, float) and math.isnan(value)) and value != ():
            assert three.with_value(path, value).size == 1


def test_internal_units_and_origins(three: Scenario) -> None:
    assert three.internal("patient.liver.flow") == pytest.approx(three.get("patient.liver.flow") * 0.06)
    assert three.internal("regimen.every") == 1008.0
    assert three.internal("session.dose") == 50.0
    with pytest.raises(ParameterError, match="not a number"):
        three.internal("catheter")
    assert three.origin("catheter") is None
    assert three.origin("session.2.dose") is None
    assert three.origin("carrier.occlusion") == three.regimen.sessions[0].doses[0].carrier.origin("occlusion")
    assert three.with_value("drug.v1", 18).origin("drug.v1").kind == "user"


def test_depots_elsewhere() -> None:
    depot = Scenario("hcc_reference", extravascular("doxorubicin", 5, carrier="beads"))
    assert depot.get("carrier") == "beads"
    with pytest.raises(RegimenError, match="needs a carrier"):
        depot.with_value("carrier", None)


def test_a_scenario_crosses_processes(three: Scenario) -> None:
    many = three.with_value("session.dose", [1, 2])
    back = pickle.loads(pickle.dumps(many))
    assert back.digest() == many.digest()
    amount = back.regimen.sessions[0].doses[0].amounts[0][1]
    assert isinstance(amount, np.ndarray)
    assert not amount.flags.writeable
