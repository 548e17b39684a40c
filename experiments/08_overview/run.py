"""Draw the picture of the front page and print its five sentences; --write puts them into the READMEs."""

import sys
from pathlib import Path

from pkmodel.report.experiments import run

run(Path(__file__).with_name("config.toml"), sys.argv[1:])
