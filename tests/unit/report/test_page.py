"""The HTML report without a browser: well-formed, escaped, self-contained, the same bytes every time."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

import pkmodel as pk
from pkmodel.cli import main
from pkmodel.report.figures.sessions import course_times
from pkmodel.report.page.markup import Markup, escaped, tag
from pkmodel.report.page.page import ADVICE, TREATMENT, html_report
from pkmodel.report.page.style import CSS
from pkmodel.report.page.words import QUANTITIES
from pkmodel.report.table import EFFECT, EXPOSURE
from pkmodel.report.text import three
from pkmodel.study.arms import REFERENCE_ARM, iv_twin
from pkmodel.study.compare import compare_scenarios

Capture = pytest.CaptureFixture[str]
VOID = ("meta", "wbr")
NASTY = """</title></p><script>alert(1)</script><img src=x onerror="alert(2)">&amp;'"""
LEAST_CONTRAST = 4.5  # WCAG 2.2 AA, normal text


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in order, and what is in it is kept."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inside: list[tuple[str, ...]] = []
        self.words: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        keys = [key for key, _ in attributes]
        assert len(keys) == len(set(keys)), (name, keys)
        self.elements.append((name, {key: value or "" for key, value in attributes}))
        self.inside.append(tuple(self.open))
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(name, attributes)
        if name not in VOID:
            self.open.pop()

    def handle_endtag(self, name: str) -> None:
        assert self.open, f"</{name}> closes nothing"
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        self.words.append((self.open[-1] if self.open else "", data))

    def all(self, name: str) -> list[dict[str, str]]:
        """Attributes of all elements of a name."""
        return [attributes for each, attributes in self.elements if each == name]

    def text(self) -> str:
        """What a reader can read."""
        return " ".join("".join(word for where, word in self.words if where not in ("style", "desc")).split())


def emulsion() -> pk.Scenario:
    """Return one session of emulsion and sponge."""
    return pk.Scenario("hcc_reference", pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion",
                                                             embolic="gelatin_sponge"))  # fmt: skip


@pytest.fixture(scope="module")
def report() -> str:
    """Return a page."""
    return html_report(emulsion(), until_h=24.0 * 28, title="Emulsion & sponge")


@pytest.fixture(scope="module")
def page(report: str) -> Page:
    """Return a page, read."""
    return Page(report)


def check_self_contained(text: str, page: Page) -> None:
    """Nothing outside is named anywhere a browser would follow, and nothing runs."""
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "video", "audio", "image"}
    for name, attributes in page.elements:
        for key, value in attributes.items():
            assert not key.startswith("on") and key not in ("src", "srcset", "action", "data", "poster"), (name, key)
            if key in ("href", "xlink:href"):
                assert value.startswith("#"), value
            assert re.findall(r"url\((?!#)", value) == [], value
    assert "@import" not in text and "url(" not in CSS
    policy = next(each["content"] for each in page.all("meta") if "http-equiv" in each)
    assert policy.startswith("default-src 'none'") and "script" not in policy


def check_ids(page: Page) -> None:
    """Every id is there once, and every reference leads to one."""
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = set()
    for _, attributes in page.elements:
        wanted |= {attributes[key][1:] for key in ("href", "xlink:href") if key in attributes}
        wanted |= set(attributes.get("aria-labelledby", "").split())
        for value in attributes.values():
            wanted |= set(re.findall(r"url\(#([^)]*)\)", value))
    assert wanted <= set(ids)


def test_it_is_self_contained_and_its_ids_are_unique(report: str, page: Page) -> None:
    assert report.startswith("<!DOCTYPE html>\n")
    check_self_contained(report, page)
    check_ids(page)


def test_the_parts_are_there(page: Page) -> None:
    text = page.text()
    assert text.count(ADVICE) == 2
    for word in ("Results", "Courses", "Warnings", "Assumptions", "Equations", "Parameters", "Sources", "Manifest",
                 "Emulsion & sponge", "doxorubicin 50 mg, one session, followed for 28 days", "HCC 60 mm",
                 "dA[central]/dt", emulsion().digest(), pk.__version__):  # fmt: skip
        assert word in text, word


def test_machines_can_read_it(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert {"width=device-width, initial-scale=1"} <= {each.get("content") for each in page.all("meta")}
    assert [len(page.all(name)) for name in ("title", "h1", "main")] == [1 + len(page.all("svg")), 1, 1]
    tables = len(page.all("table"))
    assert tables == len(page.all("caption")) == len(page.all("thead")) >= 4
    assert all(each["scope"] in ("col", "row") for each in page.all("th"))
    pictures = page.all("svg")
    assert len(pictures) == len(page.all("figcaption")) == 4
    assert all(each["role"] == "img" and each["aria-labelledby"] for each in pictures)
    assert all("width" not in each for each in pictures)  # as wide as the reader's window
    said = [word for where, word in page.words if where == "desc"]
    assert len(said) == 4 and all(re.search(r"\d", each) for each in said)


def test_the_tables_hold_what_the_comparison_says(page: Page) -> None:
    both = {TREATMENT: emulsion(), REFERENCE_ARM: iv_twin(emulsion())}
    found = compare_scenarios(both, list(both), until_h=24.0 * 28)
    text = page.text()
    for key in ("plasma_auc_ng_h_per_ml", "tumour_auc_ug_h_per_g", "necrosis_percent"):
        cells = "".join(f"~?{three(row[key])}" for row in found)
        assert re.search(re.escape(QUANTITIES[key]) + r" ?\[[^]]*\]" + cells, text), key
    assert set(QUANTITIES) == {column.key for column in (*EXPOSURE, *EFFECT)}


def test_every_parameter_stands_with_its_kind_and_every_source_once(page: Page) -> None:
    text = page.text()
    for path, _, _, origin in emulsion().rows():
        assert path in text, path
        for row in (origin.rows if origin else ())[:4]:
            assert row in text
    assert text.count("Kontny 2013 adult-reference popPK") == 1


def test_the_same_scenario_gives_the_same_bytes(report: str) -> None:
    assert html_report(emulsion(), until_h=24.0 * 28, title="Emulsion & sponge") == report


def test_an_intravenous_treatment_is_its_own_twin_and_a_day_is_enough() -> None:
    text = html_report(pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50)), until_h=24.0)
    page = Page(text)
    check_ids(page)
    assert "intravenous twin" not in text
    assert len(page.all("svg")) == 3  # one panel of concentrations, tumour, blood
    assert "follow-up ends before the reading" in page.text()


