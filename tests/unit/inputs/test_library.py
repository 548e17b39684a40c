"""The library: every record is complete and has its evidence; a user's own files; what is refused, and how."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pkmodel.errors import FileError, InputError, ParameterError, PlausibilityWarning, UnitError, UnknownNameError
from pkmodel.inputs import library
from pkmodel.inputs.materials import Carrier
from pkmodel.inputs.origin import Origin
from pkmodel.inputs.patient import Catheter, Patient

EVERYTHING = [(kind, name) for kind in library.KINDS for name in library.names(kind)]
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


@pytest.mark.parametrize(("kind", "name"), EVERYTHING)
def test_library_record_is_complete(kind: str, name: str) -> None:
    found = library.load(kind, name)
    assert found.name == name
    assert found.title
    assert library.load(kind, name) is found  # parsed once
    versions = [found, *(each for _, each in getattr(found, "variants", ()))]
    for path, value, _, origin in (row for each in versions for row in each.rows()):
        assert origin is not None or isinstance(value, str), f"{path} has no origin"
        for row in origin.rows if origin else ():
            assert library.evidence_row(row)["id"] == row
        if origin and origin.source:
            assert origin.source in library.sources(), f"{path} cites an unknown source"
    stated = {row[0] for row in found.rows()}
    law_parameters = {path for path in found.paths() if path.startswith("release.")}
    assert set(found.paths()) - {"name", "title"} - law_parameters <= stated
    assert {drug for drug, _ in getattr(found, "variants", ())} <= set(library.names("drugs"))


def test_the_library_has_the_expected_names() -> None:
    assert library.names("drugs") == ("cisplatin", "doxorubicin", "fluorouracil", "mitomycin_c")
    assert "lobar" in library.names("catheters")
    assert "hcc_reference" in library.names("patients")
    assert library.names("cases") == tuple(sorted(library.names("cases")))
    with pytest.raises(UnknownNameError, match="did you mean 'drugs'"):
        library.names("drug")
    with pytest.raises(UnknownNameError, match="did you mean 'drugs'"):
        library.load("drug", "doxorubicin")


@pytest.mark.parametrize("name", ["../x", "../drugs/cisplatin", "/etc/passwd", "", ".", "cisplatin\0", "Cisplatin"])
def test_a_name_stays_in_its_folder(name: str) -> None:
    with pytest.raises(UnknownNameError, match="no drug"):
        library.drug(name)


def test_records_names_and_paths_are_accepted(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(CATHETER)
    mine = library.catheter(path)
    assert (mine.territory_share, mine.coverage) == (0.4, 1.0)
    assert library.catheter(mine) is mine
    assert library.catheter(str(path)).digest() == mine.digest()
    monkeypatch.chdir(path.parent)
    assert library.catheter("mine.toml").digest() == mine.digest()
    assert library.load("catheters", "mine.toml", folder=path.parent).digest() == mine.digest()
    assert isinstance(library.patient("hcc_reference"), Patient)
    for wrong in (3, None, library.patient("hcc_reference")):
        with pytest.raises(InputError, match="catheter: expected a Catheter record"):
            library.catheter(wrong)  # type: ignore[arg-type]


def test_origins_are_kept_in_the_fields_unit(write: Callable[..., Path]) -> None:
    mine = library.catheter(write(CATHETER))
    assert mine.origin("territory_share") == Origin(
        "measured", "1", range=(0.3, 0.5), se=0.05, cv=0.1, plausible=(0.2, 0.6), rows=("P001",), source="somewhere",
        distribution="logitnormal",
    )  # fmt: skip
    assert mine.origin("coverage") == Origin("assumed", "1", range=(0.8, 1.0), note="all of it")


def test_crlf_is_fine(write: Callable[..., Path]) -> None:
    assert library.catheter(write(CATHETER.replace("\n", "\r\n"))).territory_share == 0.4


REFUSED: list[tuple[str | bytes, str]] = [
    (b"", "is empty"), (b" \n", "is empty"), (b"\xef\xbb\xbf" + CATHETER.encode(), "byte-order mark"),
    (CATHETER.encode("utf-16"), "byte-order mark"), (CATHETER.encode() + b"# \xe9", "not UTF-8"),
    ("schema = 1\nname = ", "not valid TOML"), ("schema = 1\nx = " + "[" * 5000, "not valid TOML"),
    (CATHETER.replace("value = 40", "value = 40,5"), "decimal comma"), (CATHETER.replace("schema = 1", ""), "has no schema"),
    (CATHETER.replace("schema = 1", "schema = 2"), "has schema 2"), (CATHETER.replace("schema = 1", "schema = true"), "schema True"),
    (CATHETER + "[covrage]\nvalue = 1", "unknown key 'covrage'; did you mean 'coverage'"),
    (CATHETER.replace('unit = "%"', 'units = "%"'), "unknown key 'units'; did you mean 'unit'"),
    (CATHETER.replace("value = 40\n", ""), r"\[territory_share\] has no value"),
    (CATHETER.replace('kind = "measured"\n', ""), r"\[territory_share\] has no kind"),
    (CATHETER.replace('"measured"', '"measurd"'), "did you mean 'measured'"),
    (CATHETER.replace('rows = ["P001"]\nsource = "somewhere"', ""), "is measured and needs evidence rows or a source"),
    (CATHETER.replace("range = [0.8, 1.0]\n", ""), "is assumed and needs a note and a range"),
    (CATHETER.replace('note = "all of it"', 'note = " "'), "is assumed and needs a note and a range"),
    (CATHETER.replace("[30, 50]", "[50, 30]"), "range must be two numbers"), (CATHETER.replace("[30, 50]", "[30]"), "range must be"),
    (CATHETER.replace("[20, 60]", "[true, 60]"), "plausible must be two"), (CATHETER.replace("[30, 50]", "[45, 50]"), "outside its own range"),
    (CATHETER.replace("se = 5", "se = -5"), "se must be"), (CATHETER.replace("cv = 0.1", 'cv = "x"'), "cv must be"),
    (CATHETER.replace('"logitnormal"', '"logitnorml"'), "did you mean 'logitnormal'"), (CATHETER.replace('["P001"]', '"P001"'), "rows must be"),
    (CATHETER.replace('["P001"]', "[1]"), "rows must be"), (CATHETER.replace('"somewhere"', "3"), "must be texts"),
    (CATHETER.replace("value = 40", 'value = "40 %"'), "bare number"), (CATHETER.replace('unit = "%"', "unit = 1"), "bare number"),
    (CATHETER.replace("[coverage]", "[nothing]"), "unknown key 'nothing'"), ("base = 3\n" + CATHETER, "base must be"),
    (CATHETER.split("[coverage]")[0], "'coverage' is missing; it is the share"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), REFUSED, ids=lambda each: str(each)[:40] if isinstance(each, str) else "bytes")
def test_files_that_are_refused(write: Callable[..., Path], content: str | bytes, words: str) -> None:
    path = write(content)
    with pytest.raises(FileError, match=words) as caught:
        library.catheter(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [('unit = "%"', 'unit = "mm"', UnitError, r"\[territory_share\]: cannot convert 'mm'"),
     ("value = 40", "value = 400", ParameterError, r"catheter.territory_share = 4 is outside"),
     ("value = 40", "value = true", ParameterError, "True"), ("value = 40", 'value = ["x"]', ParameterError, r"territory_share\[0\]"),
     ('name = "mine"', "name = 3", ParameterError, "not a text"), ('"mine"', '"a.b"', ParameterError, "not a name")],
)  # fmt: skip
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
        'schema = 1\nbase = "hcc_reference"\nname = "me"\nbsa = 1.7\n[tumour]\ndiameter = "4 cm"\n[liver.flow]\n'
        'value = [1.2, 1.3]\nunit = "L/min"\nkind = "user"\n[tumour.growth]\nvalue = "exponential"\nkind = "assumed"\nnote = "n"\n'
    )
    mine = library.patient(path)
    assert (mine.name, mine.bsa, mine.tumour.diameter, mine.size) == ("me", 1.7, 40.0, 2)
    assert mine.internal("liver.flow").tolist() == pytest.approx([72, 78])  # type: ignore[union-attr]
    assert mine.tumour.perfusion_ratio == patient.tumour.perfusion_ratio
    assert mine.origin("tumour.perfusion_ratio") == patient.origin("tumour.perfusion_ratio")
    changed = mine.origin("tumour.diameter")
    assert changed is not None
    assert (changed.kind, changed.source) == ("user", str(path))
    assert changed.plausible == patient.origin("tumour.diameter").plausible_range  # type: ignore[union-attr]
    write('schema = 1\nbase = "mine.toml"\nname = "son"\n', "son.toml")
    assert library.patient(path.parent / "son.toml").bsa == 1.7
    write('schema = 1\nbase = "hcc_reference"\n[tumour]\ndiameter = 290\n', "big.toml")
    with pytest.warns(PlausibilityWarning, match="patient.tumour.diameter: 290 mm outside"):
        library.patient(path.parent / "big.toml")


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [('base = "mine.toml"', FileError, "leads back to the file itself"), ('base = "hcc_referenc"', UnknownNameError, "hcc_reference"),
     ('name = "x"', FileError, "'species' is missing"), ('base = "hcc_reference"\nliver = 3', FileError, r"must be a table \[liver\]"),
     ('base = "hcc_reference"\n[liver.flow]\nvalue = 3\nkind = "user"', FileError, "has no unit; it is kept in 'mL/min'"),
     ('base = "hcc_reference"\n[species]\nvalue = "pig"\nunit = "1"\nkind = "user"', FileError, "is a text and has no unit"),
     ('base = "hcc_reference"\n[tumour]\ngrowth = "gompertz"\ngrowth_capacity = 5', ParameterError, "growth_capacity")],
)  # fmt: skip
def test_users_files_that_are_refused(
    write: Callable[..., Path], content: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        library.patient(write(f"schema = 1\n{content}\n"))


def _in_library(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], root: Path) -> None:
    for name, content in files.items():
        path = root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    monkeypatch.setattr(library, "_data", lambda: root / "data")
    for cached in (library.names, library._from_library, library._evidence, library.sources):
        cached.cache_clear()
    monkeypatch.setattr(sys.modules[__name__], "_restore", None, raising=False)


@pytest.fixture
def small_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    yield lambda files: _in_library(monkeypatch, files, tmp_path)
    monkeypatch.undo()
    for cached in (library.names, library._from_library, library._evidence, library.sources):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("content", "words"),
    [(CATHETER.split("[coverage]")[0] + "[coverage]\nvalue = 1\nkind = 'user'\n", "kind 'user' is not legal"),
     ("schema = 1\nname = 'mine'\nterritory_share = 0.5\n", "'territory_share' has no origin"),
     ("schema = 1\nbase = 'mine'\n", "leads back"), (CATHETER.replace("[20, 60]", "[50, 60]"), "outside its own plausible")],
)  # fmt: skip
def test_the_library_itself_is_held_to_more(small_library: Any, content: str, words: str) -> None:
    small_library({"catheters/mine.toml": content})
    with pytest.raises(FileError, match=words) as caught:
        library.catheter("mine")
    assert str(caught.value).startswith("catheters/mine.toml")


def test_a_small_library(small_library: Any) -> None:
    child = 'schema = 1\nbase = "mine"\nname = "child"\n'
    small_library({"catheters/mine.toml": CATHETER, "catheters/child.toml": child, "catheters/note.txt": "x"})
    assert library.names("catheters") == ("child", "mine")
    assert library.names("drugs") == ()
    assert library.catheter("child").territory_share == 0.4
    assert isinstance(library.catheter("child"), Catheter)
    with pytest.raises(UnknownNameError, match="there are none to choose from"):
        library.evidence_row("P001")


def test_evidence_and_sources() -> None:
    row = library.evidence_row("P016")
    assert row["id"] == "P016"
    with pytest.raises(TypeError):
        row["id"] = "x"  # type: ignore[index]
    with pytest.raises(UnknownNameError, match="no evidence row 'P9999'; did you mean"):
        library.evidence_row("P9999")
    assert library.sources()


def test_embolics_join() -> None:
    both = library.embolics("lipiodol + gelatin_sponge")
    assert [each.name for each in both] == ["lipiodol", "gelatin_sponge"]
    assert library.embolics(None) == ()
    assert library.embolics(both[0]) == both[:1]
    assert library.embolics(["lipiodol", both[1]]) == both
    with pytest.raises(UnknownNameError, match="no embolic 'oil'"):
        library.embolics("lipiodol+oil")


def test_a_carrier_has_versions_for_single_drugs(write: Callable[..., Path]) -> None:
    path = write(
        'schema = 1\nbase = "lipiodol_emulsion"\nname = "mine"\n[release]\nfast_rate = 3\n'
        '[for.fluorouracil]\nprompt_fraction = 0.6\n[for.new_drug.release]\nlaw = "none"\n'
    )
    mine, old = library.carrier(path), library.carrier("lipiodol_emulsion")
    assert mine.for_drug("doxorubicin").release.fast_rate == 3.0
    assert mine.for_drug("fluorouracil").release.fast_rate == 3.0  # what the user states holds for inherited versions
    assert mine.for_drug("fluorouracil").prompt_fraction == 0.6
    assert mine.for_drug("fluorouracil").release.slow_rate == old.for_drug("fluorouracil").release.slow_rate
    assert mine.for_drug("new_drug").release.law == "none"
    assert mine.for_drug("doxorubicin").variants == ()
    for content, words in [("for = 3", "must hold tables"), ("[for.cisplatin]\nocclusion = 0.3", "unknown key 'occlusion'")]:
        with pytest.raises(FileError, match=words):
            library.carrier(write(f'schema = 1\nbase = "beads"\n{content}\n'))
    assert isinstance(mine, Carrier)


def test_loading_is_fast_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pkmodel.inputs import library, scenario_file, treatment;"
        "print([name for name in ('scipy', 'matplotlib', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    best = math.inf
    for _ in range(5):
        library._from_library.cache_clear()
        start = time.perf_counter()
        library.drug("doxorubicin"), library.patient("hcc_reference"), library.catheter("lobar")
        best = min(best, time.perf_counter() - start)
    assert best < 0.015
