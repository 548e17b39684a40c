"""The command `pkmodel validate`: published experiments against the model; exit code 4 when it is not good enough."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..errors import InputError, NotAcceptedError
from ..inputs.arguments import path_values
from .shared import progress

DRAWS = 30


def add_validate(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("validate", help="published experiments: observed, predicted, fold errors")
    parser.add_argument("--json", action="store_true", help="one JSON object: rows, summary, what is left out")
    parser.add_argument("--csv", metavar="FILE", help="write the rows as CSV; - for stdout instead of the table")
    parser.add_argument("--plot", metavar="FILE", help="draw predicted over observed (PNG, PDF, SVG), CSV beside it")
    parser.add_argument("--draws", type=int, default=DRAWS, metavar="N", help=f"lanes of an interval ({DRAWS})")
    help_ = "set a value of the model, such as drug.doxorubicin.cl_total='160 L/h'; may be repeated"
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="settings", help=help_)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Validate, print, and say by the exit code whether the result is accepted."""
    from ..report import validation_table as report
    from ..report.text import needs_ascii, plain
    from ..study.acceptance import judge
    from ..study.validation import validate

    if options.json and options.csv == "-":
        raise InputError("--json and --csv - both want stdout; write the CSV to a file")
    results = validate(draws=options.draws, settings=path_values(options.settings), progress=progress("experiments"))
    verdicts = judge(results)
    if options.csv not in (None, "-"):
        with open(options.csv, "w", encoding="utf-8") as file:
            file.write(report.to_csv(results))
    if options.plot is not None:
        from ..report.figures.validation import plot

        plot(results, options.plot, draws=options.draws)
    if options.csv == "-":
        print(report.to_csv(results), end="")
    elif options.json:
        print(report.to_json(results, verdicts))
    else:
        text = report.render(results, verdicts, draws=options.draws)
        print(plain(text) if needs_ascii(sys.stdout) else text)
    missed = [f"{each.group}: {each.why}" for each in verdicts if not each.accepted]
    if missed:
        raise NotAcceptedError("outside the committed acceptance: " + " | ".join(missed))
