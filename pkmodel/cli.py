"""The command line: data on stdout, messages on stderr; exit codes 0 good, 2 wrong input, 3 failed, 4 not accepted.

Nothing heavy is imported before a command is known, so that help and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import warnings
from typing import TYPE_CHECKING, Any, NoReturn

from . import __version__
from .commands import add_validate, progress
from .errors import FileError, InputError, NotAcceptedError, PkmodelError, RunError
from .inputs.arguments import mixture, path_values

if TYPE_CHECKING:
    from .inputs.scenario import Scenario
    from .study.comparison import Comparison

DEFAULT_DRUG, DEFAULT_PATIENT, DEFAULT_CATHETER = "doxorubicin", "hcc_reference", "lobar"
READING_DAYS = 28.0


class _Parser(argparse.ArgumentParser):
    """Reports its errors like any other wrong input."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv : arguments without the program's name; those of the process by default
    """
    with warnings.catch_warnings():
        _announce_warnings()
        try:
            options = _parser().parse_args(argv)
            options.command(options)
            sys.stdout.flush()
        except RunError as error:
            return _complain(error, 3)
        except NotAcceptedError as error:
            return _complain(error, 4)
        except PkmodelError as error:
            return _complain(error, 2)
        except BrokenPipeError:
            # Whoever reads our output has seen enough; nothing may be written at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            return _complain(f"{error.filename}: {error.strerror}", 2)
        except KeyboardInterrupt:
            return _complain("interrupted", 130)
    return 0


def _complain(what: object, code: int) -> int:
    print(f"pkmodel: {_one_line(what)}", file=sys.stderr)
    return code


def _one_line(what: object) -> str:
    """A message on one line, also where it quotes an argument that has several."""
    return str(what).replace("\r", "\\r").replace("\n", "\\n")


def _announce_warnings() -> None:
    """Print every warning as one line, each only once (arms of a comparison share their patient)."""
    seen = set()

    def announce(message: Warning | str, *_: Any, **__: Any) -> None:
        text = str(message)
        if text not in seen:
            seen.add(text)
            print(f"pkmodel: warning: {_one_line(text)}", file=sys.stderr)

    warnings.simplefilter("always", UserWarning)
    warnings.showwarning = announce


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="pkmodel",
        description="Tumour and systemic exposure, ischaemia and necrosis after embolic drug delivery to the liver.",
        epilog="Group-level model output, not advice for a person. Start with: pkmodel compare",
    )
    parser.add_argument("--version", action="version", version=f"pkmodel {__version__}")
    parser.set_defaults(command=lambda _: print(parser.format_help(), end=""))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    compare = commands.add_parser("compare", help="ways of giving a drug, side by side")
    _treatment(compare)
    _setting(compare)
    compare.add_argument("--until", metavar="TIME", default=f"{READING_DAYS:g} d", help="follow-up, such as '28 d'")
    compare.add_argument("--check", action="store_true", help="solve again more tightly and print the achieved error")
    compare.add_argument("--uncertainty", type=int, default=0, metavar="N", help="90 %% intervals from N draws")
    _output(compare, "write the rows as CSV too; - for CSV on stdout instead of the table")
    compare.set_defaults(command=_compare)

    run = commands.add_parser("run", help="one treatment from a scenario file")
    run.add_argument("scenario", metavar="SCENARIO.toml")
    _setting(run)
    run.add_argument("--until", metavar="TIME", help="follow-up; else the file's, else 28 d after the last session")
    _output(run, "write the course over time as CSV")
    run.set_defaults(command=_run)

    new = commands.add_parser("new", help="a commented scenario file to start from")
    new.add_argument("what", choices=["scenario"])
    new.add_argument("file", nargs="?", metavar="FILE", help="where to write it; to stdout without")
    new.set_defaults(command=_new)

    add_validate(commands)
    _params(commands.add_parser("params", help="parameters, their evidence and what to cite"))
    info = commands.add_parser("info", help="versions and contents of the library")
    info.set_defaults(command=_info)
    return parser


def _params(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=lambda _: print(parser.format_help(), end=""))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    listing = commands.add_parser("list", help="the parameters that a comparison uses")
    kinds = listing.add_mutually_exclusive_group()
    kinds.add_argument("--assumed", dest="kind", action="store_const", const="assumed", help="only assumed ones")
    kinds.add_argument("--kind", metavar="KIND", help="only measured, fitted, derived, assumed or user")
    show = commands.add_parser("show", help="a library record, or one value and its evidence")
    show.add_argument("name", nargs="?", metavar="NAME|PATH", help="doxorubicin, drug.doxorubicin.cl_total, ...")
    show.add_argument("--run", action="store_true", help="everything that `pkmodel compare` puts in")
    cite = commands.add_parser("cite", help="the sources behind the parameters that a comparison uses")
    for command, action in ((listing, _list), (show, _show), (cite, _cite)):
        _treatment(command)
        command.add_argument("--scenario", metavar="FILE", help="of a scenario file instead")
        _setting(command)
        command.set_defaults(command=action)


def _treatment(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--drug", default=DEFAULT_DRUG, metavar="NAME", help="name or TOML file; several: NAME=MG,NAME=MG")
    add("--dose", metavar="MG", help="dose in mg or with a unit; the drug's usual dose by default")
    add("--patient", default=DEFAULT_PATIENT, metavar="NAME", help="name or TOML file")
    add("--catheter", default=DEFAULT_CATHETER, metavar="NAME", help="name or TOML file")
    add("--arms", metavar="A,B", help="only these arms")


def _setting(parser: argparse.ArgumentParser) -> None:
    help_ = "set any value, such as patient.tumour.diameter='50 mm'; may be repeated"
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="settings", help=help_)


def _output(parser: argparse.ArgumentParser, csv: str) -> None:
    parser.add_argument("--wide", action="store_true", help="all columns")
    parser.add_argument("--json", action="store_true", help="one JSON object: rows, reasons, manifest")
    parser.add_argument("--csv", metavar="FILE", help=csv)


def _arguments(options: argparse.Namespace) -> dict[str, Any]:
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


def _days(text: str) -> float:
    from .inputs.record import FieldSpec, number_value

    spec = FieldSpec("number", "follow-up", name="until", unit="d", low=0, high=4e4, low_open=True)
    found = number_value(spec, text, "until")
    assert isinstance(found, float)
    return found


def _write(text: str) -> None:
    """Print in what the terminal or pipe can show."""
    from .report.text import needs_ascii, plain

    print(plain(text) if needs_ascii(sys.stdout) else text)


def _report(comparison: Comparison, options: argparse.Namespace, **words: str | None) -> None:
    from .report.table import render

    _write(comparison.to_json() if options.json else render(comparison, wide=options.wide, **words))  # type: ignore[arg-type]


def _again(options: argparse.Namespace) -> str:
    """The options, as far as they are not the defaults, that make `params` speak of the same inputs."""
    named = {"drug": DEFAULT_DRUG, "patient": DEFAULT_PATIENT, "catheter": DEFAULT_CATHETER, "arms": None}
    changed = {name: getattr(options, name) for name, usual in named.items() if getattr(options, name) != usual}
    words = [word for name, value in changed.items() for word in (f"--{name}", value)]
    return "".join(f" {shlex.quote(word)}" for word in [*words, *_set_again(options)])


def _set_again(options: argparse.Namespace) -> list[str]:
    return [word for each in options.settings for word in ("--set", each)]


def _compare(options: argparse.Namespace) -> None:
    from .study.compare import compare

    if options.json and options.csv == "-":
        raise InputError("--json and --csv - both want stdout; write the CSV to a file")
    more = {"check": options.check, "uncertainty": options.uncertainty, "progress": progress("arms")}
    comparison = compare(**_arguments(options), until_days=_days(options.until), **more)
    if options.csv == "-":
        print(comparison.to_csv(), end="")
        return
    if options.csv is not None:
        comparison.to_csv(options.csv)
    _report(comparison, options, again=_again(options))


def _run(options: argparse.Namespace) -> None:
    from .course import simulate
    from .study.arms import REFERENCE_ARM, iv_twin
    from .study.compare import compare_scenarios

    scenario, until_h = _scenario(options.scenario, options.settings)
    if options.until is not None:
        until_h = 24.0 * _days(options.until)
    if options.csv is not None:
        simulate(scenario, until_h=until_h).to_csv(options.csv)
    name = os.path.basename(options.scenario).removesuffix(".toml")
    name = f"{name}_file" if name == REFERENCE_ARM else name
    comparison = compare_scenarios({name: scenario, REFERENCE_ARM: iv_twin(scenario)}, (name,), until_h=until_h)
    file = shlex.quote(options.scenario)
    again = "".join(f" {shlex.quote(word)}" for word in ("--scenario", options.scenario, *_set_again(options)))
    follow = f"pkmodel run {file} --set patient.tumour.diameter='30 mm' | --csv course.csv | --wide"
    _report(comparison, options, title=f"pkmodel run {file}", again=again, follow=follow)


def _scenario(file: str, settings: list[str]) -> tuple[Scenario, float]:
    """A scenario file with values set, and its horizon: the file's, else 28 d after the last session."""
    from .inputs.scenario_file import load_scenario

    scenario, until_h = load_scenario(file)
    scenario = scenario.with_values(path_values(settings))
    if until_h is None:
        last: Any = scenario.regimen.sessions[-1].at
        until_h = 24.0 * READING_DAYS + (float(last) if scenario.size == 1 else float(last.max()))
    return scenario, until_h


