"""Fitting release laws: recovered parameters, ranking, errors of bad files, and the carrier made of a fit."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pkmodel.errors import FileError, InputError, ParameterError, UnknownNameError
from pkmodel.laws.release import law_from_parameters
from pkmodel.study.fit import FITTED_LAWS, ReleaseFits, fit_release
from pkmodel.study.release_data import release_data

TIMES = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 24.0, 48.0])
TRUE = {
    "first_order": {"rate": 0.15},
    "biexponential": {"fast_share": 0.35, "fast_rate": 1.5, "slow_rate": 0.02},
    "weibull": {"scale": 10.0, "shape": 0.6},
    "higuchi": {"rate_constant": 0.12},
    "korsmeyer_peppas": {"rate_constant": 0.1, "exponent": 0.62},
}
CARRIER = {
    "product": "yes",
    "prompt_fraction": 0.1,
    "target_preference": 1.0,
    "lung_share": 0.0,
    "duration": 0.25,
    "occlusion": 0.5,
    "selectivity": 0.4,
    "half_life": math.inf,
    "retention_tumour": math.inf,
    "retention_liver": math.inf,
    "retention_lung": math.inf,
}


def curve(law: str) -> np.ndarray:
    return law_from_parameters(law, **TRUE[law]).cumulative(TIMES)


def noisy(law: str, *, seed: int, replicates: int = 6, sd: float = 0.01) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(scale=sd, size=(len(TIMES), replicates))
    return np.clip(curve(law)[:, None] + noise, 0.0, 1.1)


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "release.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("law", TRUE)
def test_an_exact_curve_gives_its_law_and_parameters_back(law: str) -> None:
    fits = fit_release((TIMES, curve(law)))
    assert fits.best.law == law
    assert fits.best.rmse_percent < 1e-5
    for name, value in TRUE[law].items():
        assert fits.best.parameters[name] == pytest.approx(value, rel=1e-5), name
    assert [fit.aic for fit in fits.fits] == sorted(fit.aic for fit in fits.fits)
    assert {fit.law for fit in fits.fits} == set(FITTED_LAWS)


@pytest.mark.parametrize("law", TRUE)
def test_standard_errors_cover_the_truth(law: str) -> None:
    """Of 40 noisy curves, about 95 % of the parameters lie within two standard errors."""
    inside = []
    for seed in range(40):
        fit = fit_release((TIMES, noisy(law, seed=seed)), laws=[law]).best
        inside += [abs(fit.parameters[k] - v) < 2.0 * fit.standard_errors[k] for k, v in TRUE[law].items()]
    assert 0.85 <= np.mean(inside) <= 1.0


def test_aic_is_what_its_definition_says() -> None:
    released = noisy("weibull", seed=1)
    fit = fit_release((TIMES, released))["weibull"]
    residual = fit.release_law().cumulative(TIMES)[:, None] - released
    assert fit.n == released.size
    assert fit.rss == pytest.approx(float((residual**2).sum()), rel=1e-12)
    assert fit.aic == pytest.approx(fit.n * math.log(fit.rss / fit.n) + 2.0 * 3, rel=1e-12)


def test_release_that_never_ends_needs_no_slow_rate() -> None:
    """A rate of zero cannot be told from a small one: its error is not offered, the others' are."""
    released = 0.3 * (1.0 - np.exp(-2.0 * TIMES))
    fit = fit_release((TIMES, released)).best
    assert fit.law == "biexponential"
    assert fit.parameters["fast_share"] == pytest.approx(0.3, rel=1e-6)
    assert fit.parameters["slow_rate"] < 1e-8
    assert math.isnan(fit.standard_errors["slow_rate"])
    assert math.isfinite(fit.standard_errors["fast_share"])
    assert "not determined" in fit.describe()


