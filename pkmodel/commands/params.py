"""The commands `pkmodel params ...`: parameters, their evidence and what to cite."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import InputError
from .shared import scenario_of_file, setting_option, treatment_arguments, treatment_options, write


def add_params(commands: Any) -> None:
    """Add the commands to the command line."""
    parser = commands.add_parser("params", help="parameters, their evidence and what to cite")
    parser.set_defaults(command=lambda _: print(parser.format_help(), end=""))
    under = parser.add_subparsers(title="commands", metavar="COMMAND")
    listing = under.add_parser("list", help="the parameters that a comparison uses")
    kinds = listing.add_mutually_exclusive_group()
    kinds.add_argument("--assumed", dest="kind", action="store_const", const="assumed", help="only assumed ones")
    kinds.add_argument("--kind", metavar="KIND", help="only measured, fitted, derived, assumed or user")
    show = under.add_parser("show", help="a library record, or one value and its evidence")
    show.add_argument("name", nargs="?", metavar="NAME|PATH", help="doxorubicin, drug.doxorubicin.cl_total, ...")
    show.add_argument("--run", action="store_true", help="everything that `pkmodel compare` puts in")
    cite = under.add_parser("cite", help="the sources behind the parameters that a comparison uses")
    for command, action in ((listing, _list), (show, _show), (cite, _cite)):
        treatment_options(command)
        command.add_argument("--scenario", metavar="FILE", help="of a scenario file instead")
        setting_option(command)
        command.set_defaults(command=action)


def _rows(options: argparse.Namespace) -> list[Any]:
    """Rows of all parameters that the comparison of these options, or the scenario, would use."""
    from ..inputs import library
    from ..report.parameters import used
    from ..study.arms import REFERENCE_ARM, arm_scenarios

    if options.scenario is not None:
        return used([scenario_of_file(options.scenario, options.settings)[0]])
    arguments = treatment_arguments(options)
    given, dose = arguments["drug"], arguments.pop("dose_mg")
    given = given if isinstance(given, dict) else {given: dose}
    # what a value rests on does not depend on the dose, so that animals need none here
    arguments["drug"] = {name: mg or library.drug(name).usual_dose for name, mg in given.items()}
    scenarios = arm_scenarios(**arguments)
    if arguments["arms"] is not None and REFERENCE_ARM not in arguments["arms"]:
        del scenarios[REFERENCE_ARM]
    return used(scenarios.values())


def _list(options: argparse.Namespace) -> None:
    from ..report.parameters import listing

    write(listing((row for row in _rows(options) if not isinstance(row[1], str)), kind=options.kind))


def _show(options: argparse.Namespace) -> None:
    from ..inputs import library
    from ..report.parameters import listing, show

    if options.run == (options.name is not None):
        raise InputError("name a library record or a path, or give --run (see pkmodel params show --help)")
    if options.run:
        write(listing(_rows(options)))
        return
    if options.settings:
        raise InputError("--set has no effect on one value of the library; use params show --run, or params list")
    defaults = {"patient": library.patient(options.patient), "catheter": library.catheter(options.catheter)}
    if "," not in options.drug and "=" not in options.drug:
        defaults["drug"] = library.drug(options.drug)  # type: ignore[assignment]
    write(show(options.name, defaults=defaults))


def _cite(options: argparse.Namespace) -> None:
    from ..report.parameters import citations

    write(citations(_rows(options)))
