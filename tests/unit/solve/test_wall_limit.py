"""The wall limit: what is still active when it is reached fails with the reason, and nothing hangs."""

from __future__ import annotations

import numpy as np

import pkmodel as pk
from pkmodel.model.body import Run
from pkmodel.solve.drive import Options
from pkmodel.solve.runs import solve_runs


def test_lanes_that_are_not_done_at_the_wall_limit_fail() -> None:
    scenario = pk.Scenario("hcc_reference", pk.iv("doxorubicin", [20.0, 50.0]))
    found = solve_runs([Run(scenario, 48.0)], [1.0], Options(wall_limit_s=0.0))
    assert all(str(reason).startswith("wall limit of 0 s reached") for reason in found.reasons)
    assert np.isnan(found.plasma_auc).all()
    assert solve_runs([Run(scenario, 48.0)], [1.0], Options(wall_limit_s=60.0)).reasons == (None, None)
