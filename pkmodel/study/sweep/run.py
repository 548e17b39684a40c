"""Run a sweep: lay it out, compute the chunks that are not there yet, write the table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import ParameterError
from ...inputs.horizon import checked_rtol, checked_times, horizon_h
from ...inputs.scenario import Scenario
from .chunks import Chunk, Damage, FolderStore, MemoryStore, Store
from .compute import compute
from .design import make_design
from .executors import Task, check_workers, executing, run_all
from .folder import CSV, NPZ, check_chunks, check_usable, locked, log, prepare
from .layout import Layout
from .manifest import manifest_of
from .plan import Plan, Wanted, make_plan
from .rehearse import rehearse
from .result import SweepResult, read_chunks
from .tables import write_tables


def sweep(
    scenario: Scenario,
    axes: Any,
    *,
    design: Any = "grid",
    n: int | None = None,
    seed: int = 0,
    until_days: float | None = None,
    outputs: Sequence[str] | None = None,
    courses_h: Sequence[float] = (),
    subjects: bool = False,
    rtol: float = 1e-5,
    out: str | Path | None = None,
    resume: bool = False,
    executor: Any = None,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SweepResult:
    """Compute a scenario at many points of some axes: one row a point, with status and reason where there is no number.

    Parameters
    ----------
    scenario : what is swept; with arrays in it, every point holds that cohort
    axes : path -> list of values (numbers, texts with unit, names, records) or `{low, high, n, scale}`, scale
        ``linear`` or ``log``; any path, also ``carrier``, ``catheter``, ``patient``. Given points: a CSV file (first
        line paths), path -> one value a point (design ``points``), or paths when `design` is an array (points, axes)
    design : ``grid`` (last axis fastest), ``lhs``, ``sobol`` (balanced where n is a power of two), ``points``
    n, seed : number of points, and seed, of ``lhs`` and ``sobol``
    until_days : horizon [d]; by default 28 d after the last session, where necrosis is read
    outputs : names of metrics and effects; all by default
    courses_h : times [h] of full courses, one npz a chunk in the folder; none by default
    subjects : one row a subject of a cohort, instead of number, median, 5 % and 95 %
    rtol : relative tolerance
    out, resume : folder for chunks and tables (in memory without); whether to go on with the sweep in it
    executor, jobs : any `concurrent.futures.Executor`, as of a Dask client, and its number of workers; or processes
        of this machine (by default this one alone; in scripts more need ``if __name__ == "__main__"``)
    progress : called with the number of points done and of all

    Raises
    ------
    InputError, FileError, RunError
        For a wrong value, or when no point can be made; for a folder that is no good; when workers die again and again.

    Examples
    --------
    >>> import pkmodel as pk
    >>> scenario = pk.Scenario("hcc_reference", pk.chemoembolisation("doxorubicin", 50, carrier="beads"))
    >>> table = pk.sweep(scenario, {"patient.tumour.diameter": ["30 mm", "60 mm"], "session.dose": [25, 50]})
    >>> table["session.dose_mg"].tolist()
    [25.0, 50.0, 25.0, 50.0]
    """
    if not isinstance(scenario, Scenario):
        raise ParameterError(f"scenario: expected a Scenario, got {type(scenario).__name__}", field="scenario")
    until_h = None if until_days is None else horizon_h(None, until_days)
    chosen = make_design(scenario, axes, kind=design, n=n, seed=seed)
    wanted = Wanted(checked_rtol(rtol), until_h, outputs, _times(courses_h, until_h, out), subjects)
    plan = make_plan(scenario, chosen, wanted)
    rehearse(plan, until_h)
    return run_plan(plan, out=out, resume=resume, executor=executor, jobs=jobs, progress=progress)


def run_plan(
    plan: Plan,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    executor: Any = None,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SweepResult:
    """Compute a sweep that is laid out.

    Parameters
    ----------
    plan : the sweep
    out : folder for chunks, manifest, ``results.csv`` and ``results.npz``; in memory without
    resume : go on with the sweep in `out`
    executor : any `concurrent.futures.Executor`, such as that of a Dask client; `jobs` is then the number of workers
    jobs : processes; 1 (the default) computes in this one. Scripts need ``if __name__ == "__main__"`` for more
    progress : called with the number of points done and of all
    """
    check_workers(executor, jobs)
    manifest = manifest_of(plan)
    layout = Layout.of(manifest)
    how = {"executor": executor, "jobs": jobs, "progress": progress}
    if out is None:
        if resume:
            raise ParameterError("resume needs the folder of the sweep: out", field="resume")
        memory = MemoryStore()
        _compute(plan, memory, **how)
        counts = write_tables(read_chunks(memory, plan.chunks), layout)
        return SweepResult(manifest, counts, None, layout, memory)
    folder = Path(out)
    files = FolderStore(folder, plan.times_h)
    check_usable(folder, resume=resume)
    with locked(folder):
        prepare(folder, manifest)
        files.make()
        _compute(plan, files, **how)
        chunks = read_chunks(files, plan.chunks)
        counts = write_tables(chunks, layout, csv_path=folder / CSV, npz_path=folder / NPZ)
        log(files, "finished")
    return SweepResult(manifest, counts, folder, layout, files)


def _times(given: Sequence[float], until_h: float | None, out: Any) -> tuple[float, ...]:
    if not len(given):
        return ()
    if until_h is None or out is None:
        raise ParameterError("courses_h needs until_days, and out, where the courses are written", field="courses_h")
    return tuple(float(each) for each in checked_times(given, until_h))


def _compute(plan: Plan, store: Store, *, executor: Any, jobs: int | None, progress: Any) -> None:
    """Compute what the store does not hold."""
    check_chunks(plan, store)
    missing = [i for i in range(plan.chunks) if not _there(store, i, plan.key(plan.task(i)))]
    done = plan.design.size - sum(_points(plan, i) for i in missing)
    if progress is not None:
        progress(done, plan.design.size)

    def accept(number: int, task: Task, result: Mapping[str, Any]) -> None:
        nonlocal done
        store.put(number, Chunk.of(plan.key(task), plan.border(number)[0], task["rows"], result))
        log(store, f"computed chunk {number}")
        done += _points(plan, number)
        if progress is not None:
            progress(done, plan.design.size)

    if missing:
        with executing(executor, jobs, chunks=len(missing)) as (chosen, at_once):
            run_all(chosen, compute, ((i, plan.task(i)) for i in missing), accept, at_once=at_once)


def _points(plan: Plan, number: int) -> int:
    start, stop = plan.border(number)
    return stop - start


def _there(store: Store, number: int, key: str) -> bool:
    """Whether a chunk is there and whole; one that is damaged is said to be, and computed again."""
    try:
        return store.get(number, key) is not None
    except Damage as damage:
        warnings.warn(f"{damage}; computed again", UserWarning, stacklevel=2)
        log(store, str(damage))
        return False
