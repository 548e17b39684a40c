"""Treatments, as a user writes them.

`iv`, `hepatic_artery`, `extravascular`, `chemoembolisation` and `embolisation` each return a regimen of one
session; ``+`` joins regimens and `Regimen.repeat` repeats one. Drugs, carriers and embolics are records,
library names or paths of TOML files; doses and times are numbers, arrays (one value a lane) or texts with a
unit such as ``"50 mg"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pkmodel.errors import ParameterError, RegimenError
from pkmodel.inputs import library
from pkmodel.inputs.fields import FieldSpec, number_value
from pkmodel.inputs.materials import Carrier, Embolic, ReleaseParameters
from pkmodel.inputs.regimen import Regimen
from pkmodel.inputs.session import ROUTES, USUAL_DURATION_H, Dose, Session

__all__ = [
    "ROUTES",
    "USUAL_DURATION_H",
    "Carrier",
    "Dose",
    "Embolic",
    "Regimen",
    "ReleaseParameters",
    "Session",
    "chemoembolisation",
    "dose",
    "embolisation",
    "emulsion",
    "extravascular",
    "hepatic_artery",
    "iv",
]


def dose(
    drug: Any, dose_mg: Any = None, *, route: str, carrier: Any = None, duration_h: Any = None, start_h: Any = None
) -> Dose:
    """Return one dose, to be put into a `Session` by hand.

    Parameters
    ----------
    drug, dose_mg
        A drug and its amount [mg], or a mapping drug name -> mg and no amount.
    route
        ``iv``, ``hepatic_artery`` or ``extravascular``.
    carrier
        None for a solution.
    duration_h, start_h
        See `Dose`.

    Raises
    ------
    RegimenError
        The dose cannot be given so.
    """
    if isinstance(drug, Mapping):
        if dose_mg is not None:
            raise RegimenError("drugs with their amounts and an amount beside them: give one or the other")
        given = [(library.load("drugs", each), amount) for each, amount in drug.items()]
    else:
        if dose_mg is None:
            raise RegimenError(f"how much {getattr(drug, 'name', drug)}? Give the dose in mg")
        given = [(library.load("drugs", drug), dose_mg)]
    return Dose(
        drugs=tuple(each for each, _ in given),
        amounts=tuple((each.name, amount) for each, amount in given),
        route=route,
        carrier=None if carrier is None else library.load("carriers", carrier),
        duration=duration_h,
        start=start_h,
    )


def _one(at_h: Any, doses: tuple[Dose, ...], embolics: tuple[Embolic, ...] = ()) -> Regimen:
    return Regimen((Session(at=at_h, doses=doses, embolics=embolics),))


def iv(drug: Any, dose_mg: Any = None, *, duration_h: Any = None, at_h: Any = 0) -> Regimen:
    """Return an intravenous injection or infusion.

    Parameters
    ----------
    drug, dose_mg
        Drug and amount [mg].
    duration_h
        Duration [h]; 0.25 h when None.
    at_h
        Time of the session [h].

    Examples
    --------
    >>> iv("doxorubicin", 50, duration_h="15 min")  # doctest: +SKIP
    """
    return _one(at_h, (dose(drug, dose_mg, route="iv", duration_h=duration_h),))


def hepatic_artery(
    drug: Any, dose_mg: Any = None, *, duration_h: Any = None, at_h: Any = 0, carrier: Any = None
) -> Regimen:
    """Return an injection into the hepatic artery.

    Parameters
    ----------
    drug, dose_mg
        Drug and amount [mg].
    duration_h
        Duration [h]; when None 0.1 h, or the carrier's usual duration.
    at_h
        Time of the session [h].
    carrier
        What holds the drug back; None for a solution.
    """
    return _one(at_h, (dose(drug, dose_mg, route="hepatic_artery", carrier=carrier, duration_h=duration_h),))


def extravascular(drug: Any, dose_mg: Any = None, *, carrier: Any, at_h: Any = 0, duration_h: Any = 0) -> Regimen:
    """Return a depot outside the vessels that releases into the central compartment.

    Parameters
    ----------
    drug, dose_mg
        Drug and amount [mg].
    carrier
        The depot; its release law is the absorption.
    at_h, duration_h
        Time of the session and duration of the injection [h].
    """
    return _one(at_h, (dose(drug, dose_mg, route="extravascular", carrier=carrier, duration_h=duration_h),))


def chemoembolisation(
    drug: Any, dose_mg: Any = None, *, carrier: Any, embolic: Any = None, at_h: Any = 0, duration_h: Any = None
) -> Regimen:
    """Return an arterial injection of drug in a carrier, with or without an embolic after it.

    Parameters
    ----------
    drug, dose_mg
        A drug and its amount [mg], or a mapping drug name -> mg and no amount.
    carrier
        What holds the drug back.
    embolic
        None, one embolic, several joined as ``"lipiodol+gelatin_sponge"``, or a tuple.
    at_h
        Time of the session [h].
    duration_h
        Duration of the injection [h]; the carrier's usual one when None.
    """
    if carrier is None:
        raise RegimenError("chemoembolisation needs a carrier; without one use hepatic_artery + embolisation")
    given = dose(drug, dose_mg, route="hepatic_artery", carrier=carrier, duration_h=duration_h)
    return _one(at_h, (given,), library.embolics(embolic))


def embolisation(embolic: Any, *, at_h: Any = 0) -> Regimen:
    """Return an embolisation without drug.

    Parameters
    ----------
    embolic
        One embolic, several joined as ``"lipiodol+gelatin_sponge"``, or a tuple.
    at_h
        Time of the session [h].
    """
    return _one(at_h, (), library.embolics(embolic))


def emulsion(water_in_oil_share: Any, *, carrier: Any = "lipiodol_emulsion") -> Carrier:
    """Return an oil emulsion made with a certain share of water-in-oil droplets, which hold the slow drug.

    The slow part is the water-in-oil share; what is left divides into prompt and fast drug as in `carrier`, for every
    drug in its own way. Which share a water:oil ratio gives is measured (rows dox206, dox207: 0.70 at 1:2, 0.16 at
    1:1); that droplets release slowly and the rest fast is an assumption.

    Parameters
    ----------
    water_in_oil_share
        Share of the drug in water-in-oil droplets [1], from 0 to 1; a number, an array or a text such as "70 %".
    carrier
        The emulsion to change; its release law must be biexponential.

    Raises
    ------
    ParameterError
        The share is not legal, or the carrier's law has no fast and slow part.
    """
    base = library.load("carriers", carrier)
    share = number_value(_DROPLETS, water_in_oil_share, "emulsion.water_in_oil_share")
    variants = tuple((name, _with_droplets(each, share)) for name, each in base.variants)
    return _with_droplets(base.replace(variants=()), share).replace(variants=variants)


_DROPLETS = FieldSpec("number", "share of water-in-oil droplets", name="water_in_oil_share", unit="1", low=0, high=1)


def _with_droplets(carrier: Carrier, share: Any) -> Carrier:
    if carrier.release.law != "biexponential":
        raise ParameterError(
            f"emulsion: carrier {carrier.name!r} releases by law {carrier.release.law!r}; a water-in-oil share needs "
            "the fast and slow part of 'biexponential'",
            field="carrier.release.law",
            value=carrier.release.law,
        )
    prompt, fast = carrier.prompt_fraction, (1.0 - carrier.prompt_fraction) * carrier.release.fast_share
    loose = np.asarray(prompt + fast)
    dissolved = (1.0 - share) * np.where(loose > 0.0, prompt / np.where(loose > 0.0, loose, 1.0), 1.0)
    held = 1.0 - dissolved
    quick = np.where(held > 0.0, (held - share) / np.where(held > 0.0, held, 1.0), 0.0)
    return carrier.with_values(
        {
            "prompt_fraction": float(dissolved) if dissolved.ndim == 0 else dissolved,
            "release.fast_share": float(quick) if quick.ndim == 0 else quick,
        }
    )
