"""The catalogue of bad input over every public entry: id, entry, what is done, error class, what the message says."""

from __future__ import annotations

from cases import Case
from catalogue_api import DOSES, RECORDS, SCENARIOS
from catalogue_cli import COMMANDS
from catalogue_files import CURVES, LIBRARY_FILES, SCENARIO_FILES
from catalogue_runs import COURSES, FITS, PROFILES

CATALOGUE: tuple[Case, ...] = (
    *RECORDS,
    *DOSES,
    *SCENARIOS,
    *COURSES,
    *PROFILES,
    *FITS,
    *LIBRARY_FILES,
    *SCENARIO_FILES,
    *CURVES,
    *COMMANDS,
)
