"""A scenario and a sweep to start from: what `pkmodel new` writes."""

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

SWEEP = """\
# A sweep for `pkmodel sweep THIS_FILE --out DIR`: a scenario as of `pkmodel new scenario`, and its axes.
schema = 1
title = "Tumour size, carrier and occlusion"
patient = "hcc_reference"
catheter = "lobar"
until = "28 d"              # left out: 28 d after the last session of each point

[[session]]
at = "0 d"
give = [{ drug = "doxorubicin", dose = "50 mg", route = "hepatic_artery", carrier = "lipiodol_emulsion" }]
embolic = "gelatin_sponge"

# Any path of the scenario: a list of values or names, or a range (of a grid with n, on a linear or log scale).
[axes]
"patient.tumour.diameter" = { low = "20 mm", high = "80 mm", n = 4 }
carrier = ["lipiodol_emulsion", "beads"]
"embolic.occlusion" = [0.3, 0.6, 0.9]

[design]
kind = "grid"               # or lhs, sobol (with n and seed; no n on the axes), csv (with file; no [axes])

# [output]
# metrics = ["tumour_plasma_auc_ratio", "necrosis_percent"]   # all by default
# courses_at = ["1 h", "24 h", "7 d"]                         # full courses too, one npz a chunk

# [cohort]                  # a virtual cohort in every point: number, median, 5 % and 95 % instead of single numbers
# n = 200
# seed = 1
"""
