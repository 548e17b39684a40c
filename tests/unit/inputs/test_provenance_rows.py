"""Every measured or fitted value of the library is joined to its evidence rows: do they speak of the same thing?

By drug, species, route, quantity and unit in the two drug tables; by topic, population, metric, unit and position in
the cell in the table of physiology and outcome. A measured value must lie among the numbers of its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from pkmodel import units
from pkmodel.inputs import library
from pkmodel.inputs.cases import observations
from pkmodel.inputs.tomlfile import parse_text

GRADES = ("read", "read-secondary")
DRUG_NAMES = {"5-FU": "fluorouracil", "mitomycin C": "mitomycin_c", "mitomycin": "mitomycin_c"}
NUMBER = re.compile(r"(?<![0-9.])[-+]?[0-9]+(?:\.[0-9]+)?")
BSA, WEIGHT = 1.8, 70.0  # what the library's numbers refer to


class Join(NamedTuple):
    """What a field's rows must say: metric (a pattern), routes or topic, and the number's position in its cell."""

    metric: str
    where: tuple[str, ...]
    position: int = 0


SYSTEMIC, ARTERIAL = ("iv_infusion", "iv_bolus", "tace"), ("hai_infusion", "hai_bolus")
DRUG_JOINS = {
    "cl_total": Join(r"CL.*", SYSTEMIC),
    "extraction": Join(r"hepatic_extraction_ratio", ARTERIAL),
    "blood_plasma_ratio": Join(r"blood_to_plasma_ratio", ("none",)),
    "fraction_unbound": Join(r"fu", ("none", *SYSTEMIC)),
    "v1": Join(r"V|V1|V_intact|Vss|CL|half_life_(alpha|beta)", SYSTEMIC),
    "q2": Join(r"Q2|Vss|CL|half_life_(alpha|beta)", SYSTEMIC),
    "v2": Join(r"V2|Vss|CL|half_life_(alpha|beta)", SYSTEMIC),
    "q3": Join(r"Q3", SYSTEMIC),
    "v3": Join(r"V3", SYSTEMIC),
    "km_other": Join(r"Km|dose_dependence_of_CL_AUC_per_dose_Vss", SYSTEMIC),
    "liver.km": Join(r"extraction_ratio_during_infusion|dose_dependence_of_CL_.*", (*SYSTEMIC, *ARTERIAL)),
    "bound.half_life": Join(r"half_life_(albumin_Pt|beta)", SYSTEMIC),
    "bound.volume": Join(r"V", SYSTEMIC),
    "bound.fraction": Join(r"fraction_CL_to_doxorubicinol", SYSTEMIC),
    "usual_dose": Join(r"dose_per_session|Cmax|V1|Tmax", (*SYSTEMIC, *ARTERIAL)),
    "kill.hill": Join(r"C_x_T_exponent_n", ("",)),
}
PATIENT_JOINS = {
    "liver.arterial_share": Join(
        r"arterial fraction.*|hepatic artery share.*|hepatic_artery_to_portal.*", ("haemodynamics",), 2
    ),
    "liver.buffer_gain": Join(r".*buffer response.*", ("haemodynamics",), 1),
    "liver.shunt": Join(r".*intrahepatic shunt", ("haemodynamics",), 1),
    "tumour.doubling_time": Join(r".*doubling time", ("growth",)),
    "marrow.neutrophils": Join(r"Circ0; .*", ("toxicity",), 0),
    "marrow.neutrophil_mtt": Join(r"Circ0; MTT; .*", ("toxicity",), 1),
    "marrow.neutrophil_feedback": Join(r"Circ0; MTT; gamma; .*", ("toxicity",), 2),
    "marrow.leukocytes": Join(r"Circ0; .*", ("toxicity",), 0),
    "marrow.leukocyte_mtt": Join(r"Circ0; MTT; .*", ("toxicity",), 1),
    "marrow.leukocyte_feedback": Join(r"Circ0; MTT; gamma; .*", ("toxicity",), 2),
    "lung_share": Join(r"distribution liver / lungs / tumour", ("retention",), 1),
}
LINE = {"neutrophil": "neutrophils", "leukocyte": "leukocytes"}


class Value(NamedTuple):
    """One measured or fitted value of the library."""

    kind: str
    name: str
    field: str
    table: dict[str, Any]


def values() -> Iterator[Value]:
    """Every measured or fitted value that names evidence rows."""
    for kind in ("drugs", "patients", "carriers", "embolics", "catheters"):
        for name in library.names(kind):
            yield from leaves(kind, name, parse_text(library.library_bytes(kind, name), name), "")


def leaves(kind: str, name: str, node: dict[str, Any], path: str) -> Iterator[Value]:
    """The tables of values below a table."""
    if node.get("kind") in ("measured", "fitted") and node.get("rows") and not calibrated(node):
        yield Value(kind, name, path, node)
    for key, child in node.items():
        if isinstance(child, dict):
            yield from leaves(kind, name, child, f"{path}.{key}".lstrip("."))


def calibrated(node: dict[str, Any]) -> bool:
    """Whether the calibration found a value: its rows are what a whole stage was fitted to."""
    return "experiments/01_calibration" in node.get("note", "")


EVERY = list(values())
IDS = [f"{each.name}.{each.field}" for each in EVERY]


def numbers(cell: str, unit: str, to: str, position: int) -> list[float]:
    """Numbers of a cell in the unit of the library: that at a position, or of a simple cell all (a range has two)."""
    found = [float(each) for each in NUMBER.findall(re.sub(r"(?<=[0-9])-(?=[0-9])", " ", cell))]
    several = ";" in cell or " / " in cell
    parts = unit.split(";")
    text = (parts[position] if several and len(parts) > 1 else unit).strip()
    if several:
        # a range counts as two numbers of its part
        part = re.split(r";| / ", cell)[position] if position < len(re.split(r";| / ", cell)) else cell
        found = [float(each) for each in NUMBER.findall(re.sub(r"(?<=[0-9])-(?=[0-9])", " ", part))]
    return [each * scale(text, to) for each in found]


def scale(unit: str, to: str) -> float:
    """Factor between the unit of a row and that of the library."""
    size = 1.0
    for ending, value in (("/m2", BSA), ("/kg", WEIGHT)):
        if unit.endswith(ending):
            unit, size = unit.removesuffix(ending), value
    if unit in ("-", "fraction", "ratio", "exponent", ""):
        unit = "1"
    if unit in ("% of dose", "%"):
        unit = "%"
    if unit == "months":
        return 30.44 * size
    return size * units.factor(unit.replace("10^9", "1e9"), to)


@pytest.mark.parametrize("value", EVERY, ids=IDS)
def test_rows_speak_of_the_value(value: Value) -> None:
    joins = DRUG_JOINS if value.kind == "drugs" else PATIENT_JOINS
    assert value.field in joins, "say here what rows of this field must look like"
    join = joins[value.field]
    matched = 0
    for row_id in value.table["rows"]:
        row = library.evidence_row(row_id)
        if row["how_read"] not in GRADES:
            continue
        if not re.fullmatch(join.metric, row["metric"]):
            continue
        if "drug" in row and value.kind == "drugs":
            given = row["drug"].split(" + ")
            assert value.name in [DRUG_NAMES.get(each, each) for each in given], row_id
            assert row["species"].startswith(("human", "pig"))
            assert row["route"] in join.where, row_id
        elif "topic" in row:
            assert row["topic"] in join.where, row_id
            for line, cells in LINE.items():
                if f".{line}" in f".{value.field}".replace("marrow.", "."):
                    assert cells in row["population"], row_id
        matched += 1
    assert matched, f"no row of {value.table['rows']} speaks of {join.metric}"


@pytest.mark.parametrize(
    "value", [v for v in EVERY if v.table["kind"] == "measured"], ids=lambda v: f"{v.name}.{v.field}"
)
def test_a_measured_value_lies_among_the_numbers_of_its_rows(value: Value) -> None:
    joins = DRUG_JOINS if value.kind == "drugs" else PATIENT_JOINS
    join, unit = joins[value.field], value.table["unit"]
    found: list[float] = []
    for row_id in value.table["rows"]:
        row = library.evidence_row(row_id)
        if not re.fullmatch(join.metric, row["metric"]) or row["how_read"] not in GRADES:
            continue
        if row["metric"].startswith("hepatic_artery_to_portal"):
            ratio = float(row["value"])
            found.append(ratio / (1.0 + ratio))
            continue
        if value.field == "usual_dose":
            found += [float(each) for each in NUMBER.findall(row["dose"].replace("-", " "))]
            continue
        if not NUMBER.search(row["value"]):
            continue
        found += numbers(row["value"], row["unit"], unit, join.position)
    if not found:  # said in words: not detectable, no dose dependence
        assert value.table["value"] in (0.0, float("inf"))
        return
    assert min(found) * 0.99 <= value.table["value"] <= max(found) * 1.01, found


def calibrated_values(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and table of every fitted value of the calibration below a table."""
    if node.get("kind") == "fitted" and calibrated(node):
        yield path, node
    for key, child in node.items():
        if isinstance(child, dict):
            yield from calibrated_values(child, f"{path}.{key}")


def test_a_calibrated_value_names_observations_of_role_fit_its_error_and_its_range() -> None:
    fit = {row for _, each in observations() if each.role == "fit" for row in each.rows}
    found = 0
    for kind in ("drugs", "patients", "carriers", "embolics"):
        for name in library.names(kind):
            for path, node in calibrated_values(parse_text(library.library_bytes(kind, name), name), name):
                assert node["rows"], path
                assert set(node["rows"]) <= fit, path
                assert node["se"] > 0.0, path
                low, high = node["range"]
                assert low < node["value"] < high, path
                assert "prior" in node["note"], path
                found += 1
    assert found >= 10
