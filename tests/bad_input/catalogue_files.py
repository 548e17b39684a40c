"""Bad files: library records and scenarios in TOML, release curves in CSV."""

from __future__ import annotations

from cases import Case, csv, scenario, toml

from pkmodel.errors import (
    FileError,
    InputError,
    ParameterError,
    PlausibilityWarning,
    RegimenError,
    UnitError,
    UnknownNameError,
)

BOM = b"\xef\xbb\xbf"
HEAD = 'schema = 1\nbase = "hcc_reference"\nname = "me"\n'
FLOW = HEAD + '[liver.flow]\nvalue = 1300\nunit = "mL/min"\nrange = [1200, 1500]\nkind = "measured"\nrows = ["P001"]\n'
CATHETER = 'schema = 1\nname = "mine"\ncoverage = 1\nterritory_share = 0.4\n'


def flow(id: str, old: str, new: str, error: type[BaseException] | None, *fragments: str) -> Case:
    """A patient's file with a flow of its own, changed in one place."""
    assert old in FLOW
    return toml(id, "patients", FLOW.replace(old, new, 1), error, *fragments)


LIBRARY_FILES = (
    # the file itself
    toml("toml-empty", "patients", "", FileError, "mine.toml", "is empty"),
    toml("toml-blank", "patients", " \n\n", FileError, "mine.toml", "is empty"),
    toml("toml-bom", "patients", BOM + FLOW.encode(), FileError, "mine.toml", "byte-order mark", "without BOM"),
    toml("toml-utf-16", "patients", FLOW.encode("utf-16"), FileError, "mine.toml", "byte-order mark"),
    toml("toml-latin-1", "patients", FLOW.encode() + b"# \xe9", FileError, "mine.toml", "not UTF-8"),
    toml("toml-crlf-works", "patients", FLOW.replace("\n", "\r\n"), None, "me"),
    toml("toml-syntax", "patients", HEAD + "[liver\n", FileError, "mine.toml", "not valid TOML", "line 4"),
    toml("toml-decimal-comma", "patients", HEAD + "bsa = 1,8\n", FileError, "line 4", "decimal comma", "decimal point"),
    toml("toml-key-twice", "patients", HEAD + 'name = "you"\n', FileError, "mine.toml", "line 4"),
    toml("toml-table-twice", "patients", FLOW + "[liver.flow]\nvalue = 1\n", FileError, "mine.toml", "flow", "twice"),
    toml("toml-no-schema", "patients", FLOW.replace("schema = 1\n", ""), FileError, "no schema", "schema = 1"),
    toml("toml-schema-2", "patients", FLOW.replace("schema = 1", "schema = 2"), FileError, "schema 2", "schema = 1"),
    toml("toml-schema-text", "patients", FLOW.replace("= 1\n", '= "1"\n', 1), FileError, "schema '1'", "schema = 1"),
    # names
    toml("toml-unknown-key", "patients", HEAD + "bssa = 1.8\n", FileError, "unknown key 'bssa'", "'bsa'"),
    toml("toml-unknown-table", "patients", HEAD + "[livr]\nflow = 1\n", FileError, "unknown key 'livr'", "'liver'"),
    toml("toml-missing-key", "catheters", CATHETER.replace("coverage = 1\n", ""), FileError, "'coverage' is missing"),
    toml("toml-table-expected", "patients", HEAD + "liver = 3\n", FileError, "'liver' must be a table [liver]"),
    toml("toml-base-unknown", "patients", HEAD.replace("hcc_reference", "hcc_ref"), UnknownNameError, "'hcc_ref'",
         "'hcc_reference'"),
    toml("toml-base-of-another-kind", "drugs", HEAD, UnknownNameError, "no drug 'hcc_reference'", "doxorubicin"),
    toml("toml-base-number", "patients", HEAD.replace('"hcc_reference"', "3"), FileError, "base must be"),
    toml("toml-base-itself", "patients", HEAD.replace("hcc_reference", "mine.toml"), FileError,
        "leads back to the file"),
    toml("toml-base-climbs-out", "patients", HEAD.replace("hcc_reference", "../drugs/doxorubicin"), UnknownNameError,
         "'../drugs/doxorubicin'", "hcc_reference"),
    toml("toml-base-no-file", "patients", HEAD.replace("hcc_reference", "../no.toml"), FileError, "../no.toml"),
    # values and origins
    toml("toml-bool", "patients", HEAD + "bsa = true\n", ParameterError, "patient.bsa", "True (bool)", "[0.001, 4] m2"),
    toml("toml-nan", "patients", HEAD + "bsa = nan\n", ParameterError, "patient.bsa = nan m2", "[0.001, 4] m2"),
    toml("toml-negative", "patients", HEAD + "bsa = -1\n", ParameterError, "patient.bsa = -1 m2", "[0.001, 4] m2"),
    toml("toml-date", "patients", HEAD + "bsa = 2020-01-01\n", ParameterError, "patient.bsa", "(date)"),
    toml("toml-lists", "patients", HEAD + "bsa = [1.8, [1.9]]\n", ParameterError, "patient.bsa[1]", "[1.9] (list)"),
    toml("toml-text-unit", "patients", HEAD + 'bsa = "1.8 kg"\n', UnitError, "patient.bsa", "'kg' (mass)", "'m2'"),
    toml("toml-flow-times-60", "patients", HEAD + '[liver]\nflow = "78 L/min"\n', PlausibilityWarning,
         "mine.toml", "patient.liver.flow: 78000 mL/min", "[400, 2200] mL/min"),
    flow("toml-own-range-in-a-wrong-unit", "mL/min", "L/h", PlausibilityWarning, "21666.7 mL/min",
        "[400, 2200] mL/min"),
    flow("toml-wrong-unit", '"mL/min"', '"kg"', UnitError, "[liver.flow]", "'kg' (mass)", "'mL/min'"),
    flow("toml-no-unit", 'unit = "mL/min"\n', "", FileError, "[liver.flow]", "no unit", "'mL/min'"),
    flow("toml-no-value", "value = 1300\n", "", FileError, "[liver.flow] has no value"),
    flow("toml-no-kind", 'kind = "measured"\n', "", FileError, "[liver.flow] has no kind", "measured, fitted"),
    flow("toml-kind-unknown", '"measured"', '"measurd"', FileError, "[liver.flow]", "'measurd'", "'measured'"),
    flow("toml-kind-list", '"measured"', "[1]", FileError, "[liver.flow]", "kind [1]"),
    flow("toml-origin-key", "rows", "row", FileError, "[liver.flow]", "unknown key 'row'", "'rows'"),
    flow("toml-no-evidence", 'rows = ["P001"]\n', "", FileError, "[liver.flow] is measured",
        "evidence rows or a source"),
    flow("toml-rows-text", '["P001"]', '"P001"', FileError, "[liver.flow] rows must be a list"),
    flow("toml-assumed-without-note", '"measured"', '"assumed"', FileError, "[liver.flow] is assumed",
        "note and a range"),
    flow("toml-assumed-without-range", 'range = [1200, 1500]\nkind = "measured"', 'note = "x"\nkind = "assumed"',
         FileError, "[liver.flow] is assumed", "note and a range"),
    flow("toml-range-reversed", "[1200, 1500]", "[1500, 1200]", FileError, "[liver.flow] range", "lower first"),
    flow("toml-range-nan", "[1200, 1500]", "[nan, 1500]", FileError, "[liver.flow] range", "two numbers"),
    flow("toml-outside-own-range", "1300", "1600", FileError, "[liver.flow] value 1600", "[1200, 1500] mL/min"),
    flow("toml-out-of-legal-range", "1300\n", "-1300\n", ParameterError, "flow = -1300 mL/min", "[0, 100000] mL/min"),
    toml("toml-gompertz", "patients", HEAD + '[tumour]\ngrowth = "gompertz"\ngrowth_capacity = 100\n', ParameterError,
         "growth_capacity", "113.1 mL"),
    toml("toml-law-shape", "carriers", HEAD.replace("hcc_reference", "beads")
         + '[release]\nlaw = "weibull"\nscale = 1\nshape = 0.01\n', ParameterError, "release.shape = 0.01",
         "[0.05, 20]"),
    toml("toml-for-key", "carriers", HEAD.replace("hcc_reference", "beads") + "[for.cisplatin]\nocclusion = 1\n",
        FileError,
         "[for.cisplatin]", "unknown key 'occlusion'", "prompt_fraction"),
)  # fmt: skip

