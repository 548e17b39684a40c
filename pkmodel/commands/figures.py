"""The command `pkmodel figures`, and the picture of `pkmodel compare --plot`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from ..errors import FileError, InputError, UnknownNameError

if TYPE_CHECKING:
    from ..study.comparison import Comparison

FOLDER, FORMATS = "figures", ("png", "svg", "pdf")


def add_figures(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("figures", help="the figures of the gallery, each with its numbers and sources")
    parser.add_argument("names", nargs="*", metavar="NAME", help="figures to write; all without")
    parser.add_argument("--list", action="store_true", dest="listing", help="names, questions and times, and no more")
    parser.add_argument("--format", default="png", metavar="A,B", help="png, svg, pdf; several with commas (png)")
    parser.add_argument("--out", default=FOLDER, metavar="DIR", help=f"where to (./{FOLDER})")
    parser.add_argument("--fresh", action="store_true", help="compute also what stands in DIR and is up to date")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """List figures, or write them: pictures, numbers, manifests; what is written goes to stdout, a line a figure."""
    formats = [each.strip() for each in options.format.split(",")]
    for each in formats:
        if each not in FORMATS:
            raise UnknownNameError.of("format", each, FORMATS)
    if len(set(formats)) < len(formats):
        raise InputError(f"--format {options.format} names a format twice")
    from ..report.gallery import entry, gallery, write

    names = list(dict.fromkeys(options.names)) or list(gallery())
    chosen = [entry(name) for name in names]  # an unknown name is an error before anything is computed
    if options.listing:
        for each in chosen:
            print(f"{each.name:<20} {each.seconds:>4.0f} s  {each.question}")
        return
    for number, each in enumerate(chosen, start=1):
        _tell(f"{number} of {len(chosen)}: {each.name}, about {each.seconds:.0f} s unless it is stored")
        written = write(each.name, options.out, formats, fresh=options.fresh)
        print(f"{each.name}: {', '.join(str(path) for path in written.paths)}", flush=True)


def _tell(text: str) -> None:
    print(f"pkmodel: {text}", file=sys.stderr, flush=True)


def checked_picture(path: str, csv: str | None = None) -> None:
    """Raise, before anything is computed, for a picture that cannot be written.

    Raises
    ------
    InputError
        The file has no known ending, its folder does not exist, or its numbers would overwrite the file `csv`.
    """
    ending = os.path.splitext(path)[1].removeprefix(".").lower()
    if ending not in FORMATS:
        raise InputError(f"--plot {path}: the ending of a picture is .png, .svg or .pdf, not {ending!r}")
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        raise FileError(f"--plot {path}: there is no folder {folder}")
    if csv is not None and os.path.abspath(csv) == os.path.abspath(_beside(path)):
        raise InputError(f"--plot {path} writes its own numbers to {csv}; give --csv another name")


def _beside(path: str) -> str:
    return f"{os.path.splitext(path)[0]}.csv"


def write_exposure(comparison: Comparison, path: str) -> None:
    """Draw the exposure of a comparison, with its numbers as CSV beside the picture."""
    from ..report.figures import exposure
    from ..report.figures.style import save

    data = exposure.of_comparison(comparison)
    save(exposure.draw(data), path)
    table = _beside(path)
    with open(table, "w", encoding="utf-8") as file:
        file.write(data.to_csv())
    _tell(f"wrote {path} and {table}")
