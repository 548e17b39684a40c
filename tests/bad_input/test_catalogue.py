"""Every case of the catalogue: the documented error in under a second, with all that the message must name."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize  # noqa: F401  - its import must not count against the first case that fits
from cases import API, CLI, CSV, LIBRARY, SCENARIO, Case
from catalogue import CATALOGUE

import pkmodel as pk
from pkmodel import cli
from pkmodel.errors import FileError, InputError, PlausibilityWarning

LONGEST_S = 1.0
LEAST_CASES = 140


@pytest.fixture(scope="module", autouse=True)
def warmed_up() -> None:
    """Import everything and read the library once, as any session does before its first mistake."""
    pk.compare("hcc_reference", drug="doxorubicin", arms=["iv", "beads", "emulsion_sponge"])
    pk.fit_release(([1.0, 2.0, 4.0], [0.1, 0.2, 0.35]), laws=["first_order"])


def outcome(case: Case, folder: Path) -> tuple[object, BaseException | None, list[str], float]:
    """Result, error, plausibility warnings and seconds of a call."""
    result, error = None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        begun = time.process_time()
        try:
            result = case.call(folder)
        except Exception as raised:
            error = raised
        seconds = time.process_time() - begun
    said = [str(each.message) for each in caught if issubclass(each.category, PlausibilityWarning)]
    assert len(said) == len(caught), [str(each.message) for each in caught]
    return result, error, said, seconds


CALLS = [each for each in CATALOGUE if each.entry != CLI]
COMMANDS = [each for each in CATALOGUE if each.entry == CLI]


@pytest.mark.parametrize("case", CALLS, ids=lambda case: case.id)
def test_a_call_or_file(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result, error, said, seconds = outcome(case, tmp_path)
    assert seconds < LONGEST_S
    if case.error is None or issubclass(case.error, Warning):
        assert error is None
        text = " ".join(said) if case.error else repr(result)
        assert not said or case.error
    else:
        assert type(error) is case.error, repr(error)
        assert isinstance(error, InputError)
        text = str(error)
        assert "\n" not in text
    assert not [each for each in case.fragments if each not in text], text


@pytest.mark.parametrize("case", COMMANDS, ids=lambda case: case.id)
def test_a_command(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = case.call(tmp_path)
    seen: list[object] = []
    complain = cli._complain

    def listening(what: object, code: int) -> int:
        seen.append(what)
        return complain(what, code)

    monkeypatch.setattr(cli, "_complain", listening)
    begun = time.process_time()
    code = cli.main(arguments)  # an error that is not ours would come out here, as a traceback would for a user
    assert time.process_time() - begun < LONGEST_S
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert all(each.startswith("pkmodel: ") for each in lines), err
    told = [each for each in lines if not each.startswith("pkmodel: warning: ")]
    if case.error is None or issubclass(case.error, Warning):
        assert (code, told) == (0, []), err
        text = err if case.error else out
    else:
        assert (code, out, len(told)) == (2, "", 1), err
        # what the operating system says comes as a text
        assert isinstance(seen[0], case.error) or (case.error is FileError and isinstance(seen[0], str))
        text = told[0]
    assert not [each for each in case.fragments if each not in text], text


def test_the_catalogue_covers_every_entry() -> None:
    assert len(CATALOGUE) >= LEAST_CASES
    assert not [name for name, count in Counter(each.id for each in CATALOGUE).items() if count > 1]
    per_entry = Counter(each.entry for each in CATALOGUE)
    assert set(per_entry) == {API, LIBRARY, SCENARIO, CLI, CSV}
    assert min(per_entry.values()) >= 20, per_entry
    # every case says what its message must name, but those that must simply work
    assert all(each.fragments for each in CATALOGUE if each.error is not None)


def test_no_value_becomes_nan_in_silence() -> None:
    """Volumes and flows of zero are legal limits: they warn, and give numbers."""
    for path in ("patient.liver.parenchyma_volume", "patient.liver.flow", "drug.v2", "drug.q2"):
        scenario = pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50))
        with pytest.warns(PlausibilityWarning):
            scenario = scenario.with_value(path, 0.0)
        course = pk.simulate(scenario, until_h=24.0)
        assert np.isfinite(course.concentration_mg_per_l("plasma")).all(), path
        assert course.balance_error < 1e-6, path
