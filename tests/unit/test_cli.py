"""The command line: data on stdout, messages on stderr, exit codes 0, 2 and 3."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pkmodel import __version__
from pkmodel.cli import main
from pkmodel.errors import RunError
from pkmodel.report.starter import SCENARIO
from pkmodel.study.arms import ARMS
from pkmodel.study.comparison import EFFECT_KEYS, EXPOSURE_KEYS

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Return the file that `pkmodel new scenario` writes."""
    path = tmp_path / "mine.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def refused(capsys: Capture, *arguments: object) -> str:
    """Run a command that must exit with 2, and return its message."""
    assert main([str(each) for each in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def printed(capsys: Capture, *arguments: object) -> str:
    """Run a command that must succeed without a message, and return what it prints."""
    assert main([str(each) for each in arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_compare_prints_all_arms(capsys: Capture) -> None:
    out = printed(capsys, "compare")
    assert all(f"\n{arm} " in out for arm in ARMS)
    # with the defaults the hints need no options
    assert "pkmodel params list --assumed\n" in out
    assert "pkmodel params cite\n" in out


def test_hints_repeat_the_options(capsys: Capture) -> None:
    options = ("--drug", "cisplatin", "--arms", "beads", "--set", "patient.tumour.diameter=50 mm")
    out = printed(capsys, "compare", *options)
    hint = out.partition("pkmodel params cite ")[2].partition("\nNext")[0].split()
    assert " ".join(hint) == "--drug cisplatin --arms beads --set 'patient.tumour.diameter=50 mm'"
    assert "patient.tumour.diameter" in printed(capsys, "params", "list", "--kind", "user", *options)


def test_json(capsys: Capture) -> None:
    found = json.loads(printed(capsys, "compare", "--json", "--arms", "iv,bland_embolisation"))
    assert list(found) == ["rows", "reasons", "manifest"]
    assert [row["arm"] for row in found["rows"]] == ["iv", "bland_embolisation"]
    assert {"arm", *EXPOSURE_KEYS, *EFFECT_KEYS, "balance_error", "n_parameters", "n_assumed", "status"} <= set(
        found["rows"][0]
    )
    assert found["rows"][1]["targeting_index"] is None
    assert found["reasons"][0]["targeting_index"] == "no drug given"
    assert found["manifest"]["until_days"] == 28.0


def test_csv_to_stdout_and_to_a_file(capsys: Capture, tmp_path: Path) -> None:
    target = tmp_path / "arms.csv"
    text = printed(capsys, "compare", "--csv", "-", "--arms", "iv")
    assert next(csv.DictReader(io.StringIO(text)))["arm"] == "iv"
    assert "EXPOSURE" in printed(capsys, "compare", "--csv", target, "--arms", "iv")
    assert target.read_text(encoding="utf-8") == text


def test_doses(capsys: Capture) -> None:
    def given(*options: str) -> dict[str, float]:
        out = printed(capsys, "compare", "--json", "--arms", "iv", *options)
        return dict(json.loads(out)["manifest"]["drugs"])

    assert given("--dose", "40") == {"doxorubicin": 40.0}
    assert given("--dose", "0.04 g") == {"doxorubicin": 40.0}
    assert given("--drug", "doxorubicin=50,cisplatin=60 mg") == {"doxorubicin": 50.0, "cisplatin": 60.0}
    assert given("--drug", "doxorubicin,cisplatin") == {"doxorubicin": 50.0, "cisplatin": 100.0}
    assert given("--patient", "pig", "--dose", "20") == {"doxorubicin": 20.0}


def test_until(capsys: Capture) -> None:
    for text in ("12 h", "0.5", "0.5 d"):
        out = printed(capsys, "compare", "--json", "--arms", "iv", "--until", text)
        assert json.loads(out)["manifest"]["until_days"] == 0.5


def test_wrong_names_and_values(capsys: Capture) -> None:
    assert refused(capsys, "compare", "--drug", "doxorubicine") == (
        "pkmodel: no drug 'doxorubicine'; did you mean 'doxorubicin'? "
        "(cisplatin, doxorubicin, fluorouracil, mitomycin_c)\n"
    )
    for arguments, message in (
        (["compare", "--patient", "pig"], "--dose"),
        (["compare", "--arms", "emulson"], "did you mean 'emulsion'"),
        (["compare", "--set", "patient.tumor.diameter=3"], "did you mean 'patient.tumour.diameter'"),
        (["compare", "--set", "patient.bsa"], "PATH=VALUE"),
        (["compare", "--set", "patient.bsa=9"], "legal range"),
        (["compare", "--until", "-3 d"], "legal range"),
        (["compare", "--until", "1 kg"], "until"),
        (["compare", "--dose", "50", "--drug", "doxorubicin=5"], "--dose goes with a single drug"),
        (["compare", "--json", "--csv", "-"], "both want stdout"),
        (["compare", "--bogus"], "unrecognized arguments"),
        (["compre"], "invalid choice"),
        (["compare", "--csv", "/no/such/folder/x.csv"], "No such file"),
        (["run", "nowhere.toml"], "nowhere.toml"),
        (["params", "show"], "--run"),
        (["params", "list", "--kind", "guessed"], "choose from"),
        (["new", "poem"], "invalid choice"),
    ):
        text = refused(capsys, *arguments)
        assert message in text and text.startswith("pkmodel: ") and text.count("\n") == 1, text


def test_warnings_are_lines_said_once(capsys: Capture) -> None:
    assert main(["compare", "--arms", "iv,emulsion", "--set", "patient.bsa=3.5"]) == 0
    err = capsys.readouterr().err
    assert err.startswith("pkmodel: warning: patient.bsa: 3.5 m2 outside the plausible range")
    assert err.count("\n") == 1


def test_a_failed_run_exits_with_3(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RunError("arm 'iv' failed: non-finite values")

    monkeypatch.setattr("pkmodel.study.compare.compare", fail)
    assert main(["compare"]) == 3
    assert capsys.readouterr().err == "pkmodel: arm 'iv' failed: non-finite values\n"


def test_interrupted(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pkmodel.study.compare.compare", interrupt)
    assert main(["compare"]) == 130


def test_new_scenario_runs_and_is_not_overwritten(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    target = Path("first.toml")
    assert main(["new", "scenario", str(target)]) == 0
    assert "pkmodel run" in capsys.readouterr().err
    assert printed(capsys, "new", "scenario") == target.read_text(encoding="utf-8")
    assert "exists already" in refused(capsys, "new", "scenario", target)
    out = printed(capsys, "run", target)
    assert out.startswith(f"pkmodel run {target}: doxorubicin 150 mg in all, 3 sessions, followed for 112 days")
    assert "\nfirst " in out
    assert f"pkmodel params cite --scenario {target}" in " ".join(out.split())


def test_run_options(capsys: Capture, scenario: Path, tmp_path: Path) -> None:
    target = tmp_path / "course.csv"
    options = ("--json", "--until", "85 d", "--set", "patient.tumour.diameter=30 mm", "--csv", target)
    found = json.loads(printed(capsys, "run", scenario, *options))
    assert found["manifest"]["until_days"] == 85.0
    assert found["manifest"]["inputs"]["patient.tumour.diameter"] == {"value": 30.0, "unit": "mm", "kind": "user"}
    assert found["rows"][0]["necrosis_percent"] is None  # the reading would be on day 112
    header = target.read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith("time_h,plasma_mg_per_l")


def test_run_without_horizon_goes_to_the_reading(capsys: Capture, scenario: Path) -> None:
    scenario.write_text(SCENARIO.replace('until = "112 d"', ""), encoding="utf-8")
    found = json.loads(printed(capsys, "run", scenario, "--json"))
    assert found["manifest"]["until_days"] == 112.0
    assert found["rows"][0]["necrosis_percent"] > 0.0


def test_run_refuses_what_cannot_be_done(capsys: Capture, scenario: Path) -> None:
    several = scenario.read_text().replace('"50 mm"', "[40, 50]")
    scenario.write_text(several, encoding="utf-8")
    assert "2 lanes" in refused(capsys, "run", scenario)
    scenario.write_text(SCENARIO, encoding="utf-8")
    assert "nothing can be injected" in refused(
        capsys, "run", scenario, "--set", "embolic.occlusion=1", "--set", "embolic.selectivity=1",
        "--set", "embolic.half_life=inf",
    )  # fmt: skip


def test_run_without_drug(capsys: Capture, scenario: Path) -> None:
    scenario.with_name("iv.toml").write_text(
        'schema = 1\npatient = "hcc_reference"\n[[session]]\nat = "0 d"\nembolic = "gelatin_sponge"\n', encoding="utf-8"
    )
    out = printed(capsys, "run", scenario.with_name("iv.toml"))
    assert "no drug, one session" in " ".join(out.split())  # wherever the line breaks
    assert "Necrosis at day 28: iv file" in out


def test_params(capsys: Capture, scenario: Path) -> None:
    assert "drug.doxorubicin.cl_total" in printed(capsys, "params", "list")
    assumed = printed(capsys, "params", "list", "--assumed", "--drug", "cisplatin", "--patient", "rabbit_vx2")
    assert "drug.cisplatin" in assumed and " measured " not in assumed
    assert "53.3 L/h" in printed(capsys, "params", "show", "drug.doxorubicin.cl_total")
    assert "drug.cisplatin.cl_total" in printed(capsys, "params", "show", "drug.cl_total", "--drug", "cisplatin")
    assert "session.1.dose.doxorubicin" in printed(capsys, "params", "show", "--run")
    assert "embolic.gelatin_sponge.occlusion" in printed(capsys, "params", "list", "--scenario", scenario)
    beads = printed(capsys, "params", "cite", "--arms", "beads")
    assert 0 < beads.count("\n") < printed(capsys, "params", "cite").count("\n")


def test_info_help_and_version(capsys: Capture) -> None:
    assert "hcc_reference" in printed(capsys, "info")
    assert "compare" in printed(capsys)
    assert "cite" in printed(capsys, "params")
    for arguments in (["--version"], ["--help"], ["compare", "--help"]):
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        assert exit_.value.code == 0
    assert __version__ in capsys.readouterr().out


def process(*arguments: str, encoding: str = "utf-8") -> subprocess.Popen[bytes]:
    """A command in a process of its own."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "pkmodel.cli", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


def test_plain_ascii_where_the_output_is_not_utf_8() -> None:
    out, err = process("compare", "--arms", "iv", encoding="ascii").communicate()
    assert err == b""
    assert b"ug*h/g" in out
    assert out.isascii()
    out, _ = process("compare", "--arms", "iv").communicate()
    assert "µg·h/g" in out.decode("utf-8")


def test_a_reader_that_leaves_is_no_error() -> None:
    running = process("params", "list")
    assert running.stdout is not None and running.stderr is not None
    running.stdout.close()
    assert running.stderr.read() == b""
    assert running.wait() == 0
    running.stderr.close()
