"""What goes in comes out: TOML, paths, ``--set`` and units; and arbitrary input fails only in the documented way."""

from __future__ import annotations

import math
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pkmodel as pk
from pkmodel import units
from pkmodel.errors import FileError, InputError, PlausibilityWarning, RegimenError
from pkmodel.inputs import library
from pkmodel.inputs.arguments import mixture, path_values
from pkmodel.inputs.record import FieldSpec, Record, number_value, packed, parameter_paths
from pkmodel.inputs.rewrite import literal
from pkmodel.inputs.tomlfile import parse_text
from pkmodel.study.release_data import release_data

quick = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

RECORDS = [
    ("drugs", "doxorubicin"),
    ("drugs", "fluorouracil"),
    ("patients", "hcc_reference"),
    ("patients", "rabbit_vx2"),
    ("catheters", "segmental"),
    ("carriers", "lipiodol_emulsion"),
    ("embolics", "lipiodol"),
]
# Rules between fields: a release parameter of another law, a tumour where the type is none, Gompertz growth.
TIED = ("release.", "tumour_type", "tumour.growth")


@lru_cache
def base(kind: str, name: str) -> Any:
    """A library record, without versions for single drugs."""
    found = library.load(kind, name)
    return found.for_drug("doxorubicin") if kind == "carriers" else found


def free_paths(record: Record) -> list[str]:
    """Paths that may be set one by one."""
    return [path for path in parameter_paths(type(record)) if not path.startswith(TIED)]


def legal_numbers(spec: FieldSpec) -> st.SearchStrategy[float]:
    """Numbers that a field accepts."""
    low, high = (None if math.isinf(x) else x for x in (spec.low, spec.high))
    numbers = st.floats(
        low, high, exclude_min=spec.low_open and low is not None, exclude_max=spec.high_open and high is not None,
        allow_nan=False, allow_infinity=False,
    )  # fmt: skip
    extra = [math.inf] * spec.allow_inf + [math.nan] * spec.allow_nan
    return st.one_of(numbers, st.sampled_from(extra)) if extra else numbers


def legal_values(spec: FieldSpec) -> st.SearchStrategy[Any]:
    """Values that a field accepts."""
    return st.sampled_from(spec.choices) if spec.choices is not None else legal_numbers(spec)


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    """A library record and some legal values by path."""
    kind, name = draw(st.sampled_from(RECORDS))
    record = base(kind, name)
    paths = draw(st.lists(st.sampled_from(free_paths(record)), unique=True, max_size=6))
    return kind, name, {path: draw(legal_values(record.spec(path))) for path in paths}


def toml_of(record: Record, name: str, values: dict[str, Any], form: str) -> str:
    """A user's file: plain keys, quantities in words, or tables with an origin."""
    lines = ["schema = 1", f'base = "{name}"', 'name = "mine"']
    later = []
    for path, value in values.items():
        spec = record.spec(path)
        if form == "table" and spec.kind == "number":
            later += [f"[{path}]", f"value = {literal(value)}", f'unit = "{spec.unit}"', 'kind = "user"']
        elif form == "quantity" and spec.kind == "number" and spec.unit != "1":
            lines.append(f'{path} = "{value!r} {spec.unit}"')
        else:
            lines.append(f"{path} = {literal(value)}")
    return "\n".join([*lines, *later]) + "\n"


@quick
@given(changes(), st.sampled_from(["plain", "quantity", "table"]), st.sampled_from(["\n", "\r\n"]))
def test_toml_to_record_and_back(
    tmp_path: Path, change: tuple[str, str, dict[str, Any]], form: str, newline: str
) -> None:
    kind, name, values = change
    record = base(kind, name)
    path = tmp_path / "mine.toml"
    path.write_bytes(toml_of(record, name, values, form).replace("\n", newline).encode())
    found = library.load(kind, path)
    for each, value in values.items():
        # -0.0 and 0.0 are one value
        assert packed(found.get(each)) == packed(value + 0.0 if isinstance(value, float) else value), each
        assert found.origin(each) is None or found.origin(each).kind == "user"
    own = found.for_drug("doxorubicin") if kind == "carriers" else found
    assert own.with_values({each: own.get(each) for each in free_paths(own)}).digest() == own.digest()
    expected = library.load(kind, name).with_values({**values, "name": "mine"})
    assert found.digest() == expected.digest()


