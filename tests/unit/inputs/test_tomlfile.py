"""TOML files of records: what a user may write, and how anything else is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pkmodel.errors import FileError, ParameterError, PlausibilityWarning, UnitError, UnknownNameError
from pkmodel.inputs import library
from pkmodel.inputs.origin import Origin
from pkmodel.inputs.patient import Catheter, Patient
from pkmodel.inputs.record import Record, part, record
from pkmodel.inputs.tomlfile import build

CATHETER = """
schema = 1
name = "mine"
title = "Mine"
[territory_share]
value = 40
unit = "%"
range = [30, 50]
se = 5
cv = 0.1
plausible = [20, 60]
kind = "measured"
rows = ["P001"]
source = "somewhere"
distribution = "logitnormal"
[coverage]
value = 1.0
range = [0.8, 1.0]
kind = "assumed"
note = "all of it"
"""


def test_origins_are_kept_in_the_fields_unit(write: Callable[..., Path]) -> None:
    mine = library.catheter(write(CATHETER))
    assert mine.origin("territory_share") == Origin(
        "measured",
        "1",
        range=(0.3, 0.5),
        se=0.05,
        cv=0.1,
        plausible=(0.2, 0.6),
        rows=("P001",),
        source="somewhere",
        distribution="logitnormal",
    )
    assert mine.origin("coverage") == Origin("assumed", "1", range=(0.8, 1.0), note="all of it")


def test_crlf_is_fine(write: Callable[..., Path]) -> None:
    assert library.catheter(write(CATHETER.replace("\n", "\r\n"))).territory_share == 0.4


REFUSED: list[tuple[str | bytes, str]] = [
    (b"", "is empty"),
    (b" \n", "is empty"),
    (b"\xef\xbb\xbf" + CATHETER.encode(), "byte-order mark"),
    (CATHETER.encode("utf-16"), "byte-order mark"),
    (CATHETER.encode() + b"# \xe9", "not UTF-8"),
    ("schema = 1\nname = ", "not valid TOML"),
    ("schema = 1\nx = " + "[" * 5000, "not valid TOML"),
    (CATHETER.replace("value = 40", "value = 40,5"), "decimal comma"),
    (CATHETER.replace("schema = 1", ""), "has no schema"),
    (CATHETER.replace("schema = 1", "schema = 2"), "has schema 2"),
    (CATHETER.replace("schema = 1", "schema = true"), "schema True"),
    (CATHETER + "[covrage]\nvalue = 1", "unknown key 'covrage'; did you mean 'coverage'"),
    (CATHETER.replace('unit = "%"', 'units = "%"'), "unknown key 'units'; did you mean 'unit'"),
    (CATHETER.replace("value = 40\n", ""), r"\[territory_share\] has no value"),
    (CATHETER.replace('kind = "measured"\n', ""), r"\[territory_share\] has no kind"),
    (CATHETER.replace('"measured"', '"measurd"'), "did you mean 'measured'"),
    (CATHETER.replace('rows = ["P001"]\nsource = "somewhere"', ""), "is measured and needs evidence rows or a source"),
    (CATHETER.replace("range = [0.8, 1.0]\n", ""), "is assumed and needs a note and a range"),
    (CATHETER.replace('note = "all of it"', 'note = " "'), "is assumed and needs a note and a range"),
    (CATHETER.replace("[30, 50]", "[50, 30]"), "range must be two numbers"),
    (CATHETER.replace("[30, 50]", "[30]"), "range must be"),
    (CATHETER.replace("[30, 50]", f"[30, {10**400}]"), "range must be"),
    (CATHETER.replace("[20, 60]", "[true, 60]"), "plausible must be two"),
    (CATHETER.replace("[30, 50]", "[45, 50]"), "outside its own range"),
    (CATHETER.replace("se = 5", "se = -5"), "se must be"),
    (CATHETER.replace("cv = 0.1", 'cv = "x"'), "cv must be"),
    (CATHETER.replace('"logitnormal"', '"logitnorml"'), "did you mean 'logitnormal'"),
    (CATHETER.replace('["P001"]', '"P001"'), "rows must be"),
    (CATHETER.replace('["P001"]', "[1]"), "rows must be"),
    (CATHETER.replace('"somewhere"', "3"), "must be texts"),
    (CATHETER.replace("value = 40", 'value = "40 %"'), "bare number"),
    (CATHETER.replace('unit = "%"', "unit = 1"), "bare number"),
    (CATHETER.replace("[coverage]", "[nothing]"), "unknown key 'nothing'"),
    ("base = 3\n" + CATHETER, "base must be"),
    (CATHETER.split("[coverage]")[0], "'coverage' is missing; it is the share"),
]


@pytest.mark.parametrize(
    ("content", "words"), REFUSED, ids=lambda each: str(each)[:40] if isinstance(each, str) else "bytes"
)
def test_files_that_are_refused(write: Callable[..., Path], content: str | bytes, words: str) -> None:
    path = write(content)
    with pytest.raises(FileError, match=words) as caught:
        library.catheter(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ('unit = "%"', 'unit = "mm"', UnitError, r"\[territory_share\]: cannot convert 'mm'"),
        ("value = 40", "value = 400", ParameterError, r"catheter.territory_share = 4 is outside"),
        ("value = 40", "value = true", ParameterError, "True"),
        ("value = 40", f"value = {10**400}", ParameterError, "too large"),
        ("value = 40", 'value = ["x"]', ParameterError, r"territory_share\[0\]"),
        ('name = "mine"', "name = 3", ParameterError, "not a text"),
        ('"mine"', '"a.b"', ParameterError, "not a name"),
    ],
)
def test_illegal_values_keep_their_class_and_name_the_file(
    write: Callable[..., Path], old: str, new: str, error: type[Exception], words: str
) -> None:
    path = write(CATHETER.replace(old, new))
    with pytest.raises(error, match=words) as caught:
        library.catheter(path)
    assert str(caught.value).startswith(str(path))


def test_files_that_are_not_there(write: Callable[..., Path], tmp_path: Path) -> None:
    write(CATHETER)
    with pytest.raises(FileError, match=r"no file .*did you mean 'mine.toml'"):
        library.catheter(tmp_path / "mein.toml")
    with pytest.raises(FileError, match=r"no file '[^']*'$"):
        library.catheter(tmp_path / "nowhere" / "x.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(FileError, match="cannot read"):
        library.catheter(tmp_path / "folder.toml")
    with pytest.raises(FileError, match="cannot read"):
        library.catheter("nul\0.toml")


def test_a_users_file_states_only_what_differs(write: Callable[..., Path], patient: Patient) -> None:
    path = write(
        'schema = 1\nbase = "hcc_reference"\nname = "me"\nbsa = 1.7\n[tumour]\ndiameter = "4 cm"\n'
        '[liver.flow]\nvalue = [1.2, 1.3]\nunit = "L/min"\nkind = "user"\n'
        '[tumour.growth]\nvalue = "exponential"\nkind = "assumed"\nnote = "n"\n'
    )
    mine = library.patient(path)
    assert (mine.name, mine.bsa, mine.tumour.diameter, mine.size) == ("me", 1.7, 40.0, 2)
    assert mine.internal("liver.flow").tolist() == pytest.approx([72, 78])
    assert mine.tumour.perfusion_ratio == patient.tumour.perfusion_ratio
    assert mine.origin("tumour.perfusion_ratio") == patient.origin("tumour.perfusion_ratio")
    changed = mine.origin("tumour.diameter")
    assert changed is not None
    assert (changed.kind, changed.source) == ("user", str(path))
    assert changed.plausible == patient.origin("tumour.diameter").plausible_range
    write('schema = 1\nbase = "mine.toml"\nname = "son"\n', "son.toml")
    assert library.patient(path.parent / "son.toml").bsa == 1.7
    write('schema = 1\nbase = "hcc_reference"\n[tumour]\ndiameter = 290\n', "big.toml")
    with pytest.warns(PlausibilityWarning, match="patient.tumour.diameter: 290 mm outside"):
        library.patient(path.parent / "big.toml")


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ('base = "mine.toml"', FileError, "leads back to the file itself"),
        ('base = "hcc_referenc"', UnknownNameError, "hcc_reference"),
        ('name = "x"', FileError, "'species' is missing"),
        ('base = "hcc_reference"\nliver = 3', FileError, r"must be a table \[liver\]"),
        (
            'base = "hcc_reference"\n[liver.flow]\nvalue = 3\nkind = "user"',
            FileError,
            "has no unit; it is kept in 'mL/min'",
        ),
        (
            'base = "hcc_reference"\n[species]\nvalue = "pig"\nunit = "1"\nkind = "user"',
            FileError,
            "is a text and has no unit",
        ),
        (
            'base = "hcc_reference"\n[tumour]\ngrowth = "gompertz"\ngrowth_capacity = 100',
            ParameterError,
            "growth_capacity",
        ),
    ],
)
def test_users_files_that_are_refused(
    write: Callable[..., Path], content: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        library.patient(write(f"schema = 1\n{content}\n"))


@record
class Holder(Record):
    inner: Catheter = part(Catheter)


def test_a_missing_table_is_named() -> None:
    with pytest.raises(FileError, match=r"x\.toml: table \[inner\] is missing"):
        build(Holder, {}, where="x.toml", library=False)
