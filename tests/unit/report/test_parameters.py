"""Lists of parameters, what one value rests on, and what to cite."""

from __future__ import annotations

import pytest

import pkmodel as pk
from pkmodel.errors import InputError, UnknownNameError
from pkmodel.inputs import library
from pkmodel.inputs.record import Row
from pkmodel.report.parameters import citations, listing, show, used
from pkmodel.study.arms import arm_scenarios

DEFAULTS = {"drug": pk.drug("doxorubicin"), "patient": pk.patient("hcc_reference"), "catheter": pk.catheter("lobar")}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Return the parameters of the default comparison."""
    return used(arm_scenarios("hcc_reference", drug="doxorubicin").values())


def test_every_used_path_once(rows: list[Row]) -> None:
    paths = [row[0] for row in rows]
    assert len(paths) == len(set(paths))
    roots = {path.split(".")[0] for path in paths}
    assert roots == {"patient", "catheter", "drug", "carrier", "embolic", "session"}


@pytest.mark.parametrize("kind", ["measured", "fitted", "derived", "assumed", "user"])
def test_listing_by_kind(rows: list[Row], kind: str) -> None:
    lines = listing(rows, kind=kind).splitlines()
    expected = [row[0] for row in rows if row[3] is not None and row[3].kind == kind]
    assert [line.split()[0] for line in lines[2:-2]] == expected
    assert lines[-1] == f"{len(expected)} parameter{'s' * (len(expected) != 1)}"


def test_unknown_kind(rows: list[Row]) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'assumed'"):
        listing(rows, kind="asumed")


def test_one_value() -> None:
    text = show("drug.doxorubicin.cl_total", defaults={})
    assert "53.3 L/h" in text and "(0, 10000] L/h" in text and "measured" in text and "45 to 62" in text
    assert "10.1007/s00280-013-2261-3" in text  # identifier of its first evidence row


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("drug.cl_total", "drug.doxorubicin.cl_total"),
        ("patient.tumour.diameter", "patient.hcc_reference.tumour.diameter"),
        ("catheter.coverage", "catheter.lobar.coverage"),
        ("patient.pig.liver.flow", "Lab Anim 2021"),
        ("carrier.beads.occlusion", "carrier.beads.occlusion"),
        ("patient.liver", "arterial_share"),
        ("drug.molar_mass", "IUPAC"),
    ],
)
def test_paths(path: str, wanted: str) -> None:
    assert wanted in show(path, defaults=DEFAULTS)


@pytest.mark.parametrize("kind", library.KINDS)
def test_records(kind: str) -> None:
    for name in library.names(kind):
        record = library.load(kind, name)
        text = show(name, defaults={})
        assert record.title in text
        assert all(row[0] in text for row in record.rows())


def test_carriers_say_what_differs_between_drugs() -> None:
    text = show("lipiodol_emulsion", defaults={})
    assert "for.fluorouracil.prompt_fraction" in text
    one = show("carrier.lipiodol_emulsion.for.fluorouracil.prompt_fraction", defaults={})
    assert f"{pk.carrier('lipiodol_emulsion').for_drug('fluorouracil').prompt_fraction:g}" in one


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("doxorubicine", "did you mean 'doxorubicin'"),
        ("drug.doxorubicin.cl_totl", "did you mean 'cl_total'"),
        ("carrier.beeds.occlusion", "did you mean 'beads'"),
        ("carrier", "which carrier"),
    ],
)
def test_wrong_names(path: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        show(path, defaults=DEFAULTS)


def test_values_without_origin_and_populations() -> None:
    patient = pk.patient("hcc_reference").with_value("tumour.diameter", [20.0, 60.0])
    assert "20 to 60 (2 lanes)" in show("patient.tumour.diameter", defaults={"patient": patient})
    bare = patient.liver.replace(origins={})
    assert "nobody said" in show("patient.liver.flow", defaults={"patient": patient.replace(liver=bare)})


def test_citations_name_every_source_once(rows: list[Row]) -> None:
    text = citations(rows)
    flat = " ".join(text.split())
    for _, _, _, origin in rows:
        for row_id in origin.rows if origin else ():
            assert row_id in flat
            assert flat.count(f"{library.evidence_row(row_id)['source']}. ") >= 1
    assert "IUPAC" in flat