def test_a_point_at_time_zero_changes_nothing() -> None:
    released = noisy("weibull", seed=2)
    with_zero = np.concatenate((np.zeros((1, released.shape[1])), released))
    one = fit_release((TIMES, released))
    other = fit_release((np.append(0.0, TIMES), with_zero))
    assert one.best.aic == other.best.aic


def test_short_curves_leave_laws_out_and_say_so() -> None:
    fits = fit_release(([1.0, 2.0], [0.3, 0.5]))
    assert {fit.law for fit in fits.fits} == {"first_order", "higuchi"}
    assert fits.left_out["weibull"] == "2 parameters need at least 3 times after 0, there are 2"
    assert "not fitted: 3 parameters" in fits.table()
    with pytest.raises(ParameterError, match="no release law can be fitted"):
        fit_release(([1.0], [0.3]))
    with pytest.raises(UnknownNameError, match="no fit of law 'weibull'"):
        fits["weibull"]


def test_table_ranks_and_names_units() -> None:
    fits = fit_release((TIMES, noisy("higuchi", seed=3)))
    lines = fits.table().splitlines()
    assert lines[0] == "8 times x 6 replicates"
    assert lines[2].startswith(fits.best.law)
    assert "1/h^0.5" in fits["higuchi"].describe()
    assert fits.weights().sum() == pytest.approx(1.0)


def test_laws_can_be_chosen() -> None:
    assert [f.law for f in fit_release((TIMES, curve("weibull")), laws=["higuchi"]).fits] == ["higuchi"]
    for wrong in ("tabulated", "none", "weibul"):
        with pytest.raises(UnknownNameError, match=f"no law to fit '{wrong}'"):
            fit_release((TIMES, curve("weibull")), laws=[wrong])


