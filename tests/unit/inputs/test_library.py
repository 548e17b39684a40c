"""The library: every record is complete and has its evidence; names, paths and records are accepted."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pkmodel.errors import FileError, InputError, UnknownNameError
from pkmodel.inputs import library
from pkmodel.inputs.materials import Carrier
from pkmodel.inputs.patient import Catheter, Patient

EVERYTHING = [(kind, name) for kind in library.KINDS for name in library.names(kind)]
CATHETER = """schema = 1
name = "mine"
title = "Mine"
[territory_share]
value = 40
unit = "%"
plausible = [20, 60]
kind = "measured"
rows = ["P001"]
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
            library.catheter(wrong)


def _in_library(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], root: Path) -> None:
    for name, content in files.items():
        path = root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    monkeypatch.setattr(library, "_data", lambda: root / "data")
    for cached in (library.names, library._from_library, library._evidence, library.sources):
        cached.cache_clear()


@pytest.fixture
def small_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    yield lambda files: _in_library(monkeypatch, files, tmp_path)
    monkeypatch.undo()
    for cached in (library.names, library._from_library, library._evidence, library.sources):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CATHETER.split("[coverage]")[0] + "[coverage]\nvalue = 1\nkind = 'user'\n", "kind 'user' is not legal"),
        ("schema = 1\nname = 'mine'\nterritory_share = 0.5\n", "'territory_share' has no origin"),
        ("schema = 1\nbase = 'mine'\n", "leads back"),
        (CATHETER.replace("[20, 60]", "[50, 60]"), "outside its own plausible"),
    ],
)
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


def test_a_note_beside_the_tables_is_no_evidence(small_library: Any) -> None:
    note = "id,value\nP003,an example of a row\n"
    tables = {"evidence/b.csv": "id,value\nP001,3\n", "evidence/a.csv": "id,value\nP002,4\n"}
    small_library({**tables, "evidence/NOTE.md": note})
    assert library.evidence_row("P001") == {"id": "P001", "value": "3"}
    assert library.evidence_row("P002") == {"id": "P002", "value": "4"}
    with pytest.raises(UnknownNameError, match="no evidence row 'P003'"):
        library.evidence_row("P003")


def test_evidence_and_sources() -> None:
    row = library.evidence_row("P016")
    assert row["id"] == "P016"
    with pytest.raises(TypeError):
        row["id"] = "x"
    with pytest.raises(UnknownNameError, match="no evidence row 'P9999'; did you mean"):
        library.evidence_row("P9999")
    assert library.sources()


def test_embolics_join(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    both = library.embolics("lipiodol + gelatin_sponge")
    assert [each.name for each in both] == ["lipiodol", "gelatin_sponge"]
    assert library.embolics(None) == ()
    assert library.embolics(both[0]) == both[:1]
    assert library.embolics(["lipiodol", both[1]]) == both
    monkeypatch.chdir(tmp_path)
    Path("a+b.toml").write_text('schema = 1\nbase = "lipiodol"\nname = "mine"\n', encoding="utf-8")
    assert [each.name for each in library.embolics("a+b.toml")] == ["mine"]
    assert [each.name for each in library.embolics("a+b.toml", folder=tmp_path)] == ["mine"]
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
    for content, words in [
        ("for = 3", "must hold tables"),
        ("[for.cisplatin]\nocclusion = 0.3", "unknown key 'occlusion'"),
    ]:
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
