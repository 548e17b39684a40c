"""The committed acceptance of a validation: how bad a group may be before something got worse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from ..inputs import library
from ..inputs.tomlfile import parse_text
from .validation import Result, summary


@dataclass(frozen=True)
class Verdict:
    """Whether one group (drug and role) is within its limits, and why not."""

    group: str
    accepted: bool
    why: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@cache
def limits() -> Mapping[str, Mapping[str, float]]:
    """Return the committed limits: ``DRUG/ROLE`` -> gmfe_most, within_2_fold_least_percent."""
    table = parse_text(library.data_bytes("acceptance.toml"), "acceptance.toml")
    return {f"{drug}/{role}": limit for drug, roles in table.items() for role, limit in roles.items()}


def group_of(result: Result) -> str:
    """Name of the group that a result is judged in."""
    return f"{result.case.drug or 'none'}/{result.observation.role}"


def judge(results: Iterable[Result]) -> list[Verdict]:
    """Hold every group against its limits; a group without limits is not accepted."""
    found = []
    for group, scores in summary(results, group_of).items():
        limit = limits().get(group)
        why = []
        if limit is None:
            why.append("no limits are committed for it")
        elif scores["gmfe"] is not None:
            if scores["gmfe"] > limit["gmfe_most"]:
                why.append(f"GMFE {scores['gmfe']:.3g} is above {limit['gmfe_most']:g}")
            if scores["within_2_fold_percent"] < limit["within_2_fold_least_percent"]:
                share, least = scores["within_2_fold_percent"], limit["within_2_fold_least_percent"]
                why.append(f"{share:.0f} % within 2-fold, less than {least:g} %")
        found.append(Verdict(group, not why, "; ".join(why)))
    return found