@lru_cache
def scenarios() -> dict[str, pk.Scenario]:
    """Treatments that between them have every kind of path."""
    emulsion = pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
    mixed = pk.chemoembolisation({"doxorubicin": 50, "cisplatin": 60}, carrier="beads")
    then = pk.hepatic_artery("mitomycin_c", [10, 20], at_h=100) + pk.embolisation("lipiodol+beads_bland", at_h=100)
    return {
        "repeated": pk.Scenario("hcc_reference", emulsion.repeat(every_days=42, times=3), review_days=7),
        "mixture": pk.Scenario("hcc_child_b", mixed + then, catheter="segmental"),
        "solution": pk.Scenario("pig", pk.hepatic_artery("cisplatin", 20, duration_h=0.5)),
        "depot": pk.Scenario("rabbit_vx2", pk.extravascular("doxorubicin", 2, carrier="solution")),
        "iv": pk.Scenario("colorectal_metastasis", pk.iv("fluorouracil", 750) + pk.iv("fluorouracil", 500, at_h=48)),
        "bland": pk.Scenario("hcc_reference", pk.embolisation("lipiodol+gelatin_sponge")),
        "untreated": pk.Scenario("hcc_reference", pk.Regimen(())),
    }


@pytest.mark.parametrize("name", scenarios())
def test_setting_what_is_there_changes_nothing(name: str) -> None:
    scenario = scenarios()[name]
    several = 0
    for path in scenario.paths():
        try:
            value = scenario.get(path)
        except RegimenError:  # several values, or no interval: the path can be set, not read
            several += 1
            continue
        if path == "regimen.every" and scenario.get("regimen.times") == 1:
            continue  # an interval of a single session has no effect, and says so
        try:
            same = scenario.with_value(path, value)
        except RegimenError as error:
            assert "no effect" in str(error), path  # the carrier's usual duration, where a dose states its own
            continue
        if name == "mixture" and path.startswith(("carrier.", "session.1.carrier.")):
            # a carrier of several drugs is read as it is in common, and set for every drug
            assert packed(same.get(path)) == packed(value), path
            continue
        assert same.digest() == scenario.digest(), path
    assert several < len(scenario.paths()) / 4


@st.composite
def scenario_changes(draw: st.DrawFn) -> tuple[str, str, float]:
    """A scenario, one of its numeric paths, and a legal value."""
    name = draw(st.sampled_from([each for each in scenarios() if each != "untreated"]))
    scenario = scenarios()[name]
    paths = [
        path
        for path in scenario.paths()
        if scenario.spec(path).kind == "number" and not any(word in path for word in ("release", "session", "regimen",
        "carrier.duration"))
    ]
    path = draw(st.sampled_from(paths))
    return name, path, draw(legal_numbers(scenario.spec(path)))


@quick
@given(scenario_changes(), st.booleans())
def test_set_option_round_trip(change: tuple[str, str, float], with_unit: bool) -> None:
    name, path, value = change
    scenario = scenarios()[name]
    unit = scenario.spec(path).unit
    text = f"{value!r} {unit}" if with_unit and unit != "1" else repr(value)
    try:
        expected = scenario.with_value(path, value)
    except InputError as refused:  # legal by itself, but not beside other values of this scenario
        with pytest.raises(type(refused)):
            scenario.with_values(path_values([f"{path}={text}"]))
        return
    changed = scenario.with_values(path_values([f"{path}={text}"]))
    assert packed(changed.get(path)) == packed(value + 0.0)
    assert changed.digest() == expected.digest()
    origin = changed.origin(path)
    assert origin is None or origin.kind == "user"
    try:
        old = scenario.get(path)
    except RegimenError:
        return
    if (name, path.split(".")[0]) == ("mixture", "carrier"):
        return  # set for every drug, whose own values it replaced
    assert changed.with_value(path, old).digest() == scenario.digest()


