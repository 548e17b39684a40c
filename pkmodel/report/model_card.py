"""The model card: what the model is for, how well it was tested, what it misses and why; generated, in Markdown."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ..inputs import library
from ..inputs.cases import explanations, left_out
from ..study.arms import arm_scenarios
from ..study.switches import Switched
from ..study.validation import Result, gmfe, left_out_share, summary
from .text import three

BEGIN, END = "<!-- model card: generated, do not edit -->", "<!-- end of model card -->"
KINDS = ("measured", "fitted", "derived", "assumed")
DRUGS = ("doxorubicin", "cisplatin", "mitomycin_c", "fluorouracil")


def model_card(results: Sequence[Result], switched: Mapping[str, Sequence[Switched]]) -> str:
    """Return the card as Markdown, between its markers.

    Parameters
    ----------
    results : of `validate`
    switched : drug -> results of `switches`
    """
    parts = (_about(), _parameters(), _calibration(), _validation(results), _misses(results), _ranking(switched))
    return "\n".join([BEGIN, *(line for part in parts for line in part), END])


def put_into(text: str, card: str) -> str:
    """A text with the card between its markers replaced.

    Raises
    ------
    ValueError
        The text has no markers.
    """
    start, end = text.index(BEGIN), text.index(END) + len(END)
    return text[:start] + card + text[end:]


def _about() -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    for head, body in (
        ("Question", "How do ways of giving a drug compare in tumour and systemic exposure and in necrosis, and why?"),
        ("Decision it may inform", "Which formulations, doses and intervals are worth an experiment or a trial arm."),
        ("Not for", "Any decision about a person. Group-level output; effects rest mainly on assumed parameters."),
        ("Model risk", "Exposure: moderate. Necrosis and its causes: high, most of it rests on what no data decide."),
        ("Verification", "Independent oracle, closed forms, others' reference values, mass balance (see above)."),
        ("Validation", "Published experiments as data, rules and roles fixed before any comparison; table below."),
        ("Applicability", "Adult hepatocellular carcinoma and metastases; animals only by allometry."),
    ):
        yield f"| {head} | {body} |"
    yield ""


def _parameters() -> Iterator[str]:
    yield "Parameters of a comparison (reference patient, all arms) by kind:"
    yield ""
    yield "| drug | " + " | ".join(KINDS) + " |"
    yield "|---|" + "---:|" * len(KINDS)
    for drug in DRUGS:
        kinds: dict[str, str] = {}
        for scenario in arm_scenarios("hcc_reference", drug=drug).values():
            for path, value, _, origin in scenario.rows():
                if origin is not None and not isinstance(value, str | tuple):
                    kinds[path] = origin.kind
        counts = Counter(kinds.values())
        yield f"| {drug} | " + " | ".join(str(counts[kind]) for kind in KINDS) + " |"
    yield ""


def _calibration() -> Iterator[str]:
    """Fitted parameters, and those that the data cannot decide, with their profiles."""
    rows = list(csv.DictReader(io.StringIO(library.data_bytes("calibration.csv").decode("utf-8"), newline="")))
    decided = [row for row in rows if row["data_say"] == "decided"]
    yield f"Fitted (`experiments/01_calibration`), {len(decided)} parameters that the data decide:"
    yield ""
    yield "| stage | parameter | prior (90 %) | fitted (90 %) | prior narrowed to |"
    yield "|---|---|---:|---:|---:|"
    for row in decided:
        prior, found = _span(row, "prior", "prior_low", "prior_high"), _span(row, "value", "low_90", "high_90")
        yield f"| {row['stage']} | {row['parameter']} | {prior} | {found} | {float(row['narrowed_percent']):.0f} % |"
    yield ""
    yield f"What the data cannot decide, {len(rows) - len(decided)} parameters: they stay `assumed` and are drawn in"
    yield "every interval. *Only together* means that a combination with others is known; the value is then the most"
    yield "probable one. The profile is the misfit (-2 log likelihood, all other parameters free, own prior left out)"
    yield "at values of the parameter, above its least; below 2.7 a value is not excluded at 90 %."
    yield ""
    yield "| stage | parameter | prior (90 %) | value | data say | profile |"
    yield "|---|---|---:|---:|---|---|"
    for row in rows:
        if row["data_say"] != "decided":
            pairs = zip(row["profile_values"].split(), row["profile_misfit"].split(), strict=True)
            profile = ", ".join(f"{three(float(value))}: {float(misfit):.2g}" for value, misfit in pairs)
            says = {"together": "only together", "nothing": "nothing"}[row["data_say"]]
            prior = _span(row, "prior", "prior_low", "prior_high")
            value = three(float(row["value"]))
            yield f"| {row['stage']} | {row['parameter']} | {prior} | {value} | {says} | {profile} |"
    yield ""
    yield "No stage speaks of tumour uptake (`tumour.ps`, `tumour.kp`), growth, marrow (`memory` rows only),"
    yield "5-fluorouracil beyond its reference curve, or release of mitomycin C and 5-fluorouracil from oil: all"
    yield "of these stay `assumed`."
    yield ""


def _span(row: Mapping[str, str], value: str, low: str, high: str) -> str:
    return f"{three(float(row[value]))} ({three(float(row[low]))} to {three(float(row[high]))})"


def _validation(results: Sequence[Result]) -> Iterator[str]:
    cases, studies = (len({getattr(each.case, name) for each in results}) for name in ("id", "study"))
    out, of = left_out_share()
    yield f"{len(results)} observations of {cases} published experiments ({studies} studies). Rows of role `fit` are in"
    yield "sample where a stage of the calibration uses them; those of role `check` were never fitted to."
    none = sum(each.observation.ordering is None and each.fold != each.fold for each in results)
    yield f"Geometric mean fold error {three(gmfe(each.fold for each in results))}"
    yield f"({none} numbers of which nothing was observed or predicted count in the shares, not in it)."
    yield f"{out} of {of} in-vivo rows of the four drugs ({100 * out / of:.0f} %) are left out, each with its reason;"
    yield f"in all {len(left_out())} rows of the evidence are in no case."
    yield ""
    yield "| drug, role | n | GMFE | within 1.5-fold | within 2-fold | orderings |"
    yield "|---|---:|---:|---:|---:|---:|"
    by = {f"{each.case.drug or 'no drug'}, {each.observation.role}" for each in results}
    scores = summary(results, lambda r: f"{r.case.drug or 'no drug'}, {r.observation.role}")
    for group in sorted(by):
        s = scores[group]
        shares = (s["within_1.5_fold_percent"], s["within_2_fold_percent"])
        cells = (str(s["n"]), three(s["gmfe"]) if s["gmfe"] else "-", *(f"{share:.0f} %" for share in shares))
        yield f"| {group} | " + " | ".join(cells) + f" | {s['orderings_passed']} |"
    yield ""


def _misses(results: Sequence[Result]) -> Iterator[str]:
    missed = [each for each in results if each.missed]
    yield f"The {len(missed)} misses (outside 2-fold, or an ordering the other way round):"
    yield ""
    yield "| row | case | quantity | observed | predicted | why |"
    yield "|---|---|---|---:|---:|---|"
    for each in missed:
        o = each.observation
        observed = o.ordering if o.ordering is not None else f"{three(o.value)} {o.unit}"
        quantity = o.reading.quantity + (" ratio" if o.over else "")
        why = explanations().get(o.id, "not yet explained")
        yield f"| {o.id} | {each.case.id} | {quantity} | {observed} | {three(each.predicted)} | {why} |"
    yield ""


def _ranking(switched: Mapping[str, Sequence[Switched]]) -> Iterator[str]:
    yield "Does the ranking of the arms by necrosis survive structural switches? Necrosis [%] of a few arms, and the"
    yield "pairs of arms that turn round:"
    yield ""
    shown = ("hepatic_artery_bolus", "bland_embolisation", "emulsion_sponge", "beads")
    yield "| drug | switch | " + " | ".join(name.replace("_", " ") for name in shown) + " | turned round |"
    yield "|---|---|" + "---:|" * len(shown) + "---|"
    for drug, every in switched.items():
        for each in every:
            cells = " | ".join(f"{each.necrosis[name]:.0f}" for name in shown)
            turned = "; ".join(f"{b.replace('_', ' ')} over {a.replace('_', ' ')}" for a, b in each.turned) or "none"
            yield f"| {drug} | {each.switch} | {cells} | {turned} |"
    yield ""
