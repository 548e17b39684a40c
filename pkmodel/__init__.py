"""pkmodel: tumour and systemic exposure, ischaemia and necrosis after embolic drug delivery to liver tumours.

Group-level model output, never advice for a person.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "errors": (
        "FileError",
        "InputError",
        "ParameterError",
        "PkmodelError",
        "PlausibilityWarning",
        "RegimenError",
        "RunError",
        "UnitError",
        "UnknownNameError",
    ),
    "inputs.drug": ("Drug",),
    "inputs.library": ("drug", "patient", "catheter", "carrier", "embolic"),
    "inputs.materials": ("Carrier", "Embolic"),
    "inputs.patient": ("Patient", "Catheter"),
    "inputs.regimen": ("Regimen",),
    "inputs.scenario": ("Scenario",),
    "inputs.scenario_file": ("load_scenario",),
    "inputs.session": ("Dose", "Session"),
    "inputs.treatment": ("iv", "hepatic_artery", "extravascular", "chemoembolisation", "embolisation", "emulsion"),
    "course": ("simulate", "Trajectory"),
    "exposure.metrics": ("Exposure",),
    "exposure.nca": ("nca",),
    "report.describe": ("describe",),
    "report.page.page": ("html_report",),
    "report.table": ("compare",),
    "study.validation": ("validate",),
    "study.comparison": ("Comparison",),
    "study.fit": ("fit_release",),
    "study.sweep.result": ("SweepResult", "load_sweep"),
    "study.sweep.run": ("sweep",),
    "study.population": ("population", "cohort"),
    "study.covariates": ("covariates", "Covariates"),
    "study.decision": ("decision_map", "DecisionMap"),
    "study.pareto": ("pareto", "Pareto"),
    "study.sensitivity": ("tornado", "morris", "sobol", "Sensitivity"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing pkmodel costs nothing (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'pkmodel' has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
