"""Who computes a sweep cannot be seen in it, and whoever dies, or whatever disk is full, it goes on where it was."""

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

import pytest
from quick_sweep import DIAMETER, SCENARIO, computed, final, slow, sweep

import pkmodel as pk
from pkmodel.errors import FileError, RunError
from pkmodel.study.sweep import executors
from pkmodel.study.sweep import plan as planning
from pkmodel.study.sweep.compute import compute
from pkmodel.study.sweep.design import make_design
from pkmodel.study.sweep.executors import ONE_THREAD, one_thread
from pkmodel.study.sweep.folder import status

__all__ = ["slow"]  # for the programs of `program_of`


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


def test_a_worker_with_other_sources_or_libraries_is_refused() -> None:
    task = planning.make_plan(SCENARIO, make_design(SCENARIO, {DIAMETER: [20]}), planning.Wanted()).task(0)
    own = planning.versions()
    for name, says in (("code", "other sources of pkmodel"), ("numpy", "another numpy")):
        other = task["study"].replace(own[name], "0.0")
        with pytest.raises(RunError, match=f"a worker has {says}"):
            compute({**task, "study": other})


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
    with pytest.raises(RunError, match="chunk 0 could not be computed: ZeroDivisionError: bug"):
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
        import quick_sweep
        import test_sweep_workers as here
        from pkmodel.study.sweep import plan, run
        if __name__ == "__main__":
            plan.BLOCK = 1
            run.compute = here.{compute_name}
            quick_sweep.sweep(Path(sys.argv[1]), resume=True, jobs={jobs})
        """
    program.write_text(textwrap.dedent(text), encoding="utf-8")
    return str(program)


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
