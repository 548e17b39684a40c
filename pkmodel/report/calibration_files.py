"""The experiment behind the fitted values: run the stages, print them, and write them into the library."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..study.calibration.calibrate import Calibrated, calibrate
from ..study.calibration.files import differences, load_calibration, write
from ..study.disposition_files import write_fit
from .calibration_table import render, to_csv

RECORD = "calibration.csv"


def run(config: str | Path, arguments: Sequence[str] = ()) -> Calibrated:
    """Calibrate as a configuration says, and print the result.

    Parameters
    ----------
    config : TOML file
    arguments : ``--write`` updates the library's files; ``--without ID`` leaves an observation or a case out (may be
        repeated; nothing is written then); ``--quick`` leaves profiles and left-out studies out; ``--check`` fails
        with exit code 4 if a committed value differs from what was found by more than 1e-6
    """
    parser = argparse.ArgumentParser(prog="run.py", description="Calibrate pkmodel's library.")
    parser.add_argument("--write", action="store_true", help="update the library's files")
    parser.add_argument("--check", action="store_true", help="exit code 4 if a committed value is not reproduced")
    parser.add_argument("--quick", action="store_true", help="without profiles and left-out studies")
    parser.add_argument("--without", action="append", default=[], metavar="ID", help="leave an observation or case out")
    options = parser.parse_args(list(arguments))
    if options.write and (options.quick or options.without):
        parser.error("--write takes all data and writes the profiles too: no --quick, no --without")
    calibration = load_calibration(config, without=options.without)
    result = calibrate(calibration, quick=options.quick, progress=_progress)
    print(render(result))
    for name, fit in result.dispositions.items():
        print(f"\n{name}: reference curve kept within {100 * fit.after.largest:.1f} %")
    changed = list(differences(result.fits, calibration.folder, calibration.shares))
    for place, committed, found in changed:
        print(f"committed {place} = {committed:.8g}, found {found:.8g}")
    if options.write:
        write(result.fits, calibration.folder, calibration.shares)
        for name, fit in result.dispositions.items():
            write_fit(fit, calibration.folder / "drugs" / f"{name}.toml")
        (calibration.folder / RECORD).write_text(to_csv(result), encoding="utf-8", newline="\n")
    elif not options.without:
        print(f"{len(changed)} committed values differ by more than 1e-6 from what was found")
        if changed and options.check:
            sys.exit(4)
    return result


def _progress(done: int, of: int) -> None:
    print(f"pkmodel: stage {done} of {of}", file=sys.stderr)
