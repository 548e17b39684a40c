"""The library: every number has an origin, every origin exists, and the numbers are possible together."""

from __future__ import annotations

import csv
import math
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pkmodel import units
from pkmodel.errors import PlausibilityWarning
from pkmodel.inputs import library
from pkmodel.inputs.materials import LAW_PARAMETERS, Carrier
from pkmodel.inputs.origin import DISTRIBUTIONS, KINDS
from pkmodel.inputs.record import Record, specs
from pkmodel.inputs.tomlfile import build

DATA = Path(library.__file__).parent / "data"
FOLDERS = tuple(library.KINDS)
FILES = sorted(path for folder in FOLDERS for path in (DATA / folder).glob("*.toml"))
RECORDS = [(path.parent.name, path.stem) for path in FILES]
KEYS = {"value", "unit", "range", "se", "cv", "distribution", "plausible", "kind", "rows", "source", "note"}
NAMES = {
    "drugs": {"doxorubicin", "cisplatin", "mitomycin_c", "fluorouracil"},
    "patients": {
        "hcc_reference", "hcc_child_b", "hcc_portal_thrombosis", "colorectal_metastasis", "rabbit_vx2", "pig",
        "dog", "mouse", "rat_hepatoma",
    },
    "catheters": {"whole_liver", "lobar", "segmental", "superselective"},
    "carriers": {"lipiodol_emulsion", "lipiodol_suspension", "beads", "solution"},
    "embolics": {"none", "lipiodol", "gelatin_sponge", "beads_bland", "sace_1", "sace_2", "sace_3", "sace_4"},
}
DRUG_WORD = {
    "doxorubicin": "doxorubicin",
    "cisplatin": "cisplatin", "mitomycin_c": "mitomycin", "fluorouracil": "5-FU",
}


def _rows() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for path in sorted((DATA / "evidence").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                assert row["id"] not in found, f"row {row['id']} stands twice"
                found[row["id"]] = row
    return found


ROWS = _rows()
SOURCES = tomllib.loads((DATA / "sources.toml").read_text(encoding="utf-8"))


def _table(folder: str, name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / folder / f"{name}.toml").read_text(encoding="utf-8"))


