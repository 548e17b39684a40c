"""An emulsion by its water-in-oil share: it sets the prompt and the slow part, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")


def parts(carrier: pk.Carrier) -> tuple[float, float, float]:
    """Prompt, fast and slow part of the dose."""
    held = 1.0 - carrier.prompt_fraction
    return carrier.prompt_fraction, held * carrier.release.fast_share, held * (1.0 - carrier.release.fast_share)


@pytest.mark.parametrize("share", [0.0, 0.16, 0.70, 1.0])
@pytest.mark.parametrize("drug", ["doxorubicin", "cisplatin", "fluorouracil"])
def test_the_slow_part_is_the_share(share: float, drug: str) -> None:
    base = parts(pk.carrier("lipiodol_emulsion").for_drug(drug))
    prompt, fast, slow = parts(pk.emulsion(share).for_drug(drug))
    assert slow == pytest.approx(share, abs=1e-12)
    assert prompt + fast + slow == pytest.approx(1.0, abs=1e-12)
    assert prompt * base[1] == pytest.approx(fast * base[0], abs=1e-12)


def test_the_share_of_the_library_gives_the_library() -> None:
    base = pk.carrier("lipiodol_emulsion").for_drug("doxorubicin")
    same = pk.emulsion(parts(base)[2]).for_drug("doxorubicin")
    assert same.prompt_fraction == pytest.approx(base.prompt_fraction, rel=1e-12)
    assert same.release.fast_share == pytest.approx(base.release.fast_share, rel=1e-12)


def test_more_droplets_mean_less_in_plasma_at_once() -> None:
    carrier = pk.emulsion(np.array([0.16, 0.70])).for_drug("doxorubicin")
    tace = pk.chemoembolisation("doxorubicin", 50, carrier=carrier, embolic="gelatin_sponge")
    course = pk.simulate(pk.Scenario("hcc_reference", tace), until_days=2, times_h=[1.0])
    peak = course.exposure()["plasma_cmax_ng_per_ml"]
    assert peak[1] < 0.6 * peak[0]


def test_what_is_not_possible_is_said() -> None:
    with pytest.raises(pk.ParameterError, match=r"water_in_oil_share.*1\.5.*\[0, 1\]"):
        pk.emulsion(1.5)
    first_order = pk.carrier("lipiodol_emulsion").for_drug("doxorubicin")
    first_order = first_order.replace(release=first_order.release.replace(law="first_order", rate=0.1))
    with pytest.raises(pk.ParameterError, match="biexponential"):
        pk.emulsion(0.5, carrier=first_order)
