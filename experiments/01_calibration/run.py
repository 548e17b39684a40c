"""Calibrate the library's parameters in stages; --write updates its files, --without ID leaves one study out."""

import sys
from pathlib import Path

from pkmodel.report.calibration_files import run

run(Path(__file__).with_name("config.toml"), sys.argv[1:])
