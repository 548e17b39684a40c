"""The printed comparison: its layout for every drug, patient and catheter, and that it says what the rows say."""

from __future__ import annotations

import itertools
import re

import pytest

import pkmodel as pk
from pkmodel.inputs import library
from pkmodel.report.table import EFFECT, EXPOSURE, Table, render
from pkmodel.study.arms import ARMS
from pkmodel.study.comparison import EFFECT_KEYS, EXPOSURE_KEYS, WIDE_KEYS

DRUGS, PATIENTS, CATHETERS = (library.names(kind) for kind in ("drugs", "patients", "catheters"))


@pytest.fixture(scope="module")
def table() -> Table:
    """Return the default comparison."""
    return pk.compare(drug="doxorubicin")


def lines_of(text: str, arm: str) -> list[str]:
    """The lines of one arm in the exposure and the effect block."""
    return [line for line in text.splitlines() if line.split(" ")[0] == arm]


def test_every_key_has_one_column() -> None:
    keys = [column.key for column in (*EXPOSURE, *EFFECT)]
    assert sorted(keys) == sorted((*EXPOSURE_KEYS, *WIDE_KEYS, *EFFECT_KEYS))


def test_layout(table: Table) -> None:
    text = str(table)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0] == "pkmodel compare: doxorubicin 50 mg, one session, followed for 28 days"
    assert lines[1] == "hcc_reference: HCC 60 mm, Child-Pugh A, 1.8 m², lobar catheter"
    for arm in ARMS:
        assert len(lines_of(text, arm)) == 2
    assert "EXPOSURE" in text and "EFFECT (day 28)" in text
    assert text.count("not advice for a person") == 1
    assert lines[-1].startswith("Next: pkmodel compare --drug cisplatin")


def test_cells_are_the_rows(table: Table) -> None:
    for row in table:
        if row["arm"] == "bland_embolisation":
            continue
        exposure, effect = (line.split()[1:] for line in lines_of(render(table, wide=True), row["arm"]))
        for columns, cells in ((EXPOSURE, exposure), (EFFECT, effect)):
            assert len(cells) == len(columns)
            for column, cell in zip(columns, cells, strict=True):
                if row[column.key] is None:
                    assert cell == "n/a"
                else:
                    assert float(cell.lstrip("~")) == pytest.approx(row[column.key], rel=5.01e-3, abs=1e-5)
                    assert cell.startswith("~") == (column.key in table.assumed[row["arm"], row["drug"]])


def test_bland_has_no_drug_columns(table: Table) -> None:
    exposure, effect = lines_of(str(table), "bland_embolisation")
    assert set(exposure.split()[1:]) == {"-"}
    # no drug, no fall: the count stays at its baseline, there is no day of a nadir, and no toxicity
    assert [cell.lstrip("~") for cell in effect.split()[-3:]] == ["5.05", "-", "0"]
    assert effect.split()[1] != "-"
    assert "- does not exist in that arm" in str(table)


def test_missing_values_have_their_reason(table: Table) -> None:
    text = render(table, wide=True)
    assert "n/a release not complete at the horizon (beads)" in text
    assert "n/a" not in render(table)


def test_short_follow_up_and_unknown_marrow() -> None:
    text = str(pk.compare(drug="cisplatin", arms=["emulsion", "bland_embolisation"], until_days=5))
    assert "n/a follow-up ends before the reading, 28 d after the last session (all arms)" in text
    assert "n/a no marrow slope is known for any drug given (all arms with drug)" in text
    assert "Necrosis at" not in text


def test_ascii(table: Table) -> None:
    pretty, plain = render(table), render(table, ascii_only=True)
    assert plain.isascii()
    assert [len(line) for line in plain.splitlines()] == [len(line) for line in pretty.splitlines()]


def test_counts_and_balance(table: Table) -> None:
    match = re.search(r"balance error of any arm (\S+); (\d+) of (\d+) parameters used are assumed", str(table))
    assert match is not None
    assert float(match[1]) <= 1e-9
    numbers = [each for each in table.manifest["inputs"].values() if each["value"] in ("inf", "nan") or _number(each)]
    assert (int(match[2]), int(match[3])) == (sum(each["kind"] == "assumed" for each in numbers), len(numbers))
    assert int(match[3]) >= max(row["n_parameters"] for row in table)


def _number(entry: dict[str, object]) -> bool:
    return not isinstance(entry["value"], str)


def test_several_drugs_have_one_row_each() -> None:
    both = pk.compare(drug={"doxorubicin": 50, "cisplatin": 50, "mitomycin_c": 10}, arms=["iv", "emulsion"])
    text = str(both)
    assert len(lines_of(text, "emulsion")) == 4
    assert "EXPOSURE, cisplatin" in text
    assert "doxorubicin 50 mg + cisplatin 50 mg + mitomycin_c 10 mg, one session" in text
    assert max(map(len, text.splitlines())) <= 100


def test_no_tumour() -> None:
    text = str(pk.compare("pig", drug="doxorubicin", dose_mg=20, arms=["iv", "hepatic_artery_bolus"]))
    exposure, effect = lines_of(text, "hepatic_artery_bolus")
    assert exposure.split()[3:] == ["-"] * 6
    assert effect.split()[1:7] == ["-"] * 6
    assert "no tumour" in text.splitlines()[1]


def test_several_sessions_and_nodules() -> None:
    settings = {
        "regimen.times": 2,
        "regimen.every": 42,
        "patient.tumour.count": 2,
        "patient.portal_thrombosis": "branch",
    }
    lines = str(pk.compare(drug="doxorubicin", arms=["emulsion"], until_days=70, settings=settings)).splitlines()
    assert lines[0] == "pkmodel compare: doxorubicin 100 mg in all, 2 sessions, followed for 70 days"
    assert "HCC 2 x 60 mm" in lines[1] and "branch portal thrombosis" in lines[1]
    assert any(line.startswith("EFFECT (day 70)") for line in lines)


@pytest.mark.parametrize("drug", DRUGS)
def test_every_drug_patient_and_catheter_fits(drug: str) -> None:
    for patient, catheter in zip(PATIENTS, itertools.cycle(CATHETERS), strict=False):
        dose = pk.drug(drug).usual_dose * float(pk.patient(patient).bsa) / 1.8
        text = str(pk.compare(patient, drug=drug, dose_mg=dose, catheter=catheter))
        assert max(map(len, text.splitlines())) <= 100, (patient, catheter)
        assert "nan" not in text and "None" not in text
