"""Fit the drugs' body compartments with the liver inside; --write updates the drug files."""

import sys
from pathlib import Path

from pkmodel.study.disposition_files import run

run(Path(__file__).with_name("config.toml"), sys.argv[1:])
