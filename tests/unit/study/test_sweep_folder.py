"""The folder of a sweep: nothing damaged is used, nothing is computed twice, and another sweep's folder is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quick_sweep import AUC, DIAMETER, FINAL, OPTIONS, SCENARIO, computed, final, sweep

import pkmodel as pk
from pkmodel.errors import FileError
from pkmodel.study.sweep.folder import locked, status


def test_a_folder_with_something_in_it_is_refused(fast: None, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(FileError, match="is not empty"):
        sweep(tmp_path)
    with pytest.raises(FileError, match=r"not the folder of a sweep: it has no manifest.json"):
        sweep(tmp_path, resume=True)
    assert [each.name for each in tmp_path.iterdir()] == ["letter.txt"]
    out = tmp_path / "out"
    sweep(out)
    with pytest.raises(FileError, match="go on with the sweep in it with resume"):
        sweep(out)
    with pytest.raises(FileError, match="cannot use"):
        sweep(tmp_path / "letter.txt")


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"until_days": 2}, "until_h"),
        ({"outputs": [AUC, "plasma_cmax_ng_per_ml"]}, "metrics"),
        ({"rtol": 1e-6, "until_days": 3}, "rtol, until_h"),
    ],
)
def test_a_folder_of_another_sweep_is_refused(fast: None, tmp_path: Path, other: dict[str, Any], named: str) -> None:
    sweep(tmp_path / "out")
    before = final(tmp_path / "out")
    with pytest.raises(FileError, match=f"holds another sweep: {named} differ"):
        sweep(tmp_path / "out", resume=True, **other)
    with pytest.raises(FileError, match="another sweep: axes, design differ"):
        pk.sweep(SCENARIO, {DIAMETER: [20]}, out=tmp_path / "out", resume=True, **OPTIONS)
    assert final(tmp_path / "out") == before


def test_chunks_of_another_sweep_are_found_even_without_a_manifest(fast: None, tmp_path: Path) -> None:
    sweep(tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_bytes(b"")
    with (
        pytest.raises(FileError, match=r"000000-.*chunk belongs to another sweep"),
        pytest.warns(UserWarning, match=r"manifest.json is damaged"),
    ):
        sweep(tmp_path / "out", resume=True, until_days=2)


def test_two_processes_do_not_work_in_one_folder(fast: None, tmp_path: Path) -> None:
    sweep(tmp_path)
    with locked(tmp_path), pytest.raises(FileError, match="another process is at work"):
        sweep(tmp_path, resume=True)
    sweep(tmp_path, resume=True)


def test_nothing_is_computed_again_when_all_is_there(fast: None, tmp_path: Path) -> None:
    sweep(tmp_path)
    before = final(tmp_path)
    (tmp_path / FINAL[0]).unlink()
    seen: list[tuple[int, int]] = []
    sweep(tmp_path, resume=True, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(14, 14)]
    assert final(tmp_path) == before
    assert computed(tmp_path) == 7


def test_every_damage_is_seen_named_and_repaired(fast: None, tmp_path: Path) -> None:
    sweep(tmp_path)
    before = final(tmp_path)
    rng = np.random.default_rng(20261125)
    files = [tmp_path / "manifest.json", *sorted((tmp_path / "chunks").iterdir())]
    contents = {each: each.read_bytes() for each in files}
    for i in range(40):
        file = files[i % len(files)]
        content = bytearray(contents[file])
        if i % 2:
            content = content[: rng.integers(len(content))]
        else:
            content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        file.write_bytes(content)
        for each in FINAL:
            (tmp_path / each).unlink()
        done = computed(tmp_path)
        if file != files[0]:
            assert any(file.name in each for each in status(tmp_path).damaged)
            with pytest.raises(FileError, match=file.name):
                pk.load_sweep(tmp_path)
        with pytest.warns(UserWarning, match=file.name):
            sweep(tmp_path, resume=True)
        assert computed(tmp_path) == done + (file != files[0])
        assert final(tmp_path) == before
        assert file.read_bytes() == contents[file]


def test_the_manifest_of_something_else_is_not_taken_for_a_damaged_one(fast: None, tmp_path: Path) -> None:
    sweep(tmp_path)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    sweep(tmp_path, resume=True)
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(FileError, match=r"manifest.json is damaged: .* holds notes.txt too"):
        sweep(tmp_path, resume=True)
    assert (tmp_path / "manifest.json").read_text(encoding="utf-8") == "{}"


def test_two_chunks_that_changed_places_are_seen(fast: None, tmp_path: Path) -> None:
    sweep(tmp_path)
    before = final(tmp_path)
    one, other = sorted((tmp_path / "chunks").iterdir())[:2]
    one.write_bytes(other.read_bytes())
    with pytest.warns(UserWarning, match=f"{one.name} is damaged: it belongs to other inputs"):
        sweep(tmp_path, resume=True)
    assert final(tmp_path) == before


def test_status_tells_how_far_a_sweep_is(fast: None, tmp_path: Path) -> None:
    sweep(tmp_path)
    assert status(tmp_path).complete
    for each in sorted((tmp_path / "chunks").iterdir())[:3]:
        each.unlink()
    found = status(tmp_path)
    assert (found.chunks, found.points, found.complete) == (4, 8, False)
    assert found.rows == {"ok": 8, "refused": 0, "failed": 0}
    with pytest.raises(FileError, match="not the folder of a sweep"):
        status(tmp_path / "chunks")


def test_a_finished_folder_is_opened_again(fast: None, tmp_path: Path) -> None:
    table = sweep(tmp_path)
    again = pk.load_sweep(tmp_path)
    assert again.columns == table.columns
    assert again.counts == table.counts
    assert again[AUC].tolist() == table[AUC].tolist()
    assert again["catheter"].tolist() == ["lobar", "segmental"] * 7
