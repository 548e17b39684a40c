"""What commands share: options of a treatment, values set by hand, progress, and printing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..inputs.arguments import mixture, path_values

if TYPE_CHECKING:
    from ..inputs.scenario import Scenario

DEFAULT_DRUG, DEFAULT_PATIENT, DEFAULT_CATHETER = "doxorubicin", "hcc_reference", "lobar"
READING_DAYS = 28.0


def treatment_options(parser: argparse.ArgumentParser) -> None:
    """Add what says who is treated with what."""
    add = parser.add_argument
    add("--drug", default=DEFAULT_DRUG, metavar="NAME", help="name or TOML file; several: NAME=MG,NAME=MG")
    add("--dose", metavar="MG", help="dose in mg or with a unit; the drug's usual dose by default")
    add("--patient", default=DEFAULT_PATIENT, metavar="NAME", help="name or TOML file")
    add("--catheter", default=DEFAULT_CATHETER, metavar="NAME", help="name or TOML file")
    add("--arms", metavar="A,B", help="only these arms")


def setting_option(parser: argparse.ArgumentParser) -> None:
    """Add `--set PATH=VALUE`."""
    help_ = "set any value, such as patient.tumour.diameter='50 mm'; may be repeated"
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="settings", help=help_)


def treatment_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """What `compare` and `arm_scenarios` take, from the command line."""
    drug: Any = options.drug
    dose = options.dose
    if "," in drug or "=" in drug:
        if dose is not None:
            raise InputError("--dose goes with a single drug; write --drug NAME=MG,NAME=MG")
        drug = mixture(drug)
    return {
        "patient": options.patient,
        "drug": drug,
        "dose_mg": dose,
        "catheter": options.catheter,
        "arms": None if options.arms is None else [name.strip() for name in options.arms.split(",")],
        "settings": path_values(options.settings),
    }


def scenario_of_file(file: str, settings: list[str]) -> tuple[Scenario, float]:
    """A scenario file with values set, and its horizon: the file's, else 28 d after the last session."""
    from ..inputs.scenario_file import load_scenario

    scenario, until_h = load_scenario(file)
    scenario = scenario.with_values(path_values(settings))
    if until_h is None:
        last: Any = scenario.regimen.sessions[-1].at
        until_h = 24.0 * READING_DAYS + (float(last) if scenario.size == 1 else float(last.max()))
    return scenario, until_h


def days(text: str) -> float:
    """A follow-up in days, from a text with a unit or a bare number of days."""
    from ..inputs.record import FieldSpec, number_value

    spec = FieldSpec("number", "follow-up", name="until", unit="d", low=0, high=4e4, low_open=True)
    found = number_value(spec, text, "until")
    assert isinstance(found, float)
    return found


def write(text: str) -> None:
    """Print in what the terminal or pipe can show."""
    from ..report.text import needs_ascii, plain

    print(plain(text) if needs_ascii(sys.stdout) else text)


def progress(what: str) -> Callable[[int, int], None]:
    """A reporter of progress on stderr: every step on a terminal, else the end only."""

    def report(done: int, of: int) -> None:
        if sys.stderr.isatty() or done == of:
            print(f"\rpkmodel: {done} of {of} {what}", end="\n" if done == of else "", file=sys.stderr, flush=True)

    return report
