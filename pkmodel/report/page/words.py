"""What the quantities of a comparison are called where there is room for words."""

from __future__ import annotations

from collections.abc import Mapping

QUANTITIES: Mapping[str, str] = {
    "plasma_cmax_ng_per_ml": "peak in plasma",
    "plasma_auc_ng_h_per_ml": "AUC in plasma",
    "tumour_cmax_ug_per_g": "peak in tumour tissue",
    "tumour_auc_ug_h_per_g": "AUC in tumour tissue",
    "homogenate_auc_ug_h_per_g": "AUC in tumour with its depot (homogenate)",
    "tumour_plasma_auc_ratio": "AUC in tumour over AUC in plasma",
    "targeting_index": "that ratio over the intravenous one (targeting index)",
    "delivered_share_percent": "share of the dose brought to the tumour",
    "retained_share_percent": "share of the dose in the tumour at 24 h",
    "plasma_tmax_h": "time of the peak in plasma",
    "plasma_auc_inf_ng_h_per_ml": "AUC in plasma without end",
    "tumour_tmax_h": "time of the peak in tumour tissue",
    "tumour_auc_inf_ug_h_per_g": "AUC in tumour tissue without end",
    "extracellular_auc_ug_h_per_ml": "AUC between the tumour's cells",
    "served_liver_auc_ug_h_per_g": "AUC in the liver behind the catheter",
    "clearance_l_per_h": "systemic clearance",
    "necrosis_percent": "necrosis of the tumour tissue",
    "necrosis_drug_alone_percent": "necrosis by the drug alone",
    "necrosis_ischaemia_alone_percent": "necrosis by ischaemia alone",
    "shapley_drug_percent": "share of the log kill owed to the drug",
    "shapley_ischaemia_percent": "share of the log kill owed to ischaemia",
    "shapley_retention_percent": "share of the log kill owed to drug held back by the blocked flow",
    "neutrophil_nadir_1e9_per_l": "lowest neutrophil count",
    "neutrophil_nadir_day": "day of the lowest neutrophil count",
    "ctcae_grade": "grade of neutropenia",
    "viable_left_percent": "viable tumour left, of the volume before",
}
