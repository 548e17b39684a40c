"""Published experiments as data: complete, consistent with their evidence rows, and strict about the format."""

from __future__ import annotations

import math
import re
import tomllib
from typing import Any

import pytest

from pkmodel.errors import FileError
from pkmodel.inputs import cases, library

CASE = """
title = "t"
study = "s"
drug = "doxorubicin"
patient = "hcc_reference"
until = "24 h"
[arms.iv]
route = "iv"
dose = "50 mg"
[arms.artery]
route = "hepatic_artery"
dose = "50 mg"
[[observations]]
row = "dox014"
arm = "iv"
quantity = "clearance"
window = "0-inf"
role = "check"
"""


def table(**changes: Any) -> dict[str, Any]:
    """A legal case; changes to its only observation by name, None takes a key out."""
    found = tomllib.loads(CASE)
    for key, value in changes.items():
        if value is None:
            found["observations"][0].pop(key)
        else:
            found["observations"][0][key] = value
    return found


def observation(**changes: Any) -> cases.Observation:
    """The only observation of a case."""
    return cases._case("c", table(**changes), "here").observations[0]


def test_every_row_is_in_a_case_or_has_its_reason() -> None:
    used = {row for _, each in cases.observations() for row in each.rows}
    out = set(cases.left_out())
    assert used | out == set(library.evidence_ids())
    assert not used & out


def test_there_is_enough() -> None:
    every = cases.cases()
    assert len(every) >= 60
    assert sum(len(each.observations) for each in every) >= 150
    assert len({each.study for each in every}) >= 30
    grades = {library.evidence_row(row)["how_read"] for _, each in cases.observations() for row in each.rows}
    assert grades <= {"read", "read-secondary"}


def test_ids_are_unique_but_for_rows_read_in_several_ways() -> None:
    ids = [(case.id, each.id, each.reading.quantity) for case, each in cases.observations()]
    assert len(ids) == len(set(ids))


def test_values_come_from_the_cell() -> None:
    assert observation().value == 62.4
    assert observation().unit == "L/h"


def test_rows_are_added_and_divided() -> None:
    added = observation(row="dox002", plus_rows=["dox004", "dox006"], quantity="volume_steady", window="0-24 h")
    assert added.value == pytest.approx(17.7 + 1830 + 71.6)
    assert added.id == "dox002+dox004+dox006"
    divided = observation(row="dox110", over_row="dox112", quantity="cmax", observable="plasma", window="0-2 h",
                          over={"arm": "artery"})  # fmt: skip
    assert divided.value == pytest.approx(2.1 / 0.5)
    assert (divided.unit, divided.id) == ("ratio", "dox110/dox112")
    assert divided.over is not None and divided.over.arm == "artery" and divided.over.quantity == "cmax"


@pytest.mark.parametrize(
    ("unit", "printed", "value"),
    [("% change", 25.0, 1.25), ("% complement", 61.0, 0.39), ("1/min", 0.03, math.log(2.0) / 0.03),
     ("d effective 131I", 4.01, 8.02)],
)  # fmt: skip
def test_printed_numbers_become_the_quantity(unit: str, printed: float, value: float) -> None:
    found, after = cases._number({"value": str(printed)}, None, unit, "here")
    assert found == pytest.approx(value)
    assert after in ("ratio", "min", "d")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": "clearence"}, "did you mean 'clearance'"),
        ({"role": "fitted"}, "no role"),
        ({"arm": "vein"}, "no arm"),
        ({"windows": "0-1 h"}, "no key"),
        ({"window": None}, "needs 'window'"),
        ({"window": "24 h"}, "no window"),
        ({"window": "24-0 h"}, "is empty"),
        ({"window": "0-24 kg"}, "kg"),
        ({"position": 3}, "holds no number"),
        ({"row": "P045"}, "give the position"),
        ({"row": "dox010"}, "may be compared"),
        ({"row": "CDDP008"}, "speaks of cisplatin"),
        ({"row": "dox153"}, "speaks of pig"),
        ({"row": "dox9999"}, "no evidence row"),
        ({"ordering": "more"}, "needs 'over'"),
        ({"ordering": "higher", "over": {"arm": "artery"}}, "no ordering"),
        ({"over_row": "dox039"}, "another unit or source"),
        ({"plus_rows": ["dox037"]}, "another unit or source"),
        ({"row": "dox110", "over_row": "dox112", "quantity": "cmax", "observable": "plasma"}, "needs 'over'"),
    ],
)
def test_what_breaks_the_format_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises((FileError, ValueError), match=re.escape(words)):
        cases._case("c", table(**changes), "here")


def test_wrong_routes_scales_and_keys_of_a_case_are_refused() -> None:
    for change, words in (({"scale": "body"}, "no scale"), ({"patients": "pig"}, "no key")):
        with pytest.raises(FileError, match=words):
            cases._case("c", {**table(), **change}, "here")
    wrong = table()
    wrong["arms"]["iv"]["route"] = "oral"
    with pytest.raises(FileError, match="no route"):
        cases._case("c", wrong, "here")
    with pytest.raises(FileError, match="here"):
        cases.hours("soon", "here")