def _parameters(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (path, table) of every table that states a value."""
    for key, inner in table.items():
        if isinstance(inner, dict):
            path = f"{prefix}{key}"
            if "value" in inner:
                yield path, inner
            else:
                yield from _parameters(inner, f"{path}.")


ALL = {(folder, name): list(_parameters(_table(folder, name))) for folder, name in RECORDS}
each_file = pytest.mark.parametrize(("folder", "name"), RECORDS, ids=[f"{f}-{n}" for f, n in RECORDS])


def _merged(table: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return a table with the parameters of `change` in place of its own, each replaced as a whole."""
    result = dict(table)
    for key, inner in change.items():
        nested = isinstance(inner, dict) and "value" not in inner
        result[key] = _merged(result.get(key, {}), inner) if nested else inner
    return result


def _record(folder: str, name: str, drug: str | None = None) -> Record:
    """Return a record straight from its file, with a drug's own release where the file has one."""
    table = _table(folder, name)
    own = table.pop("for", {})
    table.pop("schema")
    table = _merged(table, own.get(drug, {}))
    return build(library.KINDS[folder], table, where=f"{folder}/{name}", library=True)


def _value(row_id: str) -> float:
    return float(ROWS[row_id]["value"])


def test_the_library_is_complete() -> None:
    assert {folder: set(library.names(folder)) for folder in FOLDERS} == NAMES


COUNTS = [("doxorubicin", 250), ("other_drugs", 241), ("physiology_outcome", 164)]


@pytest.mark.parametrize(("file", "count"), COUNTS)
def test_the_evidence_is_here(file: str, count: int) -> None:
    with (DATA / "evidence" / f"{file}.csv").open(encoding="utf-8", newline="") as lines:
        assert sum(1 for _ in csv.DictReader(lines)) == count


EVERY_TOML = [*FILES, DATA / "sources.toml"]


@pytest.mark.parametrize("path", EVERY_TOML, ids=[f"{each.parent.name}-{each.stem}" for each in EVERY_TOML])
def test_a_file_is_clean_toml_of_schema_1(path: Path) -> None:
    data = path.read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in data
    table = tomllib.loads(data.decode("utf-8"))
    assert table["schema"] == 1
    if path.stem != "sources":
        assert table["name"] == path.stem
        assert table["title"]
        assert len(data.splitlines()) <= 350


@each_file
def test_a_parameter_has_its_provenance(folder: str, name: str) -> None:
    for path, given in ALL[folder, name]:
        assert set(given) <= KEYS, path
        assert given["kind"] in KINDS, path
        assert given["kind"] != "user", path
        assert given.get("distribution", "lognormal") in DISTRIBUTIONS, path
        if given["kind"] == "assumed":
            assert given["note"].strip(), path
            assert "range" in given or isinstance(given["value"], str), path
        else:
            assert given.get("rows") or given.get("source"), path
        if not isinstance(given["value"], str):
            units.to_internal(given["unit"])


@each_file
def test_a_value_lies_in_its_ranges(folder: str, name: str) -> None:
    for path, given in ALL[folder, name]:
        value = given["value"]
        if isinstance(value, str) or math.isnan(value):
            continue
        low, high = given["range"]
        assert low <= value <= high, path
        if "plausible" in given:
            assert given["plausible"][0] <= low, path
            assert high <= given["plausible"][1], path
        if "cv" in given:
            assert 0 < given["cv"] < 2, path


@each_file
def test_what_is_cited_exists(folder: str, name: str) -> None:
    for path, given in ALL[folder, name]:
        assert set(given.get("rows", [])) <= set(ROWS), path
        assert given.get("source", "atomic_weights") in SOURCES, path


@each_file
def test_memory_alone_only_supports_assumptions(folder: str, name: str) -> None:
    for path, given in ALL[folder, name]:
        if given["kind"] == "assumed":
            continue
        grades = [ROWS[row]["how_read"] for row in given.get("rows", [])]
        seen = [grade for grade in grades if not grade.startswith("memory") and grade != "not found"]
        assert seen or "source" in given, path


@each_file
def test_a_drug_cites_its_own_rows(folder: str, name: str) -> None:
    for path, given in ALL[folder, name]:
        drug = path.split(".")[1] if path.startswith("for.") else name if folder == "drugs" else None
        if drug is None or path.startswith("reference."):
            continue
        for row in given.get("rows", []):
            if "drug" in ROWS[row]:
                assert DRUG_WORD[drug] in ROWS[row]["drug"], f"{path}: {row} is a row of {ROWS[row]['drug']}"


def test_sources_are_stated_and_used() -> None:
    entries = {key: entry for key, entry in SOURCES.items() if key != "schema"}
    for entry in entries.values():
        assert entry["citation"]
        assert entry["identifier"]
    cited = {given.get("source") for found in ALL.values() for _, given in found}
    assert set(entries) == cited - {None}


def _without_origin(record: Record) -> Iterator[str]:
    """Yield the numbers of a record that nobody stated, except parameters of another release law."""
    for path in record.paths():
        if path.startswith("release.") and path[8:] not in LAW_PARAMETERS[record.get("release.law")]:
            continue
        if record.spec(path).kind in ("number", "series") and record.origin(path) is None:
            yield path


@each_file
def test_a_record_states_every_number(folder: str, name: str) -> None:
    record = _record(folder, name)
    assert not list(_without_origin(record))
    assert set(specs(type(record))) <= set(_table(folder, name)) | {"origins", "variants"}


@pytest.mark.parametrize("name", sorted(NAMES["carriers"]))
@pytest.mark.parametrize("drug", sorted(NAMES["drugs"]))
def test_a_carrier_is_legal_with_every_drug(name: str, drug: str) -> None:
    carrier = _record("carriers", name, drug)
    assert isinstance(carrier, Carrier)
    assert not list(_without_origin(carrier))
    assert set(_table("carriers", name).get("for", {})) <= NAMES["drugs"]
    if carrier.release.law == "biexponential":
        assert carrier.release.slow_rate < carrier.release.fast_rate


@each_file
def test_the_loader_reads_it(folder: str, name: str) -> None:
    found = library.load(folder, name)
    if folder != "carriers":
        assert found.digest() == _record(folder, name).digest()
        return
    for drug in sorted(NAMES["drugs"]):
        assert found.for_drug(drug).digest() == _record(folder, name, drug).digest()


def _clearances(drug: Record) -> dict[str, float]:
    """Return the derived clearances of the reference subject [L/h]."""
    exchange = drug.get("reference.liver_flow") * 0.06 * drug.get("blood_plasma_ratio")
    extraction = drug.get("extraction")
    return {
        "exchange": exchange,
        "hepatic": extraction * exchange,
        "behind": extraction * exchange / (1 - extraction),
        "barrier": drug.get("liver.ps") * drug.get("reference.parenchyma_volume") / 1000,
    }


@pytest.mark.parametrize("name", sorted(NAMES["drugs"]))
def test_clearance_extraction_and_exchange_are_possible_together(name: str) -> None:
    drug = _record("drugs", name)
    found = _clearances(drug)
    assert found["hepatic"] <= drug.get("cl_total")
    assert found["behind"] < found["barrier"]


@pytest.mark.parametrize("name", sorted(NAMES["drugs"]))
def test_they_stay_possible_over_most_of_their_ranges(name: str) -> None:
    """Ranges may meet in a corner that is no subject (fitted values depend on each other): intervals draw it again.

    Four in five of independent draws of extraction, uptake and clearance must be subjects.
    """
    drug = _record("drugs", name)
    rng = np.random.default_rng(5)
    possible = []
    for _ in range(200):
        drawn = {}
        for path in ("extraction", "liver.ps", "cl_total"):
            low, high = drug.origin(path).range  # type: ignore[union-attr, misc]
            drawn[path] = float(np.exp(rng.normal(np.log(drug.get(path)), np.log(high / low) / (2 * 1.645))))
        drawn["extraction"] = min(drawn["extraction"], 0.97)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PlausibilityWarning)  # tails of a range
            found = _clearances(drug.with_values(drawn))
        possible.append(found["behind"] < found["barrier"] and found["hepatic"] <= drawn["cl_total"])
    assert np.mean(possible) >= 0.8