GIVE = '{ drug = "doxorubicin", dose = "50 mg", route = "hepatic_artery", carrier = "beads", duration = "15 min" }'
SESSION = f'[[session]]\nat = "0 d"\ngive = [{GIVE}]\nembolic = "gelatin_sponge"\n'
RUN = f'schema = 1\ntitle = "One"\npatient = "hcc_reference"\nuntil = "28 d"\nreview_days = 7\n{SESSION}'


def run(id: str, old: str, new: str, error: type[BaseException] | None, *fragments: str) -> Case:
    """A scenario file, changed in one place."""
    assert old in RUN
    return scenario(id, RUN.replace(old, new, 1), error, *fragments)


SCENARIO_FILES = (
    scenario("run-empty", "", FileError, "run.toml", "is empty"),
    scenario("run-bom", BOM + RUN.encode(), FileError, "run.toml", "byte-order mark"),
    scenario("run-crlf-works", RUN.replace("\n", "\r\n"), None, "hcc_reference", "672.0"),
    scenario("run-comma", RUN.replace('"50 mg"', "50,5"), FileError, "run.toml", "not valid TOML", "line 8"),
    scenario("run-comma-in-text", RUN.replace("50 mg", "50,5 mg"), UnitError, "session 1", "dose.doxorubicin",
        "'50,5 mg'"),
    run("run-no-schema", "schema = 1\n", "", FileError, "run.toml", "no schema"),
    run("run-title", '"One"', "1", FileError, "run.toml", "title = 1"),
    run("run-key", "patient =", "patiant =", FileError, "unknown key 'patiant'", "'patient'"),
    run("run-no-patient", 'patient = "hcc_reference"\n', "", FileError, "'patient' is missing"),
    run("run-patient-unknown", '"hcc_reference"', '"hcc_refrence"', UnknownNameError, "'hcc_refrence'",
        "'hcc_reference'"),
    run("run-patient-list", '"hcc_reference"', "[1]", InputError, "patient: expected a Patient", "[1]"),
    run("run-climbs-out", '"hcc_reference"', '"../../patients/pig"', UnknownNameError, "'../../patients/pig'", "pig"),
    run("run-no-file", '"hcc_reference"', '"../../x.toml"', FileError, "run.toml", "../../x.toml"),
    run("run-folder-for-file", '"hcc_reference"', '"/"', UnknownNameError, "no patient '/'"),
    run("run-until-number", '"28 d"', "28", FileError, "until = 28", "unit", "'28 d'"),
    run("run-until-negative", '"28 d"', '"-28 d"', ParameterError, "until = -672 h", "(0, 1e+06] h"),
    run("run-until-unit", '"28 d"', '"28 mg"', UnitError, "until", "'mg' (mass)", "(time)"),
    run("run-until-nan", '"28 d"', '"nan d"', ParameterError, "until = nan h", "(0, 1e+06] h"),
    run("run-review-bool", "review_days = 7", "review_days = true", ParameterError, "review_days", "True (bool)"),
    run("run-review-0", "review_days = 7", "review_days = 0", ParameterError, "review_days = 0 d", "(0, 100000] d"),
    run("run-no-session", SESSION, "", FileError, "run.toml", "at least one [[session]]"),
    run("run-session-table", "[[session]]", "[session]", FileError, "session must be a list of tables"),
    run("run-no-at", 'at = "0 d"\n', "", FileError, "session 1 has no 'at'"),
    run("run-at-nan", '"0 d"', "nan", ParameterError, "session 1", "session.at = nan h", "[0, 1e+06] h"),
    run("run-at-negative", '"0 d"', '"-1 d"', ParameterError, "session 1", "session.at = -24 h"),
    run("run-session-key", "embolic =", "embolics =", FileError, "session 1", "'embolics'", "'embolic'"),
    run("run-embolic-bool", '"gelatin_sponge"', "true", InputError, "session 1", "embolic: expected an Embolic",
        "True"),
    run("run-embolic-unknown", '"gelatin_sponge"', '"sponge"', UnknownNameError, "session 1", "no embolic 'sponge'"),
    run("run-give-nothing", f"give = [{GIVE}]\nembolic = \"gelatin_sponge\"\n", "", RegimenError, "session 1",
        "needs a dose"),
    run("run-give-text", GIVE, '"doxorubicin"', FileError, "session 1", "give must be a table"),
    run("run-dose-key", "dose =", "does =", FileError, "session 1, dose 1", "'does'", "'dose'"),
    run("run-dose-bool", '"50 mg"', "true", ParameterError, "session 1", "dose.doxorubicin", "True (bool)"),
    run("run-dose-grams", '"50 mg"', '"50 g"', PlausibilityWarning, "dose.doxorubicin: 50000 mg", "150] mg"),
    run("run-dose-empty", 'drug = "doxorubicin", dose = "50 mg"', "dose = {}", RegimenError, "session 1",
        "one amount a drug"),
    run("run-dose-and-table", '"50 mg"', "{ cisplatin = 3 }", FileError, "session 1, dose 1", "'drug'"),
    run("run-drug-unknown", '"doxorubicin"', '"doxorubicine"', UnknownNameError, "session 1", "'doxorubicin'"),
    run("run-route", '"hepatic_artery"', '"artery"', ParameterError, "session 1", "dose.route = 'artery'",
        "hepatic_artery"),
    run("run-beads-in-a-vein", '"hepatic_artery"', '"iv"', RegimenError, "session 1", "'beads'", "vein"),
    run("run-hours-for-minutes", '"15 min"', '"15 h"', PlausibilityWarning, "dose.duration: 15 h", "[0.02, 2] h"),
    scenario("run-sessions-overlap", RUN + SESSION.replace("0 d", "5 min"), RegimenError, "run.toml", "session 2",
        "0.25 h"),
    scenario("run-set-path", RUN + '[set]\n"patient.tumor.diameter" = 50\n', UnknownNameError,
        "'patient.tumour.diameter'"),
    scenario("run-set-bool", RUN + '[set]\n"patient.bsa" = true\n', ParameterError, "patient.bsa", "True (bool)"),
    scenario("run-set-twice", RUN + '[set]\n"patient.bsa" = 1.8\n[set.patient]\nbsa = 1.7\n', FileError,
        "'patient.bsa'",
             "twice"),
)  # fmt: skip

