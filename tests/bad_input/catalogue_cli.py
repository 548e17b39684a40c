"""Bad command lines: exit code 2, one line on stderr, nothing on stdout."""

from __future__ import annotations

from cases import Case, cli
from catalogue_files import CATHETER, HEAD, RUN

from pkmodel.errors import FileError, InputError, ParameterError, PlausibilityWarning, RegimenError, UnknownNameError

ONE = ["compare", "--arms", "iv"]
DRUG = 'schema = 1\nbase = "doxorubicin"\nname = "mine"\n[cl_total]\nvalue = 53\nunit = "L/h"\nkind = "measured"\n'


def one(id: str, *options: str, error: type[BaseException] | None = InputError, says: tuple[str, ...]) -> Case:
    """A comparison of one arm with options."""
    return cli(id, [*ONE, *options], error, *says)


def setting(id: str, given: str, *says: str, error: type[BaseException] | None = InputError) -> Case:
    """A comparison of one arm with ``--set``."""
    return one(id, "--set", given, error=error, says=says)


COMMANDS = (
    cli("cli-command", "compre", InputError, "invalid choice: 'compre'", "compare"),
    cli("cli-option", "compare --bogus", InputError, "unrecognized arguments: --bogus", "--help"),
    cli("cli-two-lines", ["compare", "--bogus\nx"], InputError, "--bogus\\nx"),
    cli("cli-extra", "compare extra", InputError, "unrecognized arguments: extra"),
    cli("cli-argument", "compare --dose", InputError, "--dose", "expected one argument"),
    # uncertainty and validation
    one("cli-draws-one", "--uncertainty", "1", error=ParameterError, says=("draws = 1", "whole number from 2")),
    one("cli-draws-negative", "--uncertainty=-3", error=ParameterError, says=("draws = -3", "whole number from 2")),
    one("cli-draws-text", "--uncertainty", "many", says=("--uncertainty", "'many'")),
    cli("cli-validate-draws", "validate --draws 1", ParameterError, "draws = 1", "whole number from 2"),
    cli("cli-validate-both", "validate --json --csv -", InputError, "both want stdout"),
    cli("cli-validate-path", "validate --set drug.doxorubicin.cl_totl=1", UnknownNameError, "cl_total"),
    cli("cli-validate-value", ["validate", "--set", "drug.doxorubicin.cl_total=1 kg"], InputError, "kg", "L/h"),
    cli("cli-validate-option", "validate --file x", InputError, "unrecognized arguments"),
    # doses and drugs
    one("cli-dose-nan", "--dose", "nan", says=("dose.doxorubicin = nan mg", "[0, 1e+06] mg")),
    one("cli-dose-inf", "--dose", "inf", says=("dose.doxorubicin = inf mg", "[0, 1e+06] mg")),
    one("cli-dose-negative", "--dose=-5", says=("dose.doxorubicin = -5 mg", "[0, 1e+06] mg")),
    one("cli-dose-empty", "--dose", "", says=("dose.doxorubicin", "'' is not a number")),
    one("cli-dose-comma", "--dose", "1,5", says=("dose.doxorubicin", "'1,5'", "decimal comma")),
    one("cli-dose-unit", "--dose", "5 L", says=("dose.doxorubicin", "'L' (volume)", "'mg' (mass)")),
    one("cli-dose-grams", "--dose", "50 g", error=PlausibilityWarning, says=("dose.doxorubicin: 50000 mg", "150] mg")),
    one("cli-dose-micrograms", "--dose", "50 ug", error=PlausibilityWarning, says=("0.05 mg", "150] mg")),
    one("cli-drug-unknown", "--drug", "doxorubicine", error=UnknownNameError, says=(
        "pkmodel: no drug 'doxorubicine'; did you mean 'doxorubicin'?",)),
    one("cli-drug-empty", "--drug", "", says=("no drug ''", "cisplatin, doxorubicin")),
    one("cli-mixture-unknown", "--drug", "doxorubicin=50,cisplatine=60", says=("no drug 'cisplatine'", "'cisplatin'")),
    one("cli-mixture-twice", "--drug", "doxorubicin=50,doxorubicin=20", says=("--drug names 'doxorubicin' twice",)),
    one("cli-mixture-no-dose", "--drug", "doxorubicin=", says=("--drug 'doxorubicin='", "NAME=MG")),
    one("cli-mixture-and-dose", "--drug", "doxorubicin=50", "--dose", "5", says=("--dose", "NAME=MG")),
    one("cli-animal", "--patient", "pig", says=("doxorubicin", "--dose", "pig")),
    one("cli-patient", "--patient", "pgi", says=("no patient 'pgi'", "'pig'")),
    one("cli-patient-climbs-out", "--patient", "../pig", says=("no patient '../pig'", "'pig'")),
    one("cli-patient-folder", "--patient", ".", says=("no patient '.'", "hcc_reference")),
    one("cli-patient-no-file", "--patient", "no.toml", error=FileError, says=("no file 'no.toml'",)),
    one("cli-catheter", "--catheter", "lobr", says=("no catheter 'lobr'", "'lobar'")),
    cli("cli-arm", "compare --arms emulson", UnknownNameError, "no arm 'emulson'", "'emulsion'"),
    cli("cli-arm-empty", ["compare", "--arms", "iv,"], UnknownNameError, "no arm ''"),
    cli("cli-arm-twice", "compare --arms iv,iv", ParameterError, "'iv' 2 times"),
    # horizon
    one("cli-until-negative", "--until=-3 d", says=("until = -3 d", "(0, 40000] d")),
    one("cli-until-nan", "--until", "nan", says=("until = nan d", "(0, 40000] d")),
    one("cli-until-unit", "--until", "1 kg", says=("until", "'kg' (mass)", "'d' (time)")),
    one("cli-until-comma", "--until", "1,5 d", says=("until", "'1,5 d'", "decimal comma")),
    one("cli-until-too-soon", "--until", "1 min", error=RegimenError, says=("session 1 lasts until 0.25 h",
        "0.0166667 h")),
    # --set
    setting("cli-set-no-equals", "patient.bsa", "--set 'patient.bsa'", "PATH=VALUE"),
    setting("cli-set-no-path", "=5", "no path ''"),
    setting("cli-set-no-value", "patient.bsa=", "patient.bsa", "'' is not a number", "[0.001, 4] m2"),
    setting("cli-set-unknown", "patient.tumor.diameter=5", "did you mean 'patient.tumour.diameter'"),
    setting("cli-set-two-lines", "a\nb=5", "'a\\nb'"),
    setting("cli-set-range", "patient.bsa=9", "patient.bsa = 9 m2", "[0.001, 4] m2"),
    setting("cli-set-cm", "patient.tumour.diameter=60 cm", "patient.tumour.diameter = 600 mm", "[0, 300] mm"),
    setting("cli-set-bool", "patient.bsa=True", "patient.bsa", "'True' is not a number"),
    setting("cli-set-list", "patient.bsa=[1,2]", "patient.bsa", "'[1,2]' is not a number"),
    setting("cli-set-choice", "patient.species=cat", "patient.species = 'cat'", "dog, human, mouse, pig, rabbit, rat"),
    setting("cli-set-name", "patient=pigg", "no patient 'pigg'", "'pig'"),
    setting("cli-set-session", "session.2.dose=5", "session.2.dose", "session.1.dose"),
    setting("cli-set-no-carrier", "carrier.occlusion=0.5", "carrier.occlusion", "no session has a carrier"),
    setting("cli-set-impossible", "drug.cl_total=10", "drug.extraction 0.3478", "31.2 L/h", "drug.cl_total 10 L/h"),
    setting("cli-set-flow", "patient.liver.flow=78 L/min", "patient.liver.flow: 78000 mL/min", "[400, 2200] mL/min",
            error=PlausibilityWarning),
    setting("cli-set-no-flow", "patient.liver.flow=0", "patient.liver.flow: 0 mL/min", "[400, 2200] mL/min",
            error=PlausibilityWarning),
    one("cli-set-twice", "--set", "patient.bsa=1.8", "--set", "patient.bsa=1.7", says=("--set", "'patient.bsa' twice")),
    cli("cli-set-idle", "compare --arms beads --set carrier.release.rate=0.1", ParameterError, "carrier.release.rate",
        "no effect", "'biexponential'"),
    cli("cli-artery-closed", "compare --arms beads --set patient.liver.flow=0", RegimenError, "'beads'",
        "arterial flow"),
    # files
    cli("cli-run-nothing", "run", InputError, "SCENARIO.toml"),
    cli("cli-run-folder", "run .", FileError, "cannot read '.'", "directory"),
    cli("cli-run-no-file", "run runn.toml", FileError, "no file 'runn.toml'", "'run.toml'", files={"run.toml": RUN}),
    cli("cli-run-empty", "run run.toml", FileError, "run.toml is empty", files={"run.toml": ""}),
    cli("cli-run-bom", "run run.toml", FileError, "byte-order mark", files={"run.toml": "\ufeff" + RUN}),
    cli("cli-run-crlf-works", "run run.toml", None, "pkmodel run run.toml", files={"run.toml": RUN.replace("\n",
        "\r\n")}),
    cli("cli-run-syntax", "run run.toml", FileError, "not valid TOML", "line 3",
        files={"run.toml": "schema = 1\n\n[set\n"}),
    cli("cli-run-population", "run run.toml", ParameterError, "2 lanes", files={"run.toml": RUN.replace('"50 mg"',
        "[1, 2]")}),
    cli("cli-run-set", "run run.toml --set patient.bsa=x", ParameterError, "patient.bsa", "'x'",
        files={"run.toml": RUN}),
    cli("cli-run-until", "run run.toml --until 0", ParameterError, "until = 0 d", files={"run.toml": RUN}),
    cli("cli-drug-file", "compare --arms iv --drug mine.toml", FileError, "mine.toml", "'bsaa'", files={
        "mine.toml": 'schema = 1\nbase = "doxorubicin"\nbsaa = 1\n'}),
    cli("cli-patient-file", "compare --arms iv --patient mine.toml", ParameterError, "mine.toml", "bsa = 9 m2", files={
        "mine.toml": HEAD + "bsa = 9\n"}),
    cli("cli-catheter-file", "compare --arms iv --catheter mine.toml", ParameterError, "coverage = 2", "[0, 1]", files={
        "mine.toml": CATHETER.replace("coverage = 1", "coverage = 2")}),
    cli("cli-csv-no-folder", "compare --arms iv --csv no/x.csv", FileError, "no/x.csv", "No such file"),
    cli("cli-csv-folder", "compare --arms iv --csv .", FileError, ".", "directory"),
    cli("cli-json-and-csv", "compare --json --csv -", InputError, "--json", "--csv -", "stdout"),
    cli("cli-new-exists", "new scenario run.toml", FileError, "run.toml exists already", files={"run.toml": RUN}),
    cli("cli-new-no-folder", "new scenario no/run.toml", FileError, "no/run.toml", "No such file"),
    # params
    cli("cli-show-unknown", "params show doxorubicine", UnknownNameError, "'doxorubicine'", "'doxorubicin'"),
    cli("cli-show-path", "params show drug.doxorubicin.cl_totl", UnknownNameError, "'cl_totl'", "'cl_total'"),
    cli("cli-show-nothing", "params show", InputError, "--run"),
    cli("cli-show-set", "params show patient.bsa --set patient.bsa=1.7", InputError, "--set has no effect", "--run"),
    cli("cli-list-kind", "params list --kind measurd", UnknownNameError, "'measurd'", "'measured'"),
    cli("cli-cite-row", "params cite --drug mine.toml", UnknownNameError, "no evidence row 'dox9999'", "dox", files={
        "mine.toml": DRUG + 'rows = ["dox9999"]\n'}),
    cli("cli-show-row", "params show drug.cl_total --drug mine.toml", UnknownNameError, "no evidence row 'dox9999'",
        files={
        "mine.toml": DRUG + 'rows = ["dox9999"]\n'}),
)  # fmt: skip
