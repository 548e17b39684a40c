"""Validate, draw, ask the structural switches, and put the model card into the README."""

import sys

from pkmodel.report.card_files import run

run(sys.argv[1:])
