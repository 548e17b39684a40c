"""Treatments: what the constructors make, how they join and repeat, what cannot be given."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkmodel.errors import InputError, ParameterError, RegimenError, UnitError, UnknownNameError
from pkmodel.inputs import library
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.treatment import (
    Dose,
    Regimen,
    Session,
    chemoembolisation,
    dose,
    embolisation,
    extravascular,
    hepatic_artery,
    iv,
)

DOX = "doxorubicin"


def _only(regimen: Regimen) -> Dose:
    (session,) = regimen.sessions
    (found,) = session.doses
    return found


@pytest.mark.parametrize(
    ("regimen", "route", "carrier", "duration"),
    [
        (iv(DOX, 50), "iv", None, 0.25),
        (iv(DOX, 50, duration_h="30 min"), "iv", None, 0.5),
        (hepatic_artery(DOX, 50), "hepatic_artery", None, 0.1),
        (hepatic_artery(DOX, 50, carrier="beads"), "hepatic_artery", "beads", library.carrier("beads").duration),
        (hepatic_artery(DOX, 50, carrier="beads", duration_h=0), "hepatic_artery", "beads", 0.0),
        (extravascular(DOX, 50, carrier="lipiodol_suspension"), "extravascular", "lipiodol_suspension", 0.0),
        (chemoembolisation(DOX, 50, carrier="beads"), "hepatic_artery", "beads", library.carrier("beads").duration),
        (chemoembolisation(DOX, 50, carrier="beads", duration_h=1), "hepatic_artery", "beads", 1.0),
    ],
)
def test_constructors(regimen: Regimen, route: str, carrier: str | None, duration: float) -> None:
    found = _only(regimen)
    assert (found.route, found.duration, found.amounts) == (route, duration, ((DOX, 50.0),))
    assert (found.carrier.name if found.carrier else None) == carrier
    assert regimen.sessions[0].at == 0.0
    assert regimen.drug(DOX).digest() == library.drug(DOX).digest()
    assert found.amount(DOX) == 50.0


def test_texts_arrays_records_and_mappings(doxorubicin: Drug) -> None:
    assert iv(doxorubicin, "0.05 g", at_h="2 d").digest() == iv(DOX, 50, at_h=48).digest()
    many = iv(DOX, [10, "20 mg", 30], at_h=np.array([0, 1, 2]))
    assert many.size == 3
    assert many.sessions[0].doses[0].amount(DOX).tolist() == [10, 20, 30]
    mixed = _only(chemoembolisation({DOX: 50, "mitomycin_c": "10 mg"}, carrier="lipiodol_emulsion"))
    assert mixed.amounts == ((DOX, 50.0), ("mitomycin_c", 10.0))
    assert [each.name for each in mixed.drugs] == [DOX, "mitomycin_c"]


def test_a_dose_of_one_drug_holds_the_carriers_version_for_it() -> None:
    carrier = library.carrier("lipiodol_emulsion")
    version = dict(carrier.variants)["cisplatin"]
    assert version.release.digest() != carrier.release.digest()
    held = _only(chemoembolisation("cisplatin", 50, carrier=carrier))
    assert held.carrier is version
    assert held.carrier_for("cisplatin") is version
    mixed = _only(chemoembolisation({DOX: 50, "cisplatin": 10}, carrier=carrier))
    assert mixed.carrier_for("cisplatin") is version
    assert mixed.carrier_for(DOX).release.digest() == carrier.release.digest()
    assert _only(iv(DOX, 50)).carrier_for(DOX) is None


def test_embolics() -> None:
    tace = chemoembolisation(DOX, 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
    assert [each.name for each in tace.sessions[0].embolics] == ["gelatin_sponge"]
    bland = embolisation("lipiodol+gelatin_sponge", at_h=24)
    assert [each.name for each in bland.sessions[0].embolics] == ["lipiodol", "gelatin_sponge"]
    assert bland.sessions[0].doses == ()
    assert bland.drugs == ()
    assert embolisation(("lipiodol", library.embolic("gelatin_sponge")), at_h="1 d").digest() == bland.digest()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: iv("doxorubicine", 50), UnknownNameError, "did you mean 'doxorubicin'"),
        (lambda: iv(DOX), RegimenError, "how much doxorubicin"),
        (lambda: iv(DOX, -1), ParameterError, r"dose.doxorubicin = -1 mg is outside the legal range \[0, 1e\+06\] mg"),
        (lambda: iv(DOX, math.nan), ParameterError, "dose.doxorubicin = nan mg"),
        (lambda: iv(DOX, math.inf), ParameterError, "dose.doxorubicin = inf mg"),
        (lambda: iv(DOX, [1, -2]), ParameterError, r"dose.doxorubicin\[1\] = -2 mg"),
        (lambda: iv(DOX, "5 h"), UnitError, "cannot convert 'h'"),
        (lambda: iv(DOX, "1,5 mg"), UnitError, "decimal comma"),
        (lambda: iv(DOX, 50, duration_h=-1), ParameterError, "dose.duration"),
        (lambda: iv(DOX, 50, at_h=-1), ParameterError, "session.at"),
        (lambda: iv({DOX: 50}, 50), RegimenError, "one or the other"),
        (lambda: iv({}), RegimenError, "one amount a drug"),
        (lambda: iv(3, 50), InputError, "expected a Drug record"),
        (lambda: dose(DOX, 50, route="iv", carrier="beads"), RegimenError, "'beads' cannot go into a vein"),
        (lambda: dose(DOX, 50, route="oral"), ParameterError, "dose.route = 'oral'"),
        (lambda: extravascular(DOX, 50, carrier=None), RegimenError, "needs a carrier"),
        (lambda: chemoembolisation(DOX, 50, carrier=None), RegimenError, "needs a carrier"),
        (lambda: embolisation(None), RegimenError, "needs a dose or an embolic"),
        (lambda: embolisation("lipiodol+lipiodol"), RegimenError, "an embolic twice: lipiodol, lipiodol"),
        (
            lambda: Regimen(iv(DOX, 50).sessions * 2),
            RegimenError,
            "session 2 starts at 0 h but session 1 lasts until 0.25",
        ),
        (lambda: iv(DOX, 50) + iv(DOX, 5, at_h=0.2), RegimenError, "belongs into one session"),
        (
            lambda: embolisation("lipiodol") + iv(DOX, 5, at_h=1) + iv(DOX, 5, at_h=[2, 1.1]),
            RegimenError,
            r"\(lane 1\)",
        ),
        (lambda: iv(DOX, [1, 2], at_h=[1, 2, 3]), ParameterError, "at has 3 values but doses"),
        (lambda: iv(DOX, [1, 2]) + iv(DOX, [1, 2, 3], at_h=5), ParameterError, r"session.1.doses.*2.*session.2.*3"),
        (lambda: iv(DOX, 50).repeat(every_days=0, times=2), ParameterError, "regimen.every = 0 d"),
        (lambda: iv(DOX, 50).repeat(every_days=1, times=0), ParameterError, "regimen.times"),
        (lambda: iv(DOX, 50).repeat(every_days=1, times=1.5), ParameterError, "not a whole number"),
        (lambda: iv(DOX, 50).repeat(every_days=1, times=[1, 2]), ParameterError, "not a whole number"),
        (lambda: iv(DOX, 50).repeat(every_days=0.005, times=2), RegimenError, "session 2 starts at 0.12 h"),
        (lambda: Regimen(()).repeat(every_days=1, times=2), RegimenError, "cannot be repeated"),
        (lambda: Regimen(()).respaced(times=2), RegimenError, "cannot be repeated"),
        (lambda: iv(DOX, 50).respaced(times=2), RegimenError, "regimen.every exists only"),
        (lambda: iv(DOX, 50).respaced(every=2), RegimenError, "set regimen.times as well"),
        (lambda: iv(DOX, 50).drug("cisplatin"), UnknownNameError, "choose from doxorubicin"),
        (lambda: _only(iv(DOX, 50)).amount("cisplatin"), UnknownNameError, "choose from doxorubicin"),
    ],
)
def test_what_cannot_be_given(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_one_name_is_one_drug(doxorubicin: Drug) -> None:
    other = doxorubicin.replace(cl_total=50)
    with pytest.raises(RegimenError, match="two different drugs are both named 'doxorubicin'"):
        iv(DOX, 50) + iv(other, 50, at_h=24)
    same = doxorubicin.replace(title="again")
    assert len((iv(DOX, 50) + iv(same, 50, at_h=24)).drugs) == 1
    with pytest.raises(RegimenError, match="names a drug twice"):
        Dose(drugs=(doxorubicin,) * 2, amounts=((DOX, 1), (DOX, 2)), route="iv")
    with pytest.raises(RegimenError, match="amounts for"):
        Dose(drugs=(doxorubicin,), amounts={"cisplatin": 1}, route="iv")
    with pytest.raises(RegimenError, match="pairs of drug name and mg"):
        Dose(drugs=(doxorubicin,), amounts=(DOX, 1), route="iv")


def test_a_duration_follows_the_carrier_unless_it_was_stated() -> None:
    free = _only(chemoembolisation(DOX, 50, carrier="beads"))
    stated = _only(chemoembolisation(DOX, 50, carrier="beads", duration_h=0.7))
    slow = library.carrier("beads").replace(duration=0.5)
    assert (free.own_duration, stated.own_duration) == (False, True)
    assert free.replace(carrier=slow).duration == 0.5
    assert stated.replace(carrier=slow).duration == 0.7
    assert free.replace(carrier=None).duration == 0.1
    assert free.replace(duration=2).replace(carrier=slow).duration == 2
    assert stated.replace(duration=None).duration == library.carrier("beads").duration
    assert stated.duration_origin().kind == "user"
    assert free.duration_origin() == library.carrier("beads").origin("duration")
    assert _only(iv(DOX, 50)).duration_origin() is None


def test_arterial_doses_follow_one_another_and_others_start_with_the_session() -> None:
    session = Session(
        doses=(
            dose(DOX, 1, route="iv", duration_h=1),
            dose(DOX, 1, route="hepatic_artery", duration_h=0.2),
            dose(DOX, 1, route="hepatic_artery", duration_h=[0.3, 0.4]),
            dose(DOX, 1, route="hepatic_artery"),
            dose(DOX, 1, route="iv", start_h=3, duration_h=0.5),
            dose(DOX, 1, route="hepatic_artery", start_h=2),
            dose(DOX, 1, route="hepatic_artery"),
        )
    )
    starts = [np.broadcast_to(each, 2).tolist() for each in session.starts()]
    expected = [[0, 0], [0, 0], [0.2, 0.2], [0.5, 0.6], [3, 3], [2, 2], [2.1, 2.1]]
    assert np.allclose(starts, expected, rtol=1e-15)
    assert np.array_equal(session.length(), [3.5, 3.5])
    assert embolisation("lipiodol").sessions[0].length() == 0.0


def test_joining() -> None:
    unmixed = hepatic_artery(DOX, 50) + embolisation("lipiodol+gelatin_sponge")
    assert len(unmixed.sessions) == 1
    assert len(unmixed.sessions[0].embolics) == 2
    assert [each.at for each in (iv(DOX, 5, at_h=48) + iv(DOX, 5, at_h=24) + iv("cisplatin", 5)).sessions] == [
        0,
        24,
        48,
    ]
    assert [each.name for each in (iv(DOX, 5, at_h=48) + iv("cisplatin", 5)).drugs] == ["cisplatin", DOX]
    lanes = iv(DOX, 5, at_h=[1, 2]) + embolisation("lipiodol", at_h=[1, 2])
    assert len(lanes.sessions) == 1
    assert (Regimen(()) + iv(DOX, 5)).digest() == iv(DOX, 5).digest()
    with pytest.raises(TypeError):
        iv(DOX, 5) + 3


def test_repeating() -> None:
    tace = chemoembolisation(DOX, 50, carrier="beads", at_h=12).repeat(every_days=42, times=3)
    assert [each.at for each in tace.sessions] == [12, 12 + 1008, 12 + 2016]
    assert (
        tace.digest()
        == chemoembolisation(DOX, 50, carrier="beads", at_h=12).repeat(every_days="6 week", times=3).digest()
    )
    lanes = iv(DOX, 5).repeat(every_days=[1, 2], times=2)
    assert lanes.sessions[1].at.tolist() == [24, 48]
    cycle = (iv(DOX, 5) + iv("cisplatin", 5, at_h=24)).repeat(every_days=7, times=2)
    assert [each.at for each in cycle.sessions] == [0, 24, 168, 192]
    assert [len(each) for each in cycle.cycles()] == [2, 2]
    assert repr(cycle).startswith("<Regimen of 4 sessions, doxorubicin, cisplatin, ")
    assert repr(Regimen(())).startswith("<Regimen of 0 sessions, no drug, ")


def test_respacing_keeps_what_each_cycle_gives() -> None:
    cycle = (iv(DOX, 5) + iv("cisplatin", 5, at_h=24)).repeat(every_days=7, times=2)
    assert [each.at for each in cycle.respaced(every=14).sessions] == [0, 24, 336, 360]
    assert [each.at for each in cycle.respaced(times=3).sessions] == [0, 24, 168, 192, 336, 360]
    assert cycle.respaced(times=1).digest() == (iv(DOX, 5) + iv("cisplatin", 5, at_h=24)).digest()
    listed = iv(DOX, 5, at_h=1) + iv(DOX, 7, at_h=25) + iv(DOX, 9, at_h=49)
    assert listed.interval() == 1.0
    assert [each.at for each in listed.respaced(every=2).sessions] == [1, 49, 97]
    more = listed.respaced(times=4)
    assert [each.doses[0].amount(DOX) for each in more.sessions] == [5, 7, 9, 9]
    assert more.sessions[3].at == 73
    assert iv(DOX, 5).respaced(times=1).digest() == iv(DOX, 5).digest()
    assert iv(DOX, 5).respaced(every=3, times=2).interval() == 3.0
    with pytest.raises(RegimenError, match="equal intervals"):
        (listed + iv(DOX, 5, at_h=100)).interval()


@given(st.integers(1, 6), st.floats(0.1, 100), st.integers(1, 6))
def test_respacing_is_repeating_anew(times: int, every: float, other: int) -> None:
    base = iv(DOX, 50)
    again = base.repeat(every_days=every, times=times).respaced(every=2.0 if other > 1 else None, times=other)
    assert again.digest() == base.repeat(every_days=2.0, times=other).digest()