def _new(options: argparse.Namespace) -> None:
    from .report.starter import SCENARIO

    if options.file is None:
        print(SCENARIO, end="")
        return
    try:
        with open(options.file, "x", encoding="utf-8") as file:
            file.write(SCENARIO)
    except FileExistsError:
        raise FileError(f"{options.file} exists already; name another file, or remove it first") from None
    print(f"pkmodel: wrote {options.file}; next: pkmodel run {options.file}", file=sys.stderr)


def _rows(options: argparse.Namespace) -> list[Any]:
    """Rows of all parameters that the comparison of these options, or the scenario, would use."""
    from .inputs import library
    from .report.parameters import used
    from .study.arms import REFERENCE_ARM, arm_scenarios

    if options.scenario is not None:
        return used([_scenario(options.scenario, options.settings)[0]])
    arguments = _arguments(options)
    given, dose = arguments["drug"], arguments.pop("dose_mg")
    given = given if isinstance(given, dict) else {given: dose}
    # what a value rests on does not depend on the dose, so that animals need none here
    arguments["drug"] = {name: mg or library.drug(name).usual_dose for name, mg in given.items()}
    scenarios = arm_scenarios(**arguments)
    if arguments["arms"] is not None and REFERENCE_ARM not in arguments["arms"]:
        del scenarios[REFERENCE_ARM]
    return used(scenarios.values())