@pytest.mark.parametrize("patient_name", sorted(NAMES["patients"]))
@pytest.mark.parametrize("name", sorted(NAMES["drugs"]))
def test_extraction_in_every_patient_is_a_fraction(name: str, patient_name: str) -> None:
    drug, patient = _record("drugs", name), _record("patients", patient_name)
    found = _clearances(drug)
    cells = found["behind"] * found["barrier"] / (found["barrier"] - found["behind"])
    volume = patient.get("liver.parenchyma_volume") / 1000
    scale = patient.get("liver.parenchyma_volume") / drug.get("reference.parenchyma_volume")
    cells *= scale * patient.get("liver.reserve")
    barrier = drug.get("liver.ps") * volume
    behind = barrier * cells / (barrier + cells)
    open_share = 1 - patient.get("liver.shunt")
    flow = patient.get("liver.flow") * 0.06 * open_share * drug.get("blood_plasma_ratio")
    assert 0 < behind / (behind + flow) < 1
    if patient.get("liver.reserve") <= 1 and patient_name.startswith("hcc"):
        assert behind <= found["behind"] * (1 + 1e-9)


AS_IN_A_ROW = [
    ("drugs", "doxorubicin", "cl_total", "dox001", 1.0),
    ("drugs", "doxorubicin", "kill.ec50", "dox259", 543.52e-3),
    ("drugs", "doxorubicin", "bound.fraction", "dox018", 1.0),
    ("drugs", "cisplatin", "cl_total", "CDDP008", 60 * 1.8),
    ("drugs", "mitomycin_c", "cl_total", "MMC014", 0.06 * 70),
    ("drugs", "fluorouracil", "liver.km", "FU005", 130.08e-3),
    ("drugs", "fluorouracil", "extraction", "FU007", 1.0),
    ("patients", "hcc_reference", "tumour.doubling_time", "P110", 1.0),
    ("carriers", "lipiodol_emulsion", "release.fast_rate", "dox126", 1.0),
]


@pytest.mark.parametrize(("folder", "name", "path", "row", "factor"), AS_IN_A_ROW)
def test_a_value_says_what_its_row_says(folder: str, name: str, path: str, row: str, factor: float) -> None:
    record = _record(folder, name)
    assert record.get(path) == pytest.approx(_value(row) * factor, rel=2e-3)
    origin = record.origin(path)
    assert origin is not None
    assert row in origin.rows


def test_derived_numbers_add_up() -> None:
    volume = 758.259 * 1.8 - 124.272
    for folder, name, path in [("drugs", "cisplatin", "reference.parenchyma_volume"),
                               ("patients", "hcc_reference", "liver.parenchyma_volume")]:
        assert _record(folder, name).get(path) == pytest.approx(volume, abs=0.1)
    fluorouracil = _record("drugs", "fluorouracil")
    assert fluorouracil.get("cl_total") == pytest.approx(_value("FU001") / _value("FU002"), rel=1e-3)


def test_kill_of_c_times_t_drugs_has_the_slope_of_its_d0() -> None:
    cisplatin = _record("drugs", "cisplatin")
    assert cisplatin.get("kill.hill") == 1
    assert cisplatin.get("kill.ec50") / cisplatin.get("kill.kmax") == pytest.approx(_value("PD001"))


def test_the_escape_share_grows_with_the_tumour() -> None:
    """The size effect of necrosis asks for it; at no usual diameter is it next to nothing or the whole."""
    tumour = _record("patients", "hcc_reference").get("tumour")
    logits = [tumour.escape_intercept + tumour.escape_slope * math.log(d / 30) for d in (20, 30, 40, 60)]
    shares = [1 / (1 + math.exp(-each)) for each in logits]
    assert shares == sorted(shares)
    assert shares[0] > 1e-3
    assert shares[-1] < 0.5


def test_bland_and_loaded_carriers_block_alike() -> None:
    twins = {"lipiodol_emulsion": "lipiodol", "lipiodol_suspension": "lipiodol", "beads": "beads_bland"}
    for carrier, embolic in twins.items():
        one, other = _record("carriers", carrier), _record("embolics", embolic)
        for path in ("occlusion", "selectivity", "half_life", "duration", "retention_tumour"):
            assert one.get(path) == other.get(path)
