"""Published experiments as data: who was treated how, and what was observed, with the evidence row of every number.

The rules and the format stand in ``data/cases/README.md``. A value is never typed in a case: it is read from the cell
of its evidence row, and checked against the drug, the species and the unit printed there.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

from pkmodel.errors import FileError, UnknownNameError
from pkmodel.inputs import library
from pkmodel.inputs.case_text import choice, hours, only, window
from pkmodel.inputs.tomlfile import parse_text

GRADES = ("read", "read-secondary")
REASONS = (
    "gap", "memory", "derived", "other_drug", "no_subject", "not_in_vivo", "no_number", "unit_unknown",
    "dose_unknown", "not_computed", "duplicate", "description",
)  # fmt: skip
ROLES = ("fit", "check")
ROUTES = ("iv", "hepatic_artery", "chemoembolisation", "embolisation")
NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cmax": ("observable", "window"),
        "tmax": ("observable", "window"),
        "concentration": ("observable", "time"),
        "auc": ("observable", "window"),
        "clearance": ("window",),
        "volume_central": (),
        "volume_steady": ("window",),
        "half_life": ("observable", "window"),
        "half_life_fast": ("observable", "window", "tail"),
        "extraction": ("time",),
        "released_fraction": ("time",),
        "deposited_share": ("place", "time"),
        "deposited_density": ("place", "time"),
        "flow_left": ("time",),
        "oil_half_life": ("place",),
        "necrosis": ("time",),
        "viable_volume_ratio": ("time",),
        "necrosis_above": ("time", "threshold"),
        "response": ("time", "threshold"),
    }
)
_CASE = {
    "title", "study", "drug", "patient", "catheter", "until", "settings", "scale", "assumed", "arms", "observations",
}  # fmt: skip
_ARM = {"route", "dose", "duration", "carrier", "embolic", "settings"}
_QUANTITY = {"quantity", "observable", "window", "time", "tail", "place", "threshold"}
_OBSERVATION = _QUANTITY | {
    "row", "position", "middle", "plus_rows", "over_row", "over_position", "arm", "role", "unit", "over", "ordering",
}  # fmt: skip
# Units of papers whose numbers must be turned into the quantity first: unit -> (how, unit afterwards).
_IODINE_131_D = 8.02
_TRANSFORMS: Mapping[str, tuple[Callable[[float], float], str]] = MappingProxyType(
    {
        "% change": (lambda x: 1.0 + x / 100.0, "ratio"),
        "% complement": (lambda x: 1.0 - x / 100.0, "ratio"),
        "d effective 131I": (lambda x: 1.0 / (1.0 / x - 1.0 / _IODINE_131_D), "d"),
        "1/min": (lambda x: math.log(2.0) / x, "min"),
    }
)
_NUMBER = re.compile(r"(?<![0-9.])[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DRUG_NAMES = {"5-FU": "fluorouracil", "mitomycin C": "mitomycin_c"}


@dataclass(frozen=True)
class Arm:
    """One way in which a case's subjects were treated; texts carry units."""

    name: str
    route: str
    dose: str | None = None
    duration: str | None = None
    carrier: str | None = None
    embolic: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What is read off an arm's course: a quantity of the rules, with its keys; times in hours."""

    arm: str
    quantity: str
    observable: str | None = None
    window: tuple[float, float] | None = None
    time: float | None = None
    tail: tuple[float, float] | None = None
    place: str | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Observation:
    """One published number, or an ordering of two arms."""

    row: str
    value: float
    unit: str
    role: str
    reading: Reading
    over: Reading | None = None
    ordering: str | None = None
    position: int = 0
    plus_rows: tuple[str, ...] = ()
    over_row: str | None = None

    @property
    def rows(self) -> tuple[str, ...]:
        """Ids of all evidence rows behind the number."""
        return (self.row, *self.plus_rows, *([] if self.over_row is None else [self.over_row]))

    @property
    def id(self) -> str:
        """Row id, with the position of the number in its cell where there are several, plus or over other rows."""
        own = "+".join((f"{self.row}#{self.position}" if self.position else self.row, *self.plus_rows))
        return own if self.over_row is None else f"{own}/{self.over_row}"


