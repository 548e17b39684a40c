"""Records survive the journey as plain data, and lanes can be taken out of any record."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.errors import FileError, PlausibilityWarning
from pkmodel.inputs import library
from pkmodel.inputs.lanes import take_lanes
from pkmodel.inputs.plain import from_plain, to_plain
from pkmodel.study.arms import arm_scenarios


def journey(value: Any) -> Any:
    return from_plain(json.loads(json.dumps(to_plain(value), allow_nan=False)))


@pytest.mark.parametrize("kind", library.KINDS)
def test_every_record_of_the_library_comes_back(kind: str) -> None:
    for name in library.names(kind):
        record = library.load(kind, name)
        assert journey(record).digest() == record.digest(), name


def test_every_arm_comes_back_also_with_lanes_and_can_be_changed_like_the_original() -> None:
    for name, scenario in arm_scenarios("hcc_reference", drug={"doxorubicin": 50, "cisplatin": 60}).items():
        many = scenario.with_values({"patient.tumour.diameter": [20, 40, 60.5]})
        assert journey(many).digest() == many.digest(), name
    emulsion = pk.Scenario("hcc_reference", pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion"))
    for change in ({"carrier": library.carrier("beads")}, {"session.duration": "20 min"}, {"carrier": None}):
        # the duration follows a new carrier unless somebody stated it, and versions for single drugs are chosen again
        assert journey(emulsion).with_values(change).digest() == emulsion.with_values(change).digest()


def test_a_tuple_of_records_none_and_infinity_come_back() -> None:
    both = library.embolics("lipiodol+gelatin_sponge")
    assert [each.digest() for each in journey(both)] == [each.digest() for each in both]
    assert journey(None) is None
    with pytest.warns(PlausibilityWarning):
        lasting = pk.embolic("gelatin_sponge").replace(half_life=np.inf)
    assert journey(lasting).half_life == np.inf


def test_data_of_nothing_known_are_refused() -> None:
    with pytest.raises(FileError, match="of kind 'Spaceship'"):
        from_plain({"record": "Spaceship"})


def test_lanes_are_taken_everywhere_and_in_order() -> None:
    tace = pk.chemoembolisation("doxorubicin", [10.0, 20.0, 30.0], carrier="beads")
    scenario = pk.Scenario("hcc_reference", tace).with_values(
        {"patient.tumour.diameter": [20, 40, 60], "carrier.prompt_fraction": [0.1, 0.2, 0.3]}
    )
    some = take_lanes(scenario, np.array([2, 0, 2, 1]))
    assert some.size == 4
    assert some.get("session.dose").tolist() == [30.0, 10.0, 30.0, 20.0]
    assert some.get("patient.tumour.diameter").tolist() == [60.0, 20.0, 60.0, 40.0]
    assert some.get("carrier.prompt_fraction").tolist() == [0.3, 0.1, 0.3, 0.2]
    assert some.get("patient.bsa") == scenario.get("patient.bsa")
    assert not some.get("session.dose").flags.writeable
    assert take_lanes(scenario, np.arange(3)).digest() == scenario.digest()
    assert scenario.size == 3
    same = pk.patient("hcc_reference")
    assert take_lanes(same, np.array([0, 0])) is same