def _list(options: argparse.Namespace) -> None:
    from .report.parameters import listing

    _write(listing((row for row in _rows(options) if not isinstance(row[1], str)), kind=options.kind))


def _show(options: argparse.Namespace) -> None:
    from .inputs import library
    from .report.parameters import listing, show

    if options.run == (options.name is not None):
        raise InputError("name a library record or a path, or give --run (see pkmodel params show --help)")
    if options.run:
        _write(listing(_rows(options)))
        return
    if options.settings:
        raise InputError("--set has no effect on one value of the library; use params show --run, or params list")
    defaults = {"patient": library.patient(options.patient), "catheter": library.catheter(options.catheter)}
    if "," not in options.drug and "=" not in options.drug:
        defaults["drug"] = library.drug(options.drug)  # type: ignore[assignment]
    _write(show(options.name, defaults=defaults))


def _cite(options: argparse.Namespace) -> None:
    from .report.parameters import citations

    _write(citations(_rows(options)))


def _info(_: argparse.Namespace) -> None:
    from importlib.metadata import version

    from .inputs import library

    print(f"pkmodel     {__version__}")
    print(f"python      {sys.version.split()[0]}")
    for package in ("numpy", "scipy", "matplotlib"):
        print(f"{package:<11} {version(package)}")
    print()
    for kind in library.KINDS:
        print(f"{kind:<11} {', '.join(library.names(kind))}")


if __name__ == "__main__":
    sys.exit(main())
