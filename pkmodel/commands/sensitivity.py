"""The command `pkmodel sensitivity`: which inputs a result rests on; exit code 3 when a run failed."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import InputError, UnknownNameError
from .shared import days, progress, setting_option, treatment_arguments, treatment_options, write

METRIC = "necrosis_percent"
METHODS = ("tornado", "morris", "sobol")
SIZES = {"tornado": "draws", "morris": "trajectories", "sobol": "n"}


def add_sensitivity(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("sensitivity", help="which inputs a result rests on")
    treatment_options(parser)
    setting_option(parser)
    add = parser.add_argument
    add("--metric", default=METRIC, metavar="NAME", help=f"a number of compare --wide, or log10_kill ({METRIC})")
    add("--method", default="tornado", choices=METHODS, help="one at a time, elementary effects, shares of variance")
    add("--how", metavar="HOW", help="of two arms: log_ratio (default) or beats, the chance that the first is better")
    add("--n", type=int, metavar="N", help="trajectories (morris), points (sobol), or draws (tornado --how beats)")
    add("--kind", action="append", metavar="KIND", help="only measured, fitted, derived or assumed; may be repeated")
    add("--fixed", action="append", default=[], metavar="PATH", help="keep this input typical; may be repeated")
    add("--seed", type=int, metavar="N", help="of the design")
    add("--until", metavar="TIME", default="28 d", help="follow-up, such as '28 d'")
    add("--rows", type=int, default=20, metavar="N", help="rows of the table (20); the CSV has all")
    add("--csv", metavar="FILE", help="write all rows as CSV too; - for CSV on stdout instead of the table")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Compute and print; the first of `--arms` is asked about, held against the second where there is one."""
    from ..inputs.origin import KINDS
    from ..report.sensitivity_table import render
    from ..study import sensitivity
    from ..study.arms import arm_scenarios

    if options.rows < 1:
        raise InputError(f"--rows {options.rows} leaves nothing to print")
    for kind in options.kind or ():
        if kind not in KINDS:
            raise UnknownNameError.of("kind of parameter", kind, KINDS)
    arguments = treatment_arguments(options)
    names = arguments["arms"]
    if names is None or len(names) not in (1, 2):
        raise InputError("name the arm asked about, and one to hold it against: --arms emulsion_sponge,iv")
    asked: dict[str, Any] = {"arm": names[0], "over": names[1] if len(names) == 2 else None, "how": options.how}
    asked |= {"kinds": options.kind, "fixed": options.fixed, "until_days": days(options.until)}
    if options.n is not None:
        asked[SIZES[options.method]] = options.n
    if options.seed is not None:
        asked["seed"] = options.seed
    found = getattr(sensitivity, options.method)(
        arm_scenarios(**arguments), options.metric, **asked, progress=progress("points")
    )
    if options.csv == "-":
        print(found.to_csv(), end="")
        return
    if options.csv is not None:
        found.to_csv(options.csv)
    write(render(found, rows=options.rows))
