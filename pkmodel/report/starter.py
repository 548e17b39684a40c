"""A scenario to start from: what `pkmodel new scenario` writes."""

from __future__ import annotations

SCENARIO = """\
# A treatment for `pkmodel run THIS_FILE`. Names come from the library (pkmodel info) or are paths of TOML
# files of your own. Quantities are texts with a unit; a bare number is in the unit that `pkmodel params show` prints.
schema = 1
title = "Emulsion and sponge, three sessions"
patient = "hcc_reference"
catheter = "lobar"          # whole_liver, lobar, segmental, superselective
until = "112 d"             # end of follow-up; necrosis is read 28 d after the last session
# review_days = 1           # read the tumour's state between sessions too

[[session]]
at = "0 d"
give = [
  # route: iv, hepatic_artery; carrier and duration may be left out
  { drug = "doxorubicin", dose = "50 mg", route = "hepatic_artery", carrier = "lipiodol_emulsion", duration = "15 min" }
]
embolic = "gelatin_sponge"  # several: "lipiodol+gelatin_sponge"; a session may also give no drug at all

[[session]]
at = "42 d"
give = [{ drug = "doxorubicin", dose = "50 mg", route = "hepatic_artery", carrier = "lipiodol_emulsion" }]
embolic = "gelatin_sponge"

[[session]]
at = "84 d"
give = [{ drug = "doxorubicin", dose = "50 mg", route = "hepatic_artery", carrier = "lipiodol_emulsion" }]
embolic = "gelatin_sponge"

# Any value of patient, catheter, drug, carrier, embolic or session, by its path:
[set]
"patient.tumour.diameter" = "50 mm"
# "drug.liver.ps" = 200
# "embolic.occlusion" = 0.8
"""
