"""Draw arterial flow after embolisation and print it; --write also updates the README beside."""

import sys
from pathlib import Path

from pkmodel.report.experiments import run

run(Path(__file__).with_name("config.toml"), sys.argv[1:])