@dataclass(frozen=True)
class Case:
    """One published experiment."""

    id: str
    title: str
    study: str
    drug: str | None
    patient: str
    catheter: str
    until_h: float
    settings: Mapping[str, Any]
    allometric: bool
    assumed: tuple[str, ...]
    arms: Mapping[str, Arm]
    observations: tuple[Observation, ...]


@cache
def cases() -> tuple[Case, ...]:
    """Return every case of the library, in the order of its files.

    Raises
    ------
    FileError
        A case breaks the format, or does not agree with its evidence row.
    """
    found: dict[str, Case] = {}
    for name in library.names("cases"):
        where = f"cases/{name}.toml"
        for key, table in parse_text(library.library_bytes("cases", name), where).items():
            if key in found:
                raise FileError(f"{where}: case {key!r} exists already")
            found[key] = _case(key, table, f"{where}: {key}")
    return tuple(found.values())


@cache
def left_out() -> Mapping[str, tuple[str, str]]:
    """Return row id -> (reason, note) of every evidence row that is in no case.

    Raises
    ------
    FileError
        A reason is not on the closed list, or a row stands there twice.
    """
    text = library.data_bytes("cases", "left_out.csv").decode("utf-8")
    found: dict[str, tuple[str, str]] = {}
    for line in csv.DictReader(io.StringIO(text, newline="")):
        if line["reason"] not in REASONS:
            raise FileError(f"cases/left_out.csv: {UnknownNameError.of('reason', line['reason'], REASONS)}")
        if line["row"] in found:
            raise FileError(f"cases/left_out.csv: row {line['row']} stands twice")
        library.evidence_row(line["row"])
        found[line["row"]] = (line["reason"], line["note"])
    return MappingProxyType(found)


@cache
def explanations() -> Mapping[str, str]:
    """Return observation id -> why the model misses it, as far as anybody can say."""
    text = library.data_bytes("cases", "misses.csv").decode("utf-8")
    return MappingProxyType({r["observation"]: r["explanation"] for r in csv.DictReader(io.StringIO(text, newline=""))})


def _case(key: str, table: Mapping[str, Any], where: str) -> Case:
    only(table, _CASE, where)
    arms = {name: Arm(name, **only(arm, _ARM, f"{where}.arms.{name}")) for name, arm in table["arms"].items()}
    for name, arm in arms.items():
        choice(arm.route, ROUTES, "route", f"{where}.arms.{name}")
    case = Case(
        id=key,
        title=table["title"],
        study=table["study"],
        drug=table.get("drug"),
        patient=table["patient"],
        catheter=table.get("catheter", "lobar"),
        until_h=hours(table["until"], where),
        settings=table.get("settings", {}),
        allometric=choice(table.get("scale", "none"), ("none", "allometric"), "scale", where) == "allometric",
        assumed=tuple(table.get("assumed", ())),
        arms=MappingProxyType(arms),
        observations=tuple(_observation(each, arms, where) for each in table["observations"]),
    )
    for each in case.observations:
        _agrees(case, each, where)
    return case


def _observation(table: Mapping[str, Any], arms: Mapping[str, Arm], where: str) -> Observation:
    only(table, _OBSERVATION, where)
    row = library.evidence_row(table["row"])
    where = f"{where}, {table['row']}"
    value, unit = math.nan, table.get("unit", row["unit"])
    if table.get("middle", False):
        value = _middle(row, where)
    elif "ordering" not in table:  # an ordering is often printed in words
        value, unit = _number(row, table.get("position"), unit, where)
    for name in table.get("plus_rows", ()):
        value += _number(_alike(row, name, where), None, unit, where)[0]
    if "over_row" in table:
        other = _alike(row, table["over_row"], where)
        value, unit = value / _number(other, table.get("over_position"), other["unit"], where)[0], "ratio"
    reading = _reading(table, arms, where)
    over = table.get("over")
    ordering = table.get("ordering")
    if ordering is not None:
        choice(ordering, ("more", "less"), "ordering", where)
    if over is not None:
        base = {name: each for name, each in table.items() if name in _QUANTITY or name == "arm"} | dict(over)
        over = _reading(base, arms, where)
    elif ordering is not None:
        raise FileError(f"{where}: an ordering compares two arms; it needs 'over'")
    if "over_row" in table and over is None:
        raise FileError(f"{where}: a ratio of two rows needs 'over' for the prediction too")
    return Observation(
        row=table["row"],
        value=value,
        unit=unit,
        role=choice(table["role"], ROLES, "role", where),
        reading=reading,
        over=over,
        ordering=ordering,
        position=table.get("position", 0),
        plus_rows=tuple(table.get("plus_rows", ())),
        over_row=table.get("over_row"),
    )


