"""Errors: the sentences users read, and what programs read from them."""

from __future__ import annotations

import pickle

import pytest

from pkmodel.errors import (
    FileError,
    InputError,
    ParameterError,
    PkmodelError,
    RegimenError,
    RunError,
    UnitError,
    UnknownNameError,
    nearest,
)

DRUGS = ("mitomycin_c", "cisplatin", "doxorubicin", "fluorouracil")


def test_unknown_drug_reads_exactly_as_promised() -> None:
    expected = "no drug 'doxorubicine'; did you mean 'doxorubicin'? (cisplatin, doxorubicin, fluorouracil, mitomycin_c)"
    assert str(UnknownNameError.of("drug", "doxorubicine", DRUGS)) == expected


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("Cisplatin", DRUGS, "did you mean 'cisplatin'? (cisplatin, doxorubicin, fluorouracil, mitomycin_c)"),
        ("zzz", ("b", "a", "a"), "choose from a, b"),
        ("x", (), "there are none to choose from"),
        ("zzz", [f"name{i}" for i in range(9)], "choose from name0, name1, name2, name3, name4, ..."),
        ("alpha1", [*"bcdefgh", "alpha", "beta"], "did you mean 'alpha'? (alpha, ...)"),
    ],
)
def test_nearest(name: str, names: tuple[str, ...], expected: str) -> None:
    assert nearest(name, names) == expected


@pytest.mark.parametrize("cls", [ParameterError, UnitError, UnknownNameError, RegimenError, FileError])
def test_every_wrong_input_is_an_input_error_and_a_value_error(cls: type[InputError]) -> None:
    assert issubclass(cls, InputError)
    assert issubclass(cls, ValueError)
    assert not issubclass(cls, KeyError)


def test_located_keeps_class_and_attributes_and_leaves_the_original() -> None:
    error = ParameterError("too large", field="drug.v1", value=3.0, unit="L", legal="[0, 1] L")
    moved = error.located("my.toml")
    assert type(moved) is ParameterError
    assert str(moved) == "my.toml: too large"
    assert (moved.field, moved.value, moved.unit, moved.legal) == ("drug.v1", 3.0, "L", "[0, 1] L")
    assert str(error) == "too large"


def test_run_error_names_lanes_and_is_no_input_error() -> None:
    error = RunError("2 lanes failed", lanes=[3, 5])
    assert error.lanes == (3, 5)
    assert isinstance(error, PkmodelError)
    assert not isinstance(error, InputError)


def test_errors_survive_a_process_boundary() -> None:
    back = pickle.loads(pickle.dumps(ParameterError("bad", field="a", unit="h")))
    assert (str(back), back.field, back.unit) == ("bad", "a", "h")
