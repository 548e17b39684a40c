"""Draw what kills and print the share of the drug; --write also updates the README beside."""

import sys
from pathlib import Path

from pkmodel.report.experiments import run

run(Path(__file__).with_name("config.toml"), sys.argv[1:])
