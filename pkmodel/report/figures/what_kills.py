"""What kills: Shapley shares of drug, ischaemia and held-back drug, and what each does alone, with 90 % intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...study.compare import compare
from ...study.comparison import Comparison
from ...study.uncertainty import SEED
from ..text import within
from .data import FigureData
from .style import ARM_LOOKS, CAUSE_LOOKS, DRUG_LOOKS, LIGHT, Look, below, empty, look, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "What kills: drug, ischaemia, or drug held back by the blocked flow"
QUESTION = "How much of the necrosis is the drug's, and how much the embolisation's?"
SECONDS = 45.0

DRUGS = tuple(DRUG_LOOKS)
KILL_ARMS = ("hepatic_artery_bolus", "solution_then_oil_sponge", "emulsion_sponge", "beads")
READING_DAY = 28.0
# quantity -> cause -> key of a comparison's row
KEYS = {
    "share of the log kill": {cause: f"shapley_{cause}_percent" for cause in CAUSE_LOOKS},
    "necrosis": {
        "drug": "necrosis_drug_alone_percent",
        "ischaemia": "necrosis_ischaemia_alone_percent",
        "all": "necrosis_percent",
    },
}
LOOKS = {**CAUSE_LOOKS, "all": Look("#000000", "-", "D", "all together")}
_MM_PER_ROW, _MM_FRAME = 7.0, 26.0
_ALL = 99.99  # percent
_OFFSETS = {"ischaemia": -0.22, "drug": 0.0, "retention": 0.22, "all": 0.22}


def data(
    patient: Any = "hcc_reference",
    *,
    drugs: Sequence[str] = DRUGS,
    dose_mg: float | None = None,
    arms: Sequence[str] = KILL_ARMS,
    catheter: Any = "lobar",
    draws: int = 60,
) -> FigureData:
    """Return shares of the log kill and necrosis by each cause alone, by arm and drug.

    Parameters
    ----------
    patient, dose_mg, arms, catheter : as of `compare`
    drugs : each given alone
    draws : of the 90 % intervals; 0 for none
    """
    rows, doses = [], []
    for drug in drugs:
        found = compare(patient, drug=drug, dose_mg=dose_mg, arms=arms, catheter=catheter, uncertainty=draws)
        rows += list(rows_of(found))
        doses += [f"{name} {mg:g} mg" for name, mg in found.manifest["drugs"].items()]
    return FigureData.of_rows(
        rows, n=f"1 patient, {draws} draws, {len(drugs)} drugs, {len(arms)} arms", seed=SEED if draws else None,
        caption=f"Left: shares of the log kill of one session ({', '.join(doses)}) that are owed to the drug, to "
        f"ischaemia and to drug that the blocked flow holds back; Shapley shares, which sum to 100 %. Right: necrosis "
        f"on day {READING_DAY:g} by drug and ischaemia alone, and by all together. Marks: typical values, bars: 90 % "
        f"intervals of {draws} draws of what is uncertain about typical values, not the variability between patients.",
    )  # fmt: skip


def rows_of(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Yield one row an arm, drug, quantity and cause of a comparison, with intervals where it has them."""
    drawn = comparison.manifest.get("uncertainty", {"rows": []})["rows"]
    scores = {(row["arm"], row["drug"]): row for row in drawn}
    for row in comparison:
        for quantity, causes in KEYS.items():
            for cause, key in causes.items():
                found = scores.get((row["arm"], row["drug"]), {}).get(key, {})
                yield {"arm": row["arm"], "drug": row["drug"], "quantity": quantity, "cause": cause,
                       "percent": row[key], "median_percent": found.get("median"),
                       "low_90_percent": found.get("low_90"), "high_90_percent": found.get("high_90"),
                       "variance_from_assumed_percent": found.get("assumed_variance_percent")}  # fmt: skip


def answer(data: FigureData) -> str:
    """Say the drug's share of the kill by drug and arm, and how much of its variance is only assumed."""
    shares = data.where(quantity="share of the log kill", cause="drug")
    said, assumed = [], []
    for arm in shares.distinct("arm"):
        if shares.where(arm=arm).numbers("percent").min() > _ALL:
            continue  # nothing is blocked: all is the drug's, in every draw
        drugs = []
        for row in shares.where(arm=arm).rows():
            share = within(row["percent"], row["low_90_percent"], row["high_90_percent"], " %")
            drugs.append(f"{look(str(row['drug']), among=DRUG_LOOKS).label} {share}")
            if row["variance_from_assumed_percent"] is not None:
                assumed.append(min(float(row["variance_from_assumed_percent"]), 100.0))
        said.append(f"{look(str(arm), among=ARM_LOOKS).label}: {', '.join(drugs)}")
    rests = f" Assumed parameters give {min(assumed):.0f} % to {max(assumed):.0f} % of its variance." if assumed else ""
    return f"The drug's share of the log kill where flow is blocked: {'; '.join(said) or 'none is'}.{rests}"


@printed
def draw(data: FigureData) -> Figure:
    """Draw shares and necrosis side by side: a row an arm and drug."""
    groups = len({(row["arm"], row["drug"]) for row in data.rows()})
    figure = new_figure(height_mm=_MM_FRAME + _MM_PER_ROW * max(groups, 3))
    shares, necrosis = figure.subplots(1, 2, sharey=True)
    put(shares, data, "share of the log kill")
    put(necrosis, data, "necrosis")
    necrosis.set_xlabel(f"necrosis on day {READING_DAY:g} [%]")
    shown = [*CAUSE_LOOKS, "all"] if len(data) else []
    below(figure, _handles(shown), columns=4)
    return figure


def put(axes: Axes, data: FigureData, quantity: str) -> None:
    """Draw one quantity: marks and 90 % intervals of every cause, rows grouped by arm."""
    axes.set_xlim(-3.0, 103.0)
    axes.set_xlabel(f"{quantity} [%]")
    found = data.where(quantity=quantity) if len(data) else data
    if not len(found):
        empty(axes, "no arm")
        return
    groups = list(dict.fromkeys((str(row["arm"]), str(row["drug"])) for row in found.rows()))
    groups.sort(key=lambda group: found.distinct("arm").index(group[0]))
    for row in found.rows():
        place = groups.index((str(row["arm"]), str(row["drug"]))) + _OFFSETS[str(row["cause"])]
        style = LOOKS[str(row["cause"])]
        if row["percent"] is None:
            continue
        low, high = row["low_90_percent"], row["high_90_percent"]
        if low is not None and high is not None:
            axes.plot([float(low), float(high)], [place, place], color=style.colour, linewidth=1.0)
        axes.plot([float(row["percent"])], [place], **style.dotted())
    for i in range(1, len(groups)):
        wide = groups[i][0] != groups[i - 1][0]
        axes.axhline(i - 0.5, color=LIGHT, linewidth=1.0 if wide else 0.3, zorder=0)
    one_drug = len(found.distinct("drug")) == 1
    axes.set_yticks(range(len(groups)), [_label(group, one_drug=one_drug) for group in groups])
    axes.set_ylim(len(groups) - 0.5, -0.5)


def _label(group: tuple[str, str], *, one_drug: bool) -> str:
    arm, drug = look(group[0], among=ARM_LOOKS).label, look(group[1], among=DRUG_LOOKS).label
    return arm.replace(" + ", "\n+ ").replace(", ", ",\n", 1) if one_drug else f"{arm}\n{drug}"


def _handles(causes: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    return [Line2D([], [], **{**LOOKS[cause].dotted(), "linestyle": "-", "linewidth": 1.0}) for cause in causes]

