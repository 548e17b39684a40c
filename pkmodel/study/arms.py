"""The arms of a comparison: ways to give the same drugs at the same dose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import ParameterError, RegimenError, UnknownNameError
from ..inputs import library
from ..inputs.regimen import Regimen
from ..inputs.scenario import Scenario
from ..inputs.treatment import chemoembolisation, embolisation, hepatic_artery, iv

INFUSION_H = 4.0
Builder = Callable[[Mapping[Any, Any]], Regimen]

ARMS: dict[str, Builder] = {
    "iv": iv,
    "hepatic_artery_bolus": hepatic_artery,
    "hepatic_artery_infusion": lambda drugs: hepatic_artery(drugs, duration_h=INFUSION_H),
    "solution_then_oil_sponge": lambda drugs: hepatic_artery(drugs) + embolisation(("lipiodol", "gelatin_sponge")),
    "bland_embolisation": lambda drugs: embolisation(("lipiodol", "gelatin_sponge")),
    "emulsion": lambda drugs: chemoembolisation(drugs, carrier="lipiodol_emulsion"),
    "emulsion_sponge": lambda drugs: chemoembolisation(drugs, carrier="lipiodol_emulsion", embolic="gelatin_sponge"),
    "suspension_sponge": lambda drugs: chemoembolisation(
        drugs, carrier="lipiodol_suspension", embolic="gelatin_sponge"
    ),
    "beads": lambda drugs: chemoembolisation(drugs, carrier="beads"),
}
REFERENCE_ARM = "iv"


def arm_scenarios(
    patient: Any,
    *,
    drug: Any,
    dose_mg: Any = None,
    arms: Sequence[str] | None = None,
    catheter: Any = "lobar",
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Scenario]:
    """Return the scenario of every arm, and of the reference arm; parameters as of `compare`."""
    person = library.load("patients", patient)
    drugs = _doses(drug, dose_mg, person)
    scenarios = {
        name: Scenario(person, ARMS[name](drugs), catheter=catheter)
        for name in dict.fromkeys((*arm_names(arms), REFERENCE_ARM))
    }
    return _apply(scenarios, settings or {})


def iv_twin(scenario: Scenario) -> Scenario:
    """Return the intravenous twin: same patient, doses and times, each over 0.25 h and nothing occluded."""
    sessions = tuple(
        session.replace(
            embolics=(),
            doses=tuple(each.replace(route="iv", carrier=None, duration=None, start=None) for each in session.doses),
        )
        for session in scenario.regimen.sessions
        if session.doses
    )
    return scenario.replace(regimen=Regimen(sessions))


def _doses(drug: Any, dose_mg: Any, patient: Any) -> dict[Any, Any]:
    if isinstance(drug, Mapping) and dose_mg is not None:
        raise ParameterError("dose_mg goes with a single drug; a mapping carries its own doses", field="dose_mg")
    given = drug if isinstance(drug, Mapping) else {drug: dose_mg}
    found = {}
    for name, dose in given.items():
        record = library.load("drugs", name)
        found[record] = _usual_dose(record, patient) if dose is None else dose
    return found


def _usual_dose(drug: Any, patient: Any) -> Any:
    if patient.species != "human":
        raise ParameterError(
            f"the usual dose of {drug.name} is a human one; give dose_mg (--dose) for a {patient.species}",
            field="dose_mg",
            unit="mg",
        )
    return drug.usual_dose


def arm_names(arms: Sequence[str] | None) -> tuple[str, ...]:
    """Check names of arms; None means all of them."""
    if isinstance(arms, str) or not isinstance(arms, Sequence | None):
        raise ParameterError(f"arms = {arms!r} is not a list of names, such as ['iv', 'beads']", field="arms")
    names = tuple(ARMS) if arms is None else tuple(arms)
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"arms names {name!r} {names.count(name)} times", field="arms", value=name)
        if name not in ARMS:
            raise UnknownNameError.of("arm", name, tuple(ARMS))
    if not names:
        raise ParameterError("arms is empty; name at least one, or leave it out for all", field="arms")
    return names


def _apply(scenarios: dict[str, Scenario], settings: Mapping[str, Any]) -> dict[str, Scenario]:
    """Set paths in every arm that has them; a path no arm knows is an error that names the nearest."""
    if not isinstance(settings, Mapping):
        raise ParameterError(f"settings = {settings!r} is not a mapping of path to value", field="settings")
    for path in settings:
        if not isinstance(path, str):
            raise UnknownNameError(f"no path {path!r}; a path is a text, such as 'patient.bsa'")
    repeated = {path: value for path, value in settings.items() if path.startswith("regimen.")}
    # interval and number of cycles only make sense together, and before anything that names a session
    found = {name: each.with_values(repeated) if repeated else each for name, each in scenarios.items()}
    for path, value in settings.items():
        if path in repeated:
            continue
        unknown: UnknownNameError | RegimenError | None = None
        used = False
        for name, scenario in found.items():
            try:
                scenario.spec(path)
            except (UnknownNameError, RegimenError) as error:
                unknown = error
                continue
            found[name], used = scenario.with_value(path, value), True
        if not used and unknown is not None:
            raise unknown
    return found