CURVE = "time_h,released_percent\n0,0\n1,10\n2,20\n4,35\n8,55\n"


def curve(id: str, old: str, new: str, error: type[BaseException] | None, *fragments: str) -> Case:
    """A release curve, changed in one place."""
    assert old in CURVE
    return csv(id, CURVE.replace(old, new, 1), error, "curve.csv" if error else "", *fragments)


CURVES = (
    csv("csv-empty", "", FileError, "curve.csv", "is empty", "time_h"),
    csv("csv-bom", BOM + CURVE.encode(), FileError, "curve.csv", "byte order mark"),
    csv("csv-utf-16", CURVE.encode("utf-16"), FileError, "curve.csv", "UTF-8"),
    csv("csv-crlf-works", CURVE.replace("\n", "\r\n"), None, "first_order"),
    csv("csv-semicolons", CURVE.replace(",", ";"), FileError, "curve.csv", "separated by commas", "point"),
    csv("csv-tabs", CURVE.replace(",", "\t"), FileError, "curve.csv", "separated by commas"),
    csv("csv-header-only", CURVE.split("\n")[0] + "\n", FileError, "curve.csv", "no values"),
    csv("csv-no-header", CURVE.partition("\n")[2], FileError, "unknown column '0'", "time_h"),
    curve("csv-time-unit", "time_h", "time_s", FileError, "unknown column 'time_s'", "time_min"),
    curve("csv-no-time", "time_h", "released_percent_2", FileError, "columns are", "time_h"),
    curve("csv-column-twice", "released_percent", "released_percent,released_percent", FileError, "names of their own"),
    curve("csv-mixed", "released_percent", "released_percent,released_fraction", FileError, "mixed"),
    curve("csv-decimal-comma", "2,20", '2,"20,5"', FileError, "line 4, released_percent", "'20,5'", "20.5"),
    curve("csv-bare-decimal-comma", "2,20", "2,20,5", FileError, "line 4", "3 values for 2 columns", "point"),
    curve("csv-text", "2,20", "2,ten", FileError, "line 4, released_percent", "'ten'"),
    curve("csv-nothing", "2,20", "2,", FileError, "line 4, released_percent", "nothing"),
    curve("csv-underscore", "2,20", "2,2_0", FileError, "line 4, released_percent", "'2_0'"),
    curve("csv-nan", "2,20", "2,nan", ParameterError, "line 4", "nan %", "[0, 115] %"),
    curve("csv-inf", "2,20", "2,inf", ParameterError, "line 4", "inf %", "[0, 115] %"),
    curve("csv-nan-time", "2,20", "nan,20", ParameterError, "line 4", "nan h", "[0, inf)"),
    curve("csv-negative-time", "0,0", "-1,0", ParameterError, "line 2", "-1 h", "[0, inf)"),
    curve("csv-negative", "2,20", "2,-20", ParameterError, "line 4", "-20 %", "[0, 115] %"),
    curve("csv-above-all", "2,20", "2,120", ParameterError, "line 4", "120 %", "[0, 115] %"),
    curve("csv-percent-as-fraction", "released_percent", "released_fraction", ParameterError, "line 3", "1000 %",
          "released_percent"),
    csv("csv-fraction-as-percent", "time_h,released_percent\n1,0.1\n2,0.2\n4,0.35\n", PlausibilityWarning, "curve.csv",
        "0.35 %", "released_fraction"),
    curve("csv-unsorted", "2,20", "0.5,20", ParameterError, "line 4", "0.5 h", "increase"),
    curve("csv-time-twice", "2,20", "1,20", ParameterError, "line 4", "1 h", "repeated"),
    curve("csv-at-0", "0,0", "0,5", ParameterError, "line 2", "5 %", "prompt_fraction"),
    csv("csv-quote", CURVE + '"9,60\n', FileError, "curve.csv", "not a CSV file"),
    csv("csv-null", CURVE.encode() + b"9,\x0060\n", FileError, "curve.csv"),
)  # fmt: skip
