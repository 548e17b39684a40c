"""Several runs as few batches: lowered together, solved, and put back in the order in which they were given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..model.body import Run, lower
from ..model.columns import column
from ..model.problem import Array
from .drive import Options, solve
from .solution import Solution, scatter

RETAINED_AFTER_H, READING_AFTER_H = 24.0, 28.0 * 24.0
# The two samples behind those asked for: what is retained, and the reading of the effect.
EXTRA_SAMPLES, RETAINED, READING = 2, -2, -1


def solve_runs(
    runs: Sequence[Run], times_h: ArrayLike | None = None, options: Options | None = None
) -> Solution:
    """Solve several runs in as few batches as possible; lanes come back in the order of the runs.

    Two samples follow those asked for: 24 h after the first and 28 d after the last session began.
    """
    times = np.empty(0) if times_h is None else np.asarray(times_h, dtype=float)
    marks = np.concatenate([_marks(run) for run in runs], axis=1)
    parts = []
    for batch in lower(runs):
        grid = np.concatenate([np.repeat(times[:, None], batch.lanes.size, axis=1), marks[:, batch.lanes]])
        parts.append((batch.lanes, solve(batch.problem, grid, options)))
    return scatter(parts, marks.shape[1])


def _marks(run: Run) -> Array:
    """Times of the two extra samples of a run [h], (2, lanes); NaN without a session."""
    sessions = run.scenario.regimen.sessions
    if not sessions:
        return np.full((EXTRA_SAMPLES, run.lanes), np.nan)
    first, last = (column(session, "at", run.lanes) for session in (sessions[0], sessions[-1]))
    return np.stack([first + RETAINED_AFTER_H, last + READING_AFTER_H])