def _alike(row: Mapping[str, str], name: str, where: str) -> Mapping[str, str]:
    """Another row of the same source, unit and a grade that may be compared, to be added or divided by."""
    other = library.evidence_row(name)
    if (row["unit"], row["source"]) != (other["unit"], other["source"]) or other["how_read"] not in GRADES:
        raise FileError(f"{where}: {name} has another unit or source, or a grade that may not be compared")
    return other


def _number(row: Mapping[str, str], position: int | None, unit: str, where: str) -> tuple[float, str]:
    """The number at a position of a row's cell, turned into its quantity, and its unit."""
    numbers = _NUMBER.findall(row["value"])
    if not 0 <= (position or 0) < len(numbers):
        raise FileError(f"{where}: position {position or 0} of the cell {row['value']!r} holds no number")
    if position is None and len(numbers) > 1:
        raise FileError(f"{where}: the cell {row['value']!r} has {len(numbers)} numbers; give the position of one")
    value = float(numbers[position or 0])
    turn, after = _TRANSFORMS.get(unit, (float, unit))
    return turn(value), after


def _middle(row: Mapping[str, str], where: str) -> float:
    """The geometric middle of a range, where a row prints no other number."""
    numbers = [float(each) for each in _NUMBER.findall(row["spread"])]
    if row["value"] or row["spread_kind"] != "range" or len(numbers) != 2 or min(numbers) <= 0.0:
        raise FileError(f"{where}: 'middle' is that of a row with a range and no other number")
    return math.sqrt(numbers[0] * numbers[1])


def _reading(table: Mapping[str, Any], arms: Mapping[str, Arm], where: str) -> Reading:
    quantity = choice(table["quantity"], tuple(NEEDS), "quantity", where)
    for name in NEEDS[quantity]:
        if name not in table:
            raise FileError(f"{where}: quantity {quantity!r} needs {name!r}")
    return Reading(
        arm=choice(table["arm"], tuple(arms), "arm", where),
        quantity=quantity,
        observable=table.get("observable"),
        window=window(table["window"], where) if "window" in table else None,
        time=hours(table["time"], where) if "time" in table else None,
        tail=window(table["tail"], where) if "tail" in table else None,
        place=table.get("place"),
        threshold=table.get("threshold"),
    )


def _agrees(case: Case, each: Observation, where: str) -> None:
    """A case must speak of the drug, the species and the grade of its row."""
    row = library.evidence_row(each.row)
    if row["how_read"] not in GRADES:
        raise FileError(f"{where}, {each.row}: graded {row['how_read']!r}; only {' and '.join(GRADES)} may be compared")
    if "drug" in row:
        drug = _DRUG_NAMES.get(row["drug"], row["drug"])
        if case.drug is not None and drug != case.drug and drug in library.names("drugs"):
            raise FileError(f"{where}, {each.row}: the row speaks of {row['drug']}, the case of {case.drug}")
        species = library.patient(case.patient).species
        if row["species"] and not row["species"].startswith(species):
            raise FileError(f"{where}, {each.row}: the row speaks of {row['species']}, the case of a {species}")


def observations() -> Iterator[tuple[Case, Observation]]:
    """Yield every observation with its case."""
    for case in cases():
        for each in case.observations:
            yield case, each
