"""The folder of a sweep: nothing is lost, nothing damaged is used, and who computed what cannot be seen in it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.errors import FileError, RunError
from pkmodel.study.sweep import executors
from pkmodel.study.sweep import plan as planning
from pkmodel.study.sweep import run as running
from pkmodel.study.sweep.compute import compute
from pkmodel.study.sweep.executors import ONE_THREAD, one_thread
from pkmodel.study.sweep.folder import status

DIAMETER = "patient.tumour.diameter"
AUC = "tumour_auc_ug_h_per_g"
SCENARIO = pk.Scenario("hcc_reference", pk.hepatic_artery("doxorubicin", 50))
AXES = {DIAMETER: [20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0], "catheter": ["lobar", "segmental"]}
OPTIONS: dict[str, Any] = {"until_days": 1, "outputs": [AUC]}
FINAL = ("results.csv", "results.npz")


def quick(task: dict[str, Any]) -> dict[str, Any]:
    """Stands for `compute`: numbers that follow from the rows, at no cost."""
    rows = np.asarray(task["rows"])
    values = np.sin(rows.sum(axis=1, keepdims=True) * 1e3)
    return {"values": values, "status": np.zeros(len(rows), dtype=np.uint8), "reasons": [""] * len(rows), "courses": {}}


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "BLOCK", 1)  # two names among the axes: chunks of two points


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch, small_chunks: None) -> None:
    monkeypatch.setattr(running, "compute", quick)


def sweep(out: Path, **options: Any) -> pk.SweepResult:
    return pk.sweep(SCENARIO, AXES, out=out, **{**OPTIONS, **options})


def final(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in FINAL]


def computed(out: Path) -> int:
    return (out / "log.txt").read_text(encoding="utf-8").count("computed chunk")


def test_processes_threads_and_one_process_give_the_same_bytes(small_chunks: None, tmp_path: Path) -> None:
    sweep(tmp_path / "one")
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    sweep(tmp_path / "two", jobs=2)
    assert {name: os.environ.get(name) for name in ONE_THREAD} == before
    with ThreadPoolExecutor(3) as threads:
        sweep(tmp_path / "three", executor=threads)
    assert final(tmp_path / "one") == final(tmp_path / "two") == final(tmp_path / "three")
    names = [sorted(each.name for each in (tmp_path / way / "chunks").iterdir()) for way in ("one", "two", "three")]
    assert len(names[0]) == 7
    assert names[0] == names[1] == names[2]
    chunk = sorted((tmp_path / "one" / "chunks").iterdir())[3]
    assert chunk.read_bytes() == (tmp_path / "two" / "chunks" / chunk.name).read_bytes()


def test_workers_have_one_thread_and_the_parent_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with one_thread():
        assert {os.environ[name] for name in ONE_THREAD} == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_a_folder_with_something_in_it_is_refused(fast: None, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(FileError, match="is not empty"):
        sweep(tmp_path)
    with pytest.raises(FileError, match="not the folder of a sweep"):
        sweep(tmp_path, resume=True)
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


class Dying:
    """An executor whose workers die a few times, like those of a pool or a cluster."""

    def __init__(self, error: BaseException, times: int) -> None:
        self.error, self.times, self.renewed = error, times, 0

    def submit(self, fn: Any, *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.times > 0:
            self.times -= 1
            future.set_exception(self.error)
        else:
            future.set_result(fn(*args))
        return future

    def renew(self) -> None:
        self.renewed += 1


class KilledWorker(Exception):
    """Named like the error of a Dask cluster."""


@pytest.mark.parametrize("error", [BrokenExecutor("broken"), KilledWorker("killed")])
def test_a_lost_worker_costs_only_its_chunks(fast: None, tmp_path: Path, error: Exception) -> None:
    sweep(tmp_path / "one")
    dying = Dying(error, 3)
    sweep(tmp_path / "two", executor=dying, jobs=2)
    assert dying.renewed
    assert final(tmp_path / "one") == final(tmp_path / "two")
    with pytest.raises(RunError, match="died 4 times"):
        sweep(tmp_path / "three", executor=Dying(error, 1000), jobs=2)


def test_another_error_of_a_worker_is_not_hidden(fast: None, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        sweep(tmp_path, executor=Dying(ZeroDivisionError("bug"), 1))


def die_once(task: dict[str, Any]) -> dict[str, Any]:
    """Stands for `compute` in a process that is killed when it is the first to come here."""
    flag = Path(os.environ["PKMODEL_TEST_FLAG"])
    try:
        flag.touch(exist_ok=False)
    except FileExistsError:
        return compute(task)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_a_killed_process_of_the_pool_is_replaced(tmp_path: Path) -> None:
    flag, program = tmp_path / "flag", program_of(tmp_path, "die_once", jobs=2)
    environment = {**os.environ, "PKMODEL_TEST_FLAG": str(flag), "PYTHONPATH": paths()}
    subprocess.run([sys.executable, program, str(tmp_path / "out")], check=True, env=environment, timeout=120)
    assert flag.exists()
    assert status(tmp_path / "out").complete


def paths() -> str:
    return os.pathsep.join([str(Path(pk.__file__).parents[1]), str(Path(__file__).parent)])


def program_of(folder: Path, compute_name: str, *, jobs: int = 1) -> str:
    """A script that runs the sweep of these tests in a process of its own."""
    program = folder / f"{compute_name}.py"
    text = f"""
        import sys
        from pathlib import Path
        import test_sweep_folder as here
        from pkmodel.study.sweep import plan, run
        if __name__ == "__main__":
            plan.BLOCK = 1
            run.compute = here.{compute_name}
            here.sweep(Path(sys.argv[1]), resume=True, jobs={jobs})
        """
    program.write_text(textwrap.dedent(text), encoding="utf-8")
    return str(program)


def slow(task: dict[str, Any]) -> dict[str, Any]:
    """Stands for `compute` and leaves time to be killed."""
    time.sleep(0.05)
    return quick(task)


@pytest.mark.parametrize("chunks", [1, 4])
def test_a_killed_sweep_goes_on_where_it_was(fast: None, tmp_path: Path, chunks: int) -> None:
    sweep(tmp_path / "whole")
    out = tmp_path / "out"
    environment = {**os.environ, "PYTHONPATH": paths()}
    process = subprocess.Popen([sys.executable, program_of(tmp_path, "slow"), str(out)], env=environment)
    until = time.monotonic() + 60
    while len(list(out.glob("chunks/*.chunk"))) < chunks and time.monotonic() < until:
        time.sleep(0.005)
    process.kill()
    process.wait()
    there = len(list(out.glob("chunks/*.chunk")))
    assert chunks <= there < 7
    before = computed(out)
    sweep(out, resume=True)
    assert computed(out) - before == 7 - there
    assert final(out) == final(tmp_path / "whole")
    assert not [each for each in out.rglob("*") if ".part" in each.name]


def test_a_full_disk_is_an_error_and_not_the_end(fast: None, tmp_path: Path) -> None:
    sweep(tmp_path / "whole")
    sizes = sorted(each.stat().st_size for each in (tmp_path / "whole" / "chunks").iterdir())
    manifest = (tmp_path / "whole" / "manifest.json").stat().st_size
    out = tmp_path / "out"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit, text in ((sizes[0] // 2, "manifest.json"), (manifest + 1, "")):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            if text:
                with pytest.raises(FileError, match=rf"cannot write .*{text}: File too large.*make room"):
                    sweep(out, resume=True)
            else:
                sweep(out, resume=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not [each for each in out.rglob("*") if ".part" in each.name]
    assert final(out) == final(tmp_path / "whole")


def test_a_bound_number_of_chunks_is_under_way(fast: None, tmp_path: Path) -> None:
    most, now = 0, 0

    class Counting(executors.InProcess):
        def submit(self, fn: Any, /, *args: Any) -> Future[Any]:
            nonlocal most, now
            now += 1
            most = max(most, now)
            return super().submit(fn, *args)

    def done(_: int, __: int) -> None:
        nonlocal now
        now -= 1

    sweep(tmp_path, executor=Counting(), jobs=2, progress=done)
    assert most <= executors.AHEAD * 2 + 1
