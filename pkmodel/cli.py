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
from .commands.figures import add_figures, checked_picture, write_exposure
from .commands.params import add_params
from .commands.report import add_report
from .commands.sensitivity import add_sensitivity
from .commands.shared import (
    DEFAULT_CATHETER,
    DEFAULT_DRUG,
    DEFAULT_PATIENT,
    READING_DAYS,
    days,
    progress,
    scenario_of_file,
    setting_option,
    treatment_arguments,
    treatment_options,
    write,
)
from .commands.sweep import add_sweep
from .commands.validate import add_validate
from .errors import FileError, InputError, NotAcceptedError, PkmodelError, RunError

if TYPE_CHECKING:
    from .study.comparison import Comparison


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
    treatment_options(compare)
    setting_option(compare)
    compare.add_argument("--until", metavar="TIME", default=f"{READING_DAYS:g} d", help="follow-up, such as '28 d'")
    compare.add_argument("--check", action="store_true", help="solve again more tightly and print the achieved error")
    compare.add_argument("--plot", metavar="FILE", help="draw the exposure (PNG, SVG, PDF), CSV beside it")
    compare.add_argument("--uncertainty", type=int, default=0, metavar="N", help="90 %% intervals from N draws")
    _output(compare, "write the rows as CSV too; - for CSV on stdout instead of the table")
    compare.set_defaults(command=_compare)

    run = commands.add_parser("run", help="one treatment from a scenario file")
    run.add_argument("scenario", metavar="SCENARIO.toml")
    setting_option(run)
    run.add_argument("--until", metavar="TIME", help="follow-up; else the file's, else 28 d after the last session")
    _output(run, "write the course over time as CSV")
    run.set_defaults(command=_run)

    new = commands.add_parser("new", help="a commented scenario or sweep file to start from")
    new.add_argument("what", choices=["scenario", "sweep"])
    new.add_argument("file", nargs="?", metavar="FILE", help="where to write it; to stdout without")
    new.set_defaults(command=_new)

    add_figures(commands)
    add_report(commands)
    add_validate(commands)
    add_sweep(commands)
    add_params(commands)
    add_sensitivity(commands)
    info = commands.add_parser("info", help="versions and contents of the library")
    info.set_defaults(command=_info)
    return parser


def _output(parser: argparse.ArgumentParser, csv: str) -> None:
    parser.add_argument("--wide", action="store_true", help="all columns")
    parser.add_argument("--json", action="store_true", help="one JSON object: rows, reasons, manifest")
    parser.add_argument("--csv", metavar="FILE", help=csv)


def _report(comparison: Comparison, options: argparse.Namespace, **words: str | None) -> None:
    from .report.table import render

    write(comparison.to_json() if options.json else render(comparison, wide=options.wide, **words))  # type: ignore[arg-type]


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
    if options.plot is not None:
        checked_picture(options.plot, options.csv)
    more = {"check": options.check, "uncertainty": options.uncertainty, "progress": progress("arms")}
    comparison = compare(**treatment_arguments(options), until_days=days(options.until), **more)
    if options.plot is not None:
        write_exposure(comparison, options.plot)
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

    scenario, until_h = scenario_of_file(options.scenario, options.settings)
    if options.until is not None:
        until_h = 24.0 * days(options.until)
    if options.csv is not None:
        simulate(scenario, until_h=until_h).to_csv(options.csv)
    name = os.path.basename(options.scenario).removesuffix(".toml")
    name = f"{name}_file" if name == REFERENCE_ARM else name
    comparison = compare_scenarios({name: scenario, REFERENCE_ARM: iv_twin(scenario)}, (name,), until_h=until_h)
    file = shlex.quote(options.scenario)
    again = "".join(f" {shlex.quote(word)}" for word in ("--scenario", options.scenario, *_set_again(options)))
    follow = f"pkmodel run {file} --set patient.tumour.diameter='30 mm' | --csv course.csv | --wide"
    _report(comparison, options, title=f"pkmodel run {file}", again=again, follow=follow)


def _new(options: argparse.Namespace) -> None:
    from .report.starter import SCENARIO, SWEEP

    text, follow = (SCENARIO, "run {}") if options.what == "scenario" else (SWEEP, "sweep {} --out results")
    if options.file is None:
        print(text, end="")
        return
    try:
        with open(options.file, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise FileError(f"{options.file} exists already; name another file, or remove it first") from None
    print(f"pkmodel: wrote {options.file}; next: pkmodel {follow.format(options.file)}", file=sys.stderr)


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
