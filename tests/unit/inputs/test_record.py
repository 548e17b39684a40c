"""Records: what a field accepts, what a change does, what identity is."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkmodel.errors import ParameterError, PlausibilityWarning, UnitError, UnknownNameError
from pkmodel.inputs.origin import Origin
from pkmodel.inputs.record import Record, Value, items, number, other, part, record, series, text


@record
class Inner(Record):
    label: ClassVar[str] = "thing.inner"
    rate: Value = number("1/h", 0, 10, "a rate", low_open=True)
    curve: tuple[float, ...] = series("h", 0, 100, "a curve", default=())


@record
class Thing(Record):
    label: ClassVar[str] = "thing"
    name: str = text("name", pattern="[a-z]+", default="thing")
    title: str = text("title", default="", identity=False)
    colour: str = text("colour", ("red", "green"), default="red")
    length: Value = number("mm", 0, 300, "a length", default=10.0)
    share: Value = number("1", 0, 1, "a share", default=0.5, low_open=True, high_open=True)
    life: Value = number("d", 0, math.inf, "a half-life", default=1.0, low_open=True, allow_inf=True)
    slope: Value = number("L/mg", 0, 5, "a slope", default=math.nan, allow_nan=True)
    start: Value | None = number("h", 0, 5, "a start", default=None, optional=True)
    inner: Inner = part(Inner, default=Inner(rate=1.0))
    more: tuple[Inner, ...] = items(Inner, "more", default=())
    free: Any = other("free", default=())


NO_LENGTH = [
    True, np.True_, None, 1j, "x", "", b"1", {}, object(), [1.0, True], [[1.0]], [], np.array([]), np.eye(2),
    np.array([True]), np.array([1j]), np.array([1.0], dtype=object), np.array(["1"]), np.array(True),
    np.ma.masked_array([1.0, 2.0], [False, True]), np.ma.masked, 10**400, [10**400], -1, 300.1, math.inf,
    -math.inf, math.nan, "inf mm", "nan", [1.0, -1.0], np.array([1.0, math.nan]), "-1 mm",
]  # fmt: skip


@pytest.mark.parametrize("value", NO_LENGTH, ids=lambda each: repr(each).partition(" at 0x")[0][:30])
def test_what_is_no_length(value: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        Thing(length=value)
    assert str(caught.value).startswith("thing.length")
    assert "[0, 300] mm" in str(caught.value)
    assert (caught.value.unit, caught.value.legal) == ("mm", "[0, 300] mm")


def test_the_first_bad_index_value_and_unit_are_named() -> None:
    for values in ([1, 2, -5, -6], np.array([1, 2, -5, -6])):
        with pytest.raises(
            ParameterError, match=r"thing\.length\[2\] = -5 mm is outside the legal range \[0, 300\] mm"
        ):
            Thing(length=values)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (60, 60.0),
        ("60", 60.0),
        ("60 mm", 60.0),
        ("6 cm", 60.0),
        (np.float32(2.5), 2.5),
        (np.int64(3), 3.0),
        (Fraction(1, 2), 0.5),
        (np.array(7), 7.0),
        (0, 0.0),
        (300, 300.0),
    ],
)
def test_a_number_becomes_a_float_in_the_fields_unit(value: Any, expected: float) -> None:
    found = Thing(length=value).length
    assert type(found) is float
    assert found == expected


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("share", [1e-300, 0.999, "50 %"], [0, 1, "0 %", "100 %"]),
        ("life", [math.inf, "inf d", "12 h"], [0, -math.inf, math.nan]),
        ("slope", [math.nan, "nan", 0, 5], [math.inf, 5.1]),
        ("start", [None, 0, "90 min"], [-1, "x"]),
    ],
)
def test_open_ends_inf_nan_and_none(field: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        Thing(**{field: value})
        if isinstance(value, float):
            assert np.array_equal(getattr(Thing(**{field: np.array([value])}), field), [value], equal_nan=True)
    for value in bad:
        with pytest.raises(ParameterError, match=f"thing.{field}"):
            Thing(**{field: value})
        if isinstance(value, float):
            with pytest.raises(ParameterError, match=rf"thing.{field}\[0\]"):
                Thing(**{field: np.array([value])})


@pytest.mark.parametrize(
    ("value", "words"), [("5 h", "cannot convert 'h'"), ("1,5 mm", "decimal comma"), ("5 mmm", "unknown")]
)
def test_wrong_units_name_the_field(value: str, words: str) -> None:
    with pytest.raises(UnitError, match=words) as caught:
        Thing(length=value)
    assert str(caught.value).startswith("thing.length: ")


def test_arrays_are_copied_read_only_and_may_hold_texts() -> None:
    given_array = np.array([1, 2, 3])
    thing = Thing(length=given_array, share=[0.1, "20 %", 0.3])
    given_array[0] = 99
    assert isinstance(thing.length, np.ndarray)
    assert thing.length.tolist() == [1, 2, 3]
    assert thing.length.dtype == np.float64
    assert np.array_equal(thing.share, [0.1, 0.2, 0.3])
    for field in (thing.length, thing.share, thing.replace(length=[4, 5, 6]).length):
        with pytest.raises(ValueError, match="read-only"):
            field[0] = 5.0


def test_size_is_the_common_length() -> None:
    inner = Inner(rate=[1.0, 2.0])
    assert Thing().size == 1
    assert Thing(length=[1.0], share=[0.1, 0.2]).size == 2
    assert Thing(inner=inner).size == 2
    assert Thing(more=[Inner(rate=1), inner]).size == 2
    with pytest.raises(ParameterError, match=r"thing: length has 3 values but inner\.rate has 2"):
        Thing(length=[1, 2, 3], inner=inner)
    with pytest.raises(ParameterError, match=r"length has 3 values but more\[1\]\.rate has 2"):
        Thing(length=[1, 2, 3], more=(Inner(rate=1), inner))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("colour", "blue", r"'blue' is not legal; choose from green, red"),
        ("colour", 3, r"3 \(int\) is not a text"),
        ("colour", "gren", "did you mean 'green'"),
        ("name", "a b", "not a name"),
        ("inner", 3, "int is not a Inner record"),
        ("inner", Thing(), "Thing is not"),
        ("more", Inner(rate=1), "not a list of Inner"),
        ("more", "x", "str is not a list"),
        ("more", [3], r"thing.more\[0\]: int is not"),
        ("more", 3, "int is not a list"),
    ],
)
def test_texts_and_parts(field: str, value: Any, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        Thing(**{field: value})


@pytest.mark.parametrize("value", ["1 h", 3, [1, -1], [1, None], [math.inf]])
def test_what_is_no_curve(value: Any) -> None:
    with pytest.raises(ParameterError, match=r"thing\.inner\.curve"):
        Inner(rate=1, curve=value)
    assert Inner(rate=1, curve=[0, "30 min", np.float64(2)]).curve == (0.0, 0.5, 2.0)


def test_records_are_frozen_and_keyword_only_and_required_fields_required() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Thing().length = 3.0
    with pytest.raises(TypeError):
        Thing("x")
    with pytest.raises(TypeError, match="rate"):
        Inner()


def test_paths_get_spec_internal() -> None:
    thing = Thing(length=60, life=2)
    assert thing.paths() == (
        "name",
        "title",
        "colour",
        "length",
        "share",
        "life",
        "slope",
        "start",
        "inner.rate",
        "inner.curve",
    )
    assert thing.get("inner.rate") == 1.0
    assert thing.get("inner") is thing.inner
    assert thing.internal("life") == 48.0
    assert thing.internal("length") == 60.0
    assert np.array_equal(Thing(life=[1, 2]).internal("life"), [24, 48])
    spec = thing.spec("inner.rate")
    assert (spec.name, spec.unit, spec.low, spec.high, spec.doc) == ("rate", "1/h", 0, 10, "a rate")
    assert spec.legal == "(0, 10] 1/h"
    assert thing.spec("share").legal == "(0, 1)"
    assert thing.spec("life").legal == "(0, inf) d or inf"
    assert thing.spec("slope").legal == "[0, 5] L/mg or nan"
    assert (thing.spec("name").legal, thing.spec("colour").legal) == ("a text", "red, green")
    assert thing.spec("inner").legal == "a Inner record"
    with pytest.raises(ParameterError, match="not a number"):
        thing.internal("colour")


@pytest.mark.parametrize(
    "path", ["lenght", "inner.rat", "length.x", "inner.rate.x", "", ".", "start.x", "_length", "origins"]
)
def test_unknown_paths_name_the_nearest(path: str) -> None:
    thing = Thing()
    for call in (thing.get, thing.spec, thing.origin, thing.internal, lambda each: thing.with_value(each, 1)):
        with pytest.raises(UnknownNameError, match=f"no parameter '{path}' of a thing; "):
            call(path)
    with pytest.raises(UnknownNameError, match="did you mean 'length'"):
        thing.replace(lenght=3)


def test_a_change_makes_a_new_record_and_leaves_the_old() -> None:
    old = Thing(length=10)
    new = old.with_value("length", "2 cm").with_value("inner.rate", 3).replace(colour="green")
    assert (new.length, new.inner.rate, new.colour) == (20.0, 3.0, "green")
    assert (old.length, old.inner.rate, old.colour) == (10.0, 1.0, "red")
    assert old.with_values({"inner": Inner(rate=5), "inner.curve": [1]}).inner.curve == (1.0,)
    for wrong in ({"length": -1}, {"inner": 3, "inner.rate": 1}):
        with pytest.raises(ParameterError):
            old.with_values(wrong)
    assert old.replace(length=[1, 2]).size == 2


def test_a_change_replaces_the_origin_and_remembers_what_is_plausible() -> None:
    origin = Origin("measured", "mm", range=(5, 20), cv=0.2, rows=("a1",))
    thing = Thing(length=10, origins={"length": origin})
    assert thing.origin("length") is origin
    assert thing.origin("share") is None
    changed = thing.replace(length=12)
    assert changed.origin("length") == Origin("user", "mm", plausible=(5, 20))
    assert thing.replace(share=0.1).origin("share") == Origin("user", "1")
    with pytest.warns(PlausibilityWarning, match=r"thing.length: 30 mm outside the plausible range \[5, 20\] mm"):
        far = changed.replace(length=30)
    with pytest.warns(PlausibilityWarning, match=r"2 of 3 values, such as 2 mm outside"):
        far.replace(length=[2, 10, 40])
    assert far.replace(share=0.2).length == 30  # an unchanged value does not warn again
    stated = Thing(origins={"length": Origin("assumed", range=(1, 2), plausible=(0, 50), note="n")})
    assert stated.replace(length=49).origin("length").plausible_range == (0, 50)


@pytest.mark.parametrize(("field", "value"), [("kind", "guessed"), ("distribution", "lognorml")])
def test_origins_know_their_words(field: str, value: str) -> None:
    with pytest.raises(ParameterError, match=f"origin {field} '{value}'"):
        Origin(**{"kind": "measured", field: value})


def test_rows_leave_out_what_does_not_exist() -> None:
    thing = Thing(origins={"length": Origin("user", "mm")})
    rows = {path: (value, unit, origin) for path, value, unit, origin in thing.rows("x.")}
    assert list(rows) == ["x.colour", "x.length", "x.share", "x.life", "x.inner.rate"]
    assert rows["x.length"] == (10.0, "mm", Origin("user", "mm"))
    unknown = Thing(origins={"slope": Origin("assumed", "L/mg", note="not known")})
    assert "slope" in [row[0] for row in unknown.rows()]


def test_digest_is_content() -> None:
    one = Thing(length="6 cm", origins={"length": Origin("user")})
    assert one.digest() == Thing(length=60, title="other title").digest()
    assert len(one.digest()) == 64
    assert Thing(length=0.0).digest() == Thing(length=-0.0).digest()
    assert Thing(slope=math.nan).digest() == Thing(slope=-math.nan).digest()
    others = [
        Thing(),
        Thing(length=[60.0]),
        Thing(length=[60.0, 60.0]),
        Thing(share=0.4),
        Thing(name="b"),
        Thing(start=0.0),
        Thing(inner=Inner(rate=2)),
        Thing(more=[Inner(rate=1)]),
        Thing(more=[Inner(rate=1)] * 2),
        Thing(free=("a",)),
        Thing(free=("a", "b")),
        Thing(free=("ab",)),
        Thing(free=(("a",), "b")),
        Thing(inner=Inner(rate=1, curve=[1])),
        one,
    ]
    assert len({each.digest() for each in others}) == len(others)
    assert one != Thing(length="6 cm", origins={"length": Origin("user")})  # only the digest compares content
    assert one.replace(length=50).digest() != one.digest()


def test_copies_and_pickles_stay_frozen() -> None:
    thing = Thing(length=[1, 2], free=(("a", np.array([1.0])),), origins={"length": Origin("user")})
    for back in (pickle.loads(pickle.dumps(thing)), copy.deepcopy(thing), copy.copy(thing)):
        assert back.digest() == thing.digest()
        assert back.origin("length") == Origin("user")
        assert not back.length.flags.writeable
        assert not back.free[0][1].flags.writeable
    assert len(thing.origins) == 1
    with pytest.raises(TypeError):
        thing.origins["share"] = Origin("user")


def test_repr_is_short() -> None:
    assert repr(Thing()) == f"<Thing thing, {Thing().digest()[:8]}>"
    assert ", 2 lanes, " in repr(Thing(length=[1, 2]))
    assert repr(Inner(rate=1)).startswith("<Inner, ")


@given(st.lists(st.floats(0, 300), min_size=1, max_size=5))
def test_lists_arrays_and_texts_mean_the_same(values: list[float]) -> None:
    digest = Thing(length=values).digest()
    assert Thing(length=np.array(values)).digest() == digest
    assert Thing(length=tuple(f"{each!r} mm" for each in values)).digest() == digest


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_scalars_and_arrays_are_judged_alike(value: float) -> None:
    for field in ("length", "share", "life", "slope"):
        outcomes = []
        for given_value in (value, [value], np.array([value])):
            try:
                outcomes.append(float(np.ravel(getattr(Thing(**{field: given_value}), field))[0]))
            except ParameterError:
                outcomes.append(None)
        assert len(set(map(repr, outcomes))) == 1
