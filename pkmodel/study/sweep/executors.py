"""Who computes the chunks: this process, a pool of processes, or any executor; a lost worker costs only its chunks.

Few chunks are under way at once, so that memory does not grow with the sweep. They are written by the process that
began the sweep: workers on other machines need no common disk.
"""

from __future__ import annotations

import contextlib
import os
import queue
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from typing import Any, Protocol

from ...errors import ParameterError, PkmodelError, RunError

# BLAS of every maker: a pool of processes is as many threads as it has workers.
ONE_THREAD = tuple(f"{maker}_NUM_THREADS" for maker in ("OMP", "OPENBLAS", "MKL", "BLIS"))
# How often a chunk whose worker died is given to another one.
MOST_LOSSES = 3
# Chunks under way for each worker, so that none waits while its last result is written.
AHEAD = 2
# Errors of executors that are not loaded here, by name: the worker died, not the chunk.
LOST_WORKER = ("KilledWorker", "FutureCancelledError")

Task = dict[str, Any]


class Executes(Protocol):
    """The part of `concurrent.futures.Executor` that a sweep needs."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Any:
        """Begin a call and return its future, with `add_done_callback` and `result`."""


class InProcess:
    """Computes at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Call, and return a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args))
        except Exception as error:  # it belongs to whoever asks for the result
            future.set_exception(error)
        return future


class Processes:
    """A pool of fresh processes with one BLAS thread each; a broken pool is replaced by `renew`."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._pool: Any = None

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Any:
        """Give a call to a process."""
        with one_thread():  # a process is started by a submission, and keeps the environment of that moment
            if self._pool is None:
                from concurrent.futures import ProcessPoolExecutor
                from multiprocessing import get_context

                fresh = get_context("spawn")
                self._pool = ProcessPoolExecutor(self.jobs, mp_context=fresh, initializer=_live_with_parent)
            return self._pool.submit(fn, *args)

    def renew(self) -> None:
        """Leave a pool whose process died; the next submission starts another."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let processes that begin inside have one BLAS thread; this process keeps its own environment."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _live_with_parent() -> None:
    """In a worker: end with the process that began the sweep, however that ends, and leave interrupts to it."""
    import signal
    from multiprocessing import connection, parent_process
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def check_workers(executor: Any, jobs: Any) -> None:
    """See that chunks can be computed as asked.

    Raises
    ------
    ParameterError
        For a number of jobs that is none, or an executor that cannot be given calls.
    """
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
        raise ParameterError(f"jobs = {jobs!r} is not a whole number from 1", field="jobs", value=jobs)
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ParameterError(f"executor: expected something with a method submit, got {executor!r}", field="executor")


@contextlib.contextmanager
def executing(executor: Any, jobs: int | None, *, chunks: int) -> Iterator[tuple[Executes, int]]:
    """Give the executor for so many chunks, and how many of them it should have at once."""
    if executor is not None:
        yield executor, AHEAD * (jobs or os.cpu_count() or 1)
        return
    few = min(jobs or 1, chunks)
    if few == 1:
        yield InProcess(), 1
    else:
        pool = Processes(few)
        try:
            yield pool, AHEAD * few
        finally:
            pool.close()


def run_all(
    executor: Executes,
    fn: Callable[[Task], Any],
    tasks: Iterable[tuple[int, Task]],
    accept: Callable[[int, Task, Any], None],
    *,
    at_once: int,
) -> None:
    """Compute tasks, a few at once, and hand over each result when it comes.

    Parameters
    ----------
    executor : computes
    fn : the function
    tasks : number and task, taken one after the other as there is room
    accept : called with number, task and result, in this process
    at_once : how many are under way

    Raises
    ------
    RunError
        When the worker of one chunk died time and again, or could not compute it.
    """
    _Flow(executor, fn, accept).run(iter(tasks), at_once)


def _has_result(future: Any) -> bool:
    return bool(future.done() and not future.cancelled() and future.exception() is None)


class _Flow:
    """Tasks under way, and their results as they come."""

    def __init__(self, executor: Executes, fn: Callable[[Task], Any], accept: Callable[..., None]) -> None:
        self.executor, self.fn, self.accept = executor, fn, accept
        self.done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.under_way: dict[Any, tuple[int, Task]] = {}
        self.losses: Counter[int] = Counter()

    def run(self, tasks: Iterator[tuple[int, Task]], at_once: int) -> None:
        try:
            while self._fill(tasks, at_once) or self.under_way:
                future = self.done.get()
                if future in self.under_way:  # else its pool broke, and it was given away again
                    self._finish(future)
        except BaseException:
            for future in self.under_way:
                future.cancel()
            raise

    def _fill(self, tasks: Iterator[tuple[int, Task]], at_once: int) -> bool:
        while len(self.under_way) < at_once:
            found = next(tasks, None)
            if found is None:
                return False
            self._submit(*found)
        return True

    def _submit(self, number: int, task: Task) -> None:
        try:
            future = self.executor.submit(self.fn, task)
        except BrokenExecutor:  # it broke just now; `_lost` renews it, or gives up
            self._lost([(number, task)])
            return
        self.under_way[future] = (number, task)
        future.add_done_callback(self.done.put)

    def _finish(self, future: Any) -> None:
        number, task = self.under_way.pop(future)
        try:
            result = future.result()
        except BrokenExecutor:
            # Nobody knows which process of a pool died: all that is not done is lost.
            broken = [each for each in self.under_way if not _has_result(each)]
            self._lost([(number, task), *(self.under_way.pop(each) for each in broken)])
            return
        except (Exception, CancelledError) as error:
            if isinstance(error, PkmodelError):
                raise
            if type(error).__name__ not in LOST_WORKER and not isinstance(error, CancelledError):
                raise RunError(f"chunk {number} could not be computed: {type(error).__name__}: {error}") from error
            self._lost([(number, task)])
            return
        self.accept(number, task, result)

    def _lost(self, lost: list[tuple[int, Task]]) -> None:
        for number, _ in lost:
            self.losses[number] += 1
            if self.losses[number] > MOST_LOSSES:
                raise RunError(
                    f"the worker of chunk {number} died {MOST_LOSSES + 1} times, out of memory or killed from outside; "
                    "what is finished is kept (in a script, begin it under if __name__ == '__main__')"
                )
        renew = getattr(self.executor, "renew", None)
        if renew is not None:
            renew()
        for number, task in lost:
            self._submit(number, task)