def test_without_drug_there_is_no_exposure_and_without_tumour_no_tumour() -> None:
    bland = html_report(pk.Scenario("hcc_reference", pk.embolisation("gelatin_sponge")), until_h=24.0)
    assert "Exposure to" not in bland and Page(bland).all("svg")
    with pytest.warns(pk.PlausibilityWarning):
        healthy = pk.Scenario("hcc_reference", pk.iv("cisplatin", 100)).with_value("patient.tumour.diameter", 0)
    assert "Arterial flow to the tumour" not in html_report(healthy, until_h=24.0)


def test_several_drugs_have_a_table_and_pictures_each() -> None:
    both = pk.Scenario("hcc_reference", pk.iv({"doxorubicin": 50, "cisplatin": 100}))
    page = Page(html_report(both, until_h=24.0))
    check_ids(page)
    for drug in ("doxorubicin", "cisplatin"):
        assert f"Exposure to {drug}" in page.text()
        assert f"Concentration of {drug}" in page.text()


def test_an_implausible_value_is_warned_of() -> None:
    with pytest.warns(pk.PlausibilityWarning):
        scenario = pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50)).with_value("patient.bsa", 3.4)
    assert "patient.bsa: 3.4 m2 outside the plausible range" in Page(html_report(scenario, until_h=24.0)).text()


def test_a_population_is_refused() -> None:
    scenario = pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50)).with_value("patient.bsa", [1.7, 1.9])
    with pytest.raises(pk.ParameterError, match="one patient"):
        html_report(scenario, until_h=24.0)


def test_every_session_is_followed_as_closely_as_the_first() -> None:
    repeated = pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50).repeat(every_days=42, times=2))
    times = course_times(repeated, 2000.0)
    assert times[0] == 0.0 and times[-1] == 2000.0 and (times[1:] > times[:-1]).all()
    start = 42 * 24.0
    assert start in times and ((times > start) & (times < start + 1.0)).sum() > 20


def test_the_command_escapes_whatever_the_user_wrote(tmp_path: Path, capsys: Capture) -> None:
    catheter = tmp_path / "mine.toml"
    catheter.write_text(
        'schema = 1\nbase = "lobar"\n[territory_share]\nvalue = 0.5\nkind = "assumed"\nrange = [0.4, 0.6]\n'
        f"note = '''{NASTY}'''\nsource = '''{NASTY}'''\n"
    )
    source = tmp_path / "<i>mine.toml"
    source.write_text(
        f"schema = 1\ntitle = '''{NASTY}'''\npatient = \"hcc_reference\"\ncatheter = \"mine.toml\"\nuntil = \"1 d\"\n"
        '[[session]]\nat = "0 d"\ngive = [{ drug = "cisplatin", dose = "50 mg", route = "iv" }]\n'
    )
    target = tmp_path / "report.html"
    assert main(["report", str(source), "-o", str(target), "--set", "patient.bsa=1.9"]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "wrote" in err
    text = target.read_text(encoding="utf-8")
    page = Page(text)
    check_self_contained(text, page)
    check_ids(page)
    assert page.text().count(NASTY) >= 3
    assert "--set patient.bsa=1.9" in page.text()
    assert main(["report", str(source), "-o", "-", "--until", "2 d"]) == 0
    assert "followed for 2 days" in capsys.readouterr().out


def test_wrong_input_is_refused(tmp_path: Path, capsys: Capture) -> None:
    assert main(["report", str(tmp_path / "absent.toml"), "-o", str(tmp_path / "x.html")]) == 2
    assert "absent.toml" in capsys.readouterr().err
    assert main(["report", "mine.toml"]) == 2
    assert "--output" in capsys.readouterr().err


def test_markup() -> None:
    assert escaped("<a & 'b' \"c\">") == "&lt;a &amp; &#x27;b&#x27; &quot;c&quot;&gt;"
    assert escaped(Markup("<b>")) == "<b>"
    assert tag("p", "<", tag("b", 1), class_="x", data_label='"') == '<p class="x" data-label="&quot;">&lt;<b>1</b></p>'


def _luminance(colour: str) -> float:
    """Relative luminance of a colour as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_in_light_dark_and_print() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21.0)
    roots: Callable[[str], list[str]] = re.compile(r":root \{([^}]*)\}").findall
    themes = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in roots(CSS)]
    assert len(themes) == 3
    for theme in themes:
        for ink in ("ink", "soft"):
            assert _contrast(theme[ink], theme["paper"]) >= LEAST_CONTRAST
        assert _contrast(theme["ink"], theme["band"]) >= LEAST_CONTRAST
