"""A treatment as one HTML page: results, pictures, assumptions, equations, parameters, sources; it fetches nothing."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence

from ... import __version__
from ...course import Trajectory, simulate
from ...inputs.record import Row, warn_if_implausible
from ...inputs.scenario import Scenario
from ...study.arms import REFERENCE_ARM, iv_twin
from ...study.compare import compare_scenarios
from ...study.comparison import Comparison
from ..describe import describe
from ..figures.sessions import course_times
from ..parameters import used
from ..sentences import sentences
from ..table import header
from . import tables
from .markup import Markup, joined, tag
from .pictures import drawn, pictures
from .style import CSS

ADVICE = "Group-level model output, not advice for a person."
TREATMENT = "this_treatment"
LABELS = {TREATMENT: "this treatment", REFERENCE_ARM: "intravenous twin"}
# Nothing may be fetched and nothing may run, whatever a text in the page looks like.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_NOT_MODELLED = (
    "new vessels after embolisation, oil in portal venules, inflammatory leukocytosis, redistribution of blocked flow, "
    "quality of life"
)
Section = tuple[str, str, Markup]


def html_report(scenario: Scenario, *, until_h: float, title: str = "treatment", remake: str | None = None) -> str:
    """Return a treatment of one patient as a self-contained HTML page.

    The same scenario gives the same bytes: the page carries no date.

    Parameters
    ----------
    scenario : the treatment; it is held against its intravenous twin, as `pkmodel run` does
    until_h : end of follow-up [h]
    title : what the treatment is called
    remake : the command that makes the page again

    Raises
    ------
    ParameterError
        For a population.
    RegimenError
        When the treatment cannot be given as described.
    RunError
        When it could not be computed.

    Examples
    --------
    >>> import pkmodel as pk
    >>> page = pk.html_report(pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50)), until_h=168)
    >>> page.startswith("<!DOCTYPE html>")
    True
    """
    twin = iv_twin(scenario)
    both = {TREATMENT: scenario, REFERENCE_ARM: twin}
    # a twin without drug, or one that is the treatment itself, has nothing to say
    alone = not scenario.drugs or twin.digest() == scenario.digest()
    names = [TREATMENT] if alone else list(both)
    comparison = compare_scenarios(both, names, until_h=until_h)
    times = course_times(scenario, until_h)
    courses = {LABELS[name]: simulate(both[name], until_h=until_h, times_h=times) for name in names}
    rows = used([scenario])
    sections = [
        ("results", "Results", _results(comparison, bool(scenario.drugs))),
        ("courses", "Courses", _figures(courses)),
        ("warnings", "Warnings", _warnings(rows)),
        ("assumptions", "Assumptions", _assumptions(rows)),
        ("equations", "Equations", tag("pre", describe(scenario))),
        ("parameters", "Parameters", tables.parameters(rows)),
        ("sources", "Sources", tables.citations(rows)),
        ("manifest", "Manifest", tables.manifest(comparison, _versions(remake), LABELS)),
    ]
    return _page(f"Model report: {title}", _lead(comparison), sections)


def _page(title: str, lead: Markup, sections: Sequence[Section]) -> str:
    meta = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="generator", content=f"pkmodel {__version__}"),
        tag("title", title),
        Markup(f"<style>{CSS}</style>"),
    ]
    links = tag("ul", *(tag("li", tag("a", name, href=f"#{anchor}")) for anchor, name, _ in sections))
    top = tag("header", tag("h1", title), lead, tag("p", ADVICE, class_="note"))
    body = [
        top,
        tag("nav", links, aria_label="Contents"),
        tag("main", joined(_section(*each) for each in sections)),
        tag("footer", tag("p", f"{ADVICE} Made by pkmodel {__version__}.")),
    ]
    return f"<!DOCTYPE html>\n{tag('html', tag('head', joined(meta)), tag('body', joined(body)), lang='en')}\n"


def _section(anchor: str, name: str, content: Markup) -> Markup:
    return tag("section", tag("h2", name, id=anchor), content, aria_labelledby=anchor)


def _lead(comparison: Comparison) -> Markup:
    """What was given to whom, and for how long it is followed."""
    given, whom = header(comparison, "Given")
    return joined([tag("p", f"{given}."), tag("p", f"Patient {whom}.")])


def _results(comparison: Comparison, drug_given: bool) -> Markup:
    said = tag("ul", *(tag("li", each) for each in sentences(comparison)))
    return joined([said, tables.results(comparison, LABELS, exposure=drug_given)])


def _figures(courses: Mapping[str, Trajectory]) -> Markup:
    found = [drawn(each, number=number) for number, each in enumerate(pictures(courses), 1)]
    if not found:
        return tag("p", "Nothing to draw: neither a drug nor a tumour.")
    return tag("div", joined(found), class_="figures")


def _warnings(rows: Sequence[Row]) -> Markup:
    """Values outside the range that their evidence makes plausible."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for path, value, _, origin in rows:
            if origin is not None:
                warn_if_implausible(path, value, origin)
    if not caught:
        return tag("p", "None: every value lies within the range that its evidence makes plausible.")
    return tag("ul", *(tag("li", each.message) for each in caught))


def _assumptions(rows: Sequence[Row]) -> Markup:
    return joined(
        [
            tag("p", f"Not modelled: {_NOT_MODELLED}. What follows was assumed, not measured; results marked ~ rest "
                     "mainly on it."),
            tables.assumptions(rows),
        ]
    )  # fmt: skip


def _versions(remake: str | None) -> dict[str, str]:
    """Versions of all that computes and draws, and the command that does it again."""
    from importlib.metadata import version

    found = {} if remake is None else {"command": remake}
    found["pkmodel"], found["python"] = __version__, sys.version.split()[0]
    return {**found, **{package: version(package) for package in ("numpy", "scipy", "matplotlib")}}
