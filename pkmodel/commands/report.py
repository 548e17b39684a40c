"""The command `pkmodel report`: one treatment as a self-contained HTML page."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from .shared import days, scenario_of_file, setting_option


def add_report(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("report", help="one treatment as a self-contained HTML page")
    parser.add_argument("scenario", metavar="SCENARIO.toml")
    parser.add_argument("-o", "--output", metavar="FILE.html", required=True, help="where to write it; - for stdout")
    setting_option(parser)
    parser.add_argument("--until", metavar="TIME", help="follow-up; else the file's, else 28 d after the last session")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Read the scenario, compute it and its intravenous twin, and write the page."""
    from ..report.page.page import html_report

    scenario, until_h = scenario_of_file(options.scenario, options.settings)
    if options.until is not None:
        until_h = 24.0 * days(options.until)
    page = html_report(scenario, until_h=until_h, title=_title(options.scenario), remake=_again(options))
    if options.output == "-":
        sys.stdout.write(page)
        return
    Path(options.output).write_text(page, encoding="utf-8")
    print(f"pkmodel: wrote {options.output} ({len(page.encode()) / 1000:.0f} kB)", file=sys.stderr)


def _title(file: str) -> str:
    """The file's title, or else its name."""
    from ..inputs.tomlfile import read_toml

    return str(read_toml(Path(file)).get("title") or os.path.basename(file).removesuffix(".toml"))


def _again(options: argparse.Namespace) -> str:
    """The command line that makes the same page."""
    words = ["pkmodel", "report", options.scenario, "-o", options.output]
    words += [word for each in options.settings for word in ("--set", each)]
    words += [] if options.until is None else ["--until", options.until]
    return shlex.join(words)