@quick
@given(st.dictionaries(st.from_regex(r"[a-z_.0-9]+", fullmatch=True), st.from_regex(r"[^=\s,]+", fullmatch=True)))
def test_set_and_drug_texts_round_trip(values: dict[str, str]) -> None:
    assert path_values([f" {path} = {value} " for path, value in values.items()]) == values
    if values:
        assert mixture(",".join(f"{path}={value}" for path, value in values.items())) == values


SYMBOLS = ["mg", "g", "ug", "ng", "kg", "L", "mL", "dL", "h", "min", "s", "d", "week", "mm", "cm", "m2", "umol", "mmol"]
UNITS = st.builds(
    lambda over, under: "*".join(over) + "".join(f"/{each}" for each in under),
    st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=2),
    st.lists(st.sampled_from(SYMBOLS), max_size=2),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@quick
@given(NUMBERS, UNITS, st.sampled_from([" ", "", "  "]))
def test_a_quantity_is_read_as_it_was_written(value: float, unit: str, space: str) -> None:
    assert units.parse(f"{value!r}{space}{unit}") == (value, unit)


@quick
@given(UNITS)
def test_factors_are_inverse_and_multiply(unit: str) -> None:
    internal = units.to_internal(unit)
    assert 0.0 < internal < math.inf
    assert units.factor(unit, unit) == 1.0
    for symbol in SYMBOLS:
        product = f"{unit}/{symbol}"
        assert units.to_internal(product) == pytest.approx(internal / units.to_internal(symbol), rel=1e-12)
    for other in ("g/L", "mL/min", "1/h", unit):
        if units.dimension(other) == units.dimension(unit):
            assert units.factor(unit, other) * units.factor(other, unit) == pytest.approx(1.0, rel=1e-12)


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(), st.dates(),
    st.lists(st.one_of(st.floats(), st.text(max_size=3), st.none())), st.dictionaries(st.text(), st.floats()),
    st.builds(np.array, st.lists(st.one_of(st.floats(), st.none(), st.text(max_size=2)))),
    st.builds(np.float32, st.floats(width=32)), st.sampled_from([object(), math.nan, np.ma.masked,
        np.datetime64("NaT")]),
)  # fmt: skip


@quick
@given(st.sampled_from(["tumour.diameter", "species", "liver", "name", "marrow.neutrophils"]), ODD)
def test_any_value_is_taken_or_refused_as_documented(path: str, value: object) -> None:
    try:
        found = base("patients", "hcc_reference").with_value(path, value)
    except InputError as error:
        assert str(error)
    else:
        assert path == "name" or np.all(np.isfinite(found.get(path))) or isinstance(found.get(path), str)


@quick
@given(st.one_of(st.text(), st.integers(), st.none(), st.tuples(st.text())), ODD)
def test_any_path_is_known_or_refused_as_documented(path: object, value: object) -> None:
    for holder in (base("drugs", "doxorubicin"), scenarios()["solution"]):
        with pytest.raises(InputError):
            holder.with_value(path, value)
        with pytest.raises(InputError):
            holder.get(path)


@quick
@given(st.text())
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    spec = FieldSpec("number", "any", name="any", unit="mg", low=0.0, high=1e6)
    try:
        found = number_value(spec, text, "any")
    except InputError:
        return
    assert 0.0 <= float(found) <= 1e6


@quick
@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_any_bytes_are_a_file_or_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(FileError):
        parse_text(data, "any.toml")
    path = tmp_path / "any.csv"
    path.write_bytes(data)
    with pytest.raises(InputError):
        release_data(path)


CELLS = st.one_of(st.floats(-1, 200).map(repr), st.sampled_from(["", "nan", "inf", "x", "1_0", "1e400", "-0", '"1,5"',
        "٣"]))


@quick
@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_any_cells_are_a_curve_or_refused(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    path = tmp_path / "any.csv"
    path.write_text("time_h,released_percent\n" + "".join(f"{t},{r}\n" for t, r in rows), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        try:
            found = release_data(path)
        except InputError as error:
            assert "any.csv" in str(error)
            return
    assert np.isfinite(found.times_h).all() and np.isfinite(found.released).all()
    assert np.all(np.diff(found.times_h) > 0)
