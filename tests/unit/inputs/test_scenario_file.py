"""Scenario files: a whole treatment in one TOML file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pkmodel.errors import FileError, InputError, ParameterError, RegimenError, UnitError, UnknownNameError
from pkmodel.inputs.scenario import Scenario
from pkmodel.inputs.scenario_file import load_scenario, scenario_from_table
from pkmodel.inputs.treatment import chemoembolisation, iv

GIVE = (
    '{ drug = "doxorubicin", dose = "50 mg", route = "hepatic_artery", '
    'carrier = "lipiodol_emulsion", duration = "15 min" }'
)
FILE = f"""
schema = 1
title = "One session"
patient = "hcc_reference"
catheter = "segmental"
until = "28 d"
review_days = 7
[[session]]
at = "0 d"
give = [ {GIVE} ]
embolic = "gelatin_sponge"
[set]
"patient.tumour.diameter" = "60 mm"
"""


def test_a_file_means_what_the_same_calls_mean(write: Callable[..., Path]) -> None:
    path = write(FILE)
    scenario, until = load_scenario(path)
    tace = chemoembolisation(
        "doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge", duration_h="15 min"
    )
    expected = Scenario("hcc_reference", tace, catheter="segmental", review_days=7)
    assert scenario.digest() == expected.with_value("patient.tumour.diameter", 60).digest()
    assert until == 672.0
    assert load_scenario(str(path))[0].digest() == scenario.digest()
    assert scenario.origin("patient.tumour.diameter").kind == "user"


def test_several_sessions_and_drugs_and_nested_set(write: Callable[..., Path]) -> None:
    write('schema = 1\nbase = "hcc_reference"\nname = "me"\nbsa = 1.6\n', "me.toml")
    scenario, until = load_scenario(
        write(
            'schema = 1\npatient = "me.toml"\n'
            '[[session]]\nat = "7 d"\nembolic = ["lipiodol", "gelatin_sponge"]\n'
            '[[session]]\nat = 0\n[[session.give]]\ndose = { doxorubicin = "50 mg", cisplatin = 20 }\n'
            'route = "hepatic_artery"\ncarrier = "beads"\n'
            '[[session.give]]\ndrug = "cisplatin"\ndose = 10\nroute = "iv"\nstart = "2 h"\n'
            "[set.patient.tumour]\ndiameter = 70\ncount = 2\n",
            "run.toml",
        )
    )
    assert until is None
    assert (scenario.patient.name, scenario.catheter.name, scenario.review_days) == ("me", "lobar", None)
    assert [each.at for each in scenario.regimen.sessions] == [0, 168]
    first = scenario.regimen.sessions[0].doses
    assert first[0].amounts == (("doxorubicin", 50.0), ("cisplatin", 20.0))
    assert first[1].start == 2.0
    assert (scenario.patient.tumour.diameter, scenario.patient.tumour.count) == (70.0, 2.0)


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ("patient = ", "patiant = ", FileError, "unknown key 'patiant'; did you mean 'patient'"),
        ('patient = "hcc_reference"\n', "", FileError, "'patient' is missing"),
        ('at = "0 d"\n', "", FileError, "session 1 has no 'at'"),
        ("embolic =", "embolics =", FileError, "session 1: unknown key 'embolics'"),
        ("dose = ", "does = ", FileError, "session 1, dose 1: unknown key 'does'; did you mean 'dose'"),
        ('dose = "50 mg", ', "", FileError, "session 1, dose 1 has no 'dose'"),
        ('route = "hepatic_artery", ', "", FileError, "dose 1 has no 'route'"),
        ('drug = "doxorubicin", ', "", FileError, "needs 'drug' with one dose"),
        ('"50 mg"', "{ doxorubicin = 3 }", FileError, "needs 'drug' with one dose"),
        ('"50 mg"', '"-50 mg"', ParameterError, "session 1: dose.doxorubicin = -50 mg"),
        ('"50 mg"', '"5,5 mg"', UnitError, "decimal comma"),
        ('"hepatic_artery"', '"iv"', RegimenError, "cannot go into a vein"),
        ('"doxorubicin"', '"doxo"', UnknownNameError, "no drug 'doxo'"),
        ('"lipiodol_emulsion"', '"../x"', UnknownNameError, "no carrier"),
        ('"gelatin_sponge"', '"sand"', UnknownNameError, "no embolic"),
        ('"28 d"', "28", FileError, "needs a unit, such as '28 d'"),
        ('"28 d"', '"28"', FileError, "needs a unit"),
        ('"28 d"', '"0 d"', ParameterError, "until = 0 h"),
        ('"28 d"', '"28 mg"', UnitError, "until"),
        ("review_days = 7", "review_days = -7", ParameterError, "review_days"),
        ('"segmental"', '"sgmental"', UnknownNameError, "'segmental'"),
        (
            '"patient.tumour.diameter"',
            '"patient.tumor.diameter"',
            UnknownNameError,
            "did you mean 'patient.tumour.diameter'",
        ),
        ('"60 mm"', '"60 kg"', UnitError, "diameter"),
        ('[set]\n"patient.tumour.diameter" = "60 mm"', "", None, ""),
        ("[[session]]", "[session]", FileError, "session must be a list"),
        ("give = [ " + GIVE + " ]", "give = " + GIVE, FileError, "give must be a list"),
        (GIVE, '"doxorubicin"', FileError, "give must be a table"),
        ("schema = 1", "schema = 3", FileError, "has schema 3"),
        ('[set]\n"patient.tumour.diameter" = "60 mm"', "[[set]]", FileError, "must be a table"),
        ("schema = 1", "schema = 1\nset = 3\nxset = 1", FileError, "not valid TOML|unknown key"),
        ('patient = "hcc_reference"', 'patient = "x.toml"', FileError, "no file"),
        ('"hcc_reference"', "3", InputError, "expected a Patient"),
    ],
)
def test_what_is_refused(
    write: Callable[..., Path], old: str, new: str, error: type[Exception] | None, words: str
) -> None:
    assert old in FILE
    path = write(FILE.replace(old, new, 1))
    if error is None:
        assert load_scenario(path)[0].origin("patient.tumour.diameter").kind != "user"
        return
    with pytest.raises(error, match=words) as caught:
        load_scenario(path)
    assert str(path) in str(caught.value) or "x.toml" in str(caught.value)
    assert str(caught.value).count(str(path)) <= 1


@pytest.mark.parametrize("wrong", [3, None, {"patient": "hcc_reference"}, b"run.toml"])
def test_what_is_no_path_is_refused_by_name(wrong: object) -> None:
    with pytest.raises(InputError, match="scenario file: expected a path, got") as caught:
        load_scenario(wrong)  # type: ignore[arg-type]
    assert repr(wrong) in str(caught.value)


def test_a_file_needs_a_session(write: Callable[..., Path]) -> None:
    with pytest.raises(FileError, match="at least one"):
        load_scenario(write('schema = 1\npatient = "hcc_reference"\n'))


def test_further_keys_belong_to_the_caller() -> None:
    table = {
        "patient": "hcc_reference",
        "axes": {"session.1.dose": [1, 2]},
        "session": [{"at": 0, "give": [{"drug": "doxorubicin", "dose": 50, "route": "iv"}]}],
    }
    scenario, _ = scenario_from_table(table, where="sweep", further=("axes",))
    assert scenario.digest() == Scenario("hcc_reference", iv("doxorubicin", 50)).digest()
    with pytest.raises(FileError, match="unknown key 'axes'"):
        scenario_from_table(table, where="sweep")
