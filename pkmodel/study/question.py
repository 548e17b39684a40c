"""What is asked of one arm or of two, as a number a run, and the runs that answer it at many points."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import ParameterError, PlausibilityWarning, RunError, UnknownNameError
from ..inputs.scenario import Scenario
from ..model.columns import derived_clearances
from ..model.problem import Array
from ..solve.drive import BLOCK
from .measures import check_measure, direction, measure

HOW = ("value", "log_ratio", "beats")
Columns = Mapping[str, Mapping[str, Array]]
Progress = Callable[[int, int], None] | None


@dataclass(frozen=True, eq=False)
class Question:
    """A measure of an arm (`value`), ln of its ratio to another (`log_ratio`), or whether it is better (`beats`).

    Attributes
    ----------
    arms : name -> scenario, the arm asked about first
    metric, how, drug : what is asked, of which drug
    unit : of the answer
    until_h, rtol : horizon [h] and relative tolerance of the runs
    """

    arms: Mapping[str, Scenario]
    metric: str
    how: str
    unit: str
    drug: str | None
    until_h: float
    rtol: float

    @property
    def arm(self) -> str:
        """The arm asked about."""
        return next(iter(self.arms))

    @property
    def over(self) -> str | None:
        """The arm it is held against."""
        return list(self.arms)[1] if len(self.arms) > 1 else None

    def answers(self, columns: Columns, m: int, progress: Progress = None) -> Array:
        """Return the answers at m points, (m,); `columns` are arm -> path -> values (m,).

        All points are lanes, in blocks whose borders do not depend on anything else.

        Raises
        ------
        ParameterError
            Some points are no legal subject although each value is: the inputs are not independent.
        RunError
            A run failed, or has no such number: what is left of a design is not a design.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PlausibilityWarning)  # a range may be wider than what is plausible
            for _, _, name, values in self._blocks(columns, m):
                self._subjects(name, values)  # all of them, before any is solved
            found = {name: np.empty(m) for name in self.arms}
            for start, stop, name, values in self._blocks(columns, m):
                found[name][start:stop] = self._solved(name, values, start)
                if progress is not None and name == list(self.arms)[-1]:
                    progress(stop, m)
        return self._combined(found)

    def _blocks(self, columns: Columns, m: int) -> Iterator[tuple[int, int, str, dict[str, Array]]]:
        for start in range(0, m, BLOCK):
            stop = min(start + BLOCK, m)
            for name in self.arms:
                yield start, stop, name, {path: each[start:stop] for path, each in columns[name].items()}

    def _subjects(self, name: str, values: Mapping[str, Array]) -> Scenario:
        try:
            found = self.arms[name].with_values(values)
            for drug in found.regimen.drugs:
                derived_clearances(drug, max(found.size, 1))
        except ParameterError as error:
            raise ParameterError(
                f"the inputs of {name} are not independent, as some of their combinations are impossible ({error}); "
                "keep one of them with fixed=[...], or give narrower ranges={...}",
                field=error.field,
            ) from None
        return found

    def _solved(self, name: str, values: Mapping[str, Array], start: int) -> Array:
        scenario = self._subjects(name, values)
        lanes = len(next(iter(values.values()))) if values else 1
        found, reasons = measure([scenario], self.metric, until_h=self.until_h, rtol=self.rtol, drug=self.drug)
        lost = np.flatnonzero(reasons != "")
        if lost.size:
            raise RunError(
                f"{lost.size} of {found.size} runs of {name} from point {start} have no {self.metric} "
                f"({reasons[lost[0]]}); no sensitivity is printed of the rest",
                lanes=[start + int(each) for each in lost],
            )
        return np.broadcast_to(found, (lanes,))

    def _combined(self, found: Mapping[str, Array]) -> Array:
        values = list(found.values())
        if self.how == "value":
            return values[0]
        if self.how == "beats":
            return (direction(self.metric) * (values[0] - values[1]) > 0.0).astype(float)
        lost = np.flatnonzero((values[0] <= 0.0) | (values[1] <= 0.0))
        if lost.size:
            raise RunError(
                f"{self.metric} is not above 0 in {lost.size} of {values[0].size} pairs of runs, so that their ratio "
                "has no logarithm; ask for how='value' or how='beats'",
                lanes=[int(each) for each in lost],
            )
        return np.asarray(np.log(values[0] / values[1]))


def question(
    scenarios: Scenario | Mapping[str, Scenario],
    metric: str,
    *,
    arm: str | None = None,
    over: str | None = None,
    how: str | None = None,
    drug: str | None = None,
    until_h: float,
    rtol: float,
) -> Question:
    """Return a question about scenarios; without `how` it is `log_ratio` where there is an `over`, else `value`.

    Raises
    ------
    UnknownNameError
        No such measure, arm or way to ask.
    ParameterError
        `over` and `how` do not go together.
    """
    unit = check_measure(metric)
    every = {"scenario": scenarios} if isinstance(scenarios, Scenario) else dict(scenarios)
    if not every or not all(isinstance(each, Scenario) for each in every.values()):
        raise ParameterError("scenarios must be a Scenario, or a mapping of names to some", field="scenarios")
    if arm is None:
        others = [name for name in every if name != over]
        if len(others) != 1:
            raise ParameterError(f"say which arm is asked about: arm={' or '.join(map(repr, others))}", field="arm")
        arm = others[0]
    for name in (arm, *([over] if over is not None else [])):
        if name not in every:
            raise UnknownNameError.of("arm", str(name), every)
    how = how if how is not None else "value" if over is None else "log_ratio"
    if how not in HOW:
        raise UnknownNameError.of("way to ask (how)", str(how), HOW)
    if (how == "value") != (over is None) or arm == over:
        needs = "takes no" if how == "value" else "needs another arm as"
        raise ParameterError(f"how = {how!r} {needs} over", field="over")
    if how == "beats":
        direction(metric)
    arms = {name: every[name] for name in (arm, over) if name is not None}
    return Question(arms, metric, how, unit if how == "value" else "1", drug, until_h, rtol)
