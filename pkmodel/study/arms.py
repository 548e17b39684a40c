"""The arms of a comparison: ways to give the same drugs at the same dose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..inputs.regimen import Regimen
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