@pytest.mark.parametrize(("unit", "per_hour"), [("h", 1.0), ("min", 60.0), ("d", 1.0 / 24.0)])
def test_file_with_replicates_in_any_unit(tmp_path: Path, unit: str, per_hour: float) -> None:
    released = noisy("weibull", seed=4, replicates=2)
    rows = [
        f"{t * per_hour!r},{100 * a!r},{100 * b!r}"
        for t, (a, b) in zip(TIMES.tolist(), released.tolist(), strict=True)
    ]
    path = write(tmp_path, "\r\n".join([f"time_{unit},released_percent_1,released_percent_2", *rows, ""]))
    data = release_data(path)
    np.testing.assert_allclose(data.times_h, TIMES, rtol=1e-14)
    np.testing.assert_allclose(data.released, released, rtol=1e-14)
    assert fit_release(str(path)).table().startswith("release.csv: 8 times x 2 replicates")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", FileError, "is empty"),
        ("\n\n", FileError, "is empty"),
        ("time_h,released_percent\n", FileError, "no values"),
        (b"\xef\xbb\xbftime_h,released_percent\n1,2\n", FileError, "byte order mark"),
        (b"time_h,released_percent\n1,\xff\n", FileError, "not UTF-8"),
        ("time_h;released_percent\n1;2\n", FileError, "separated by commas"),
        ("time_h,released_percent\n1,2,5\n", FileError, "3 values for 2 columns; decimals are written with"),
        ("time_h,released_percent\n1\n", FileError, "line 2 has 1 values"),
        ('time_h,released_percent\n1,"2,5"\n', FileError, "'2,5' has a decimal comma; write 2.5"),
        ("time_h,released_percent\n1,\n", FileError, "expected a number, found nothing"),
        ("time_h,released_percent\n1,BLQ\n", FileError, "expected a number, found 'BLQ'"),
        ("time,released_percent\n1,2\n", FileError, "unknown column 'time'"),
        ("time_h,concentration\n1,2\n", FileError, "unknown column 'concentration'"),
        ("time_h,time_min,released_percent\n1,60,2\n", FileError, "expected time_h, time_min or time_d"),
        ("released_percent\n2\n", FileError, "expected time_h"),
        ("time_h\n2\n", FileError, "expected time_h"),
        ("time_h,released_percent,released_fraction\n1,2,0.02\n", FileError, "mixed"),
        ("time_h,released_percent,released_percent\n1,2,3\n", FileError, "names of their own"),
        ("time_h,released_percent\n2,2\n1,3\n", ParameterError, "line 3: time 1 h comes after a later one"),
        ("time_h,released_percent\n1,2\n\n1,3\n", ParameterError, "line 4: time 1 h is repeated; put repl"),
        ("time_h,released_percent\n-1,2\n", ParameterError, "line 2: time -1 h"),
        ("time_h,released_percent\nnan,2\n", ParameterError, "line 2: time nan h"),
        ("time_h,released_percent\n1,-2\n", ParameterError, r"line 2: released -2 % is .* \[0, 115\] %"),
        ("time_h,released_percent\n1,nan\n", ParameterError, "released nan %"),
        ("time_h,released_fraction\n1,35\n", ParameterError, "percent belongs in released_percent"),
        ("time_h,released_percent\n0,5\n1,8\n", ParameterError, "released 5 % at time 0.*prompt_fraction"),
    ],
)  # fmt: skip
def test_bad_files_say_what_to_mend(
    tmp_path: Path, text: str | bytes, error: type[InputError], message: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(error, match=message) as caught:
        fit_release(path)
    assert "release.csv" in str(caught.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(FileError, match="cannot be read"):
            fit_release(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (3, "path of a CSV file or a pair"),
        (([1.0, 2.0], [0.1]), "expected, got"),
        (([1.0], ["a"]), "must be numbers"),
        (([], []), "at least one time"),
        (([1.0, 1.0], [0.1, 0.2]), "row 1: time 1 h is repeated"),
        (([1.0, 2.0], [0.1, 1.2]), "row 1: released 120 %"),
    ],
)
def test_bad_arrays(arrays: object, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        fit_release(arrays)


def fits_of(law: str) -> ReleaseFits:
    return fit_release((TIMES, noisy(law, seed=6)))


def test_carrier_carries_the_fit_and_where_it_comes_from() -> None:
    fits = fits_of("weibull")
    carrier = fits.carrier("own_beads", **CARRIER)
    assert carrier.name == "own_beads"
    assert carrier.release.law == fits.best.law == "weibull"
    assert carrier.get("release.scale") == fits.best.parameters["scale"]
    origin = carrier.origin("release.scale")
    assert origin is not None
    assert origin.kind == "fitted"
    assert origin.unit == "h"
    assert origin.se == pytest.approx(fits.best.standard_errors["scale"])
    assert "weibull fitted to 48 values" in origin.note


def test_carrier_from_another_one() -> None:
    fits = fits_of("weibull")
    base = fits.carrier("own_beads", **CARRIER)
    changed = fits.carrier("other_beads", base=base, law="first_order", prompt_fraction=0.3)
    assert (changed.name, changed.release.law, changed.prompt_fraction) == ("other_beads", "first_order", 0.3)
    assert changed.occlusion == base.occlusion
    assert changed.origin("release.rate").kind == "fitted"  # type: ignore[union-attr]
    with pytest.raises(ParameterError, match="a carrier needs product, prompt_fraction"):
        fits.carrier("bare")


def test_carrier_with_the_curve_as_measured() -> None:
    fits = fit_release((TIMES, curve("weibull")))
    carrier = fits.carrier("as_measured", law="tabulated", **CARRIER)
    assert carrier.release.times == (0.0, *TIMES)
    np.testing.assert_allclose(carrier.release.fractions[1:], curve("weibull"))
    assert carrier.origin("release.fractions").kind == "measured"  # type: ignore[union-attr]
    falling = fit_release((TIMES, np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.49, 0.6, 0.7])))
    with pytest.raises(ParameterError, match=r"must not decrease; 0\.5 comes before 0\.49"):
        falling.carrier("as_measured", law="tabulated", **CARRIER)
