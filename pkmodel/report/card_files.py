"""The experiment behind the model card: validate, switch, and write what the project shows of it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..study.switches import Switched, switches
from ..study.validation import DRAWS, validate
from .figures.validation import plot
from .model_card import DRUGS, model_card, put_into


def run(arguments: Sequence[str], root: Path = Path()) -> None:
    """Print the model card, or with ``--write`` put it into README.md and the pictures into figures/ below `root`.

    Raises
    ------
    SystemExit
        For any other argument.
    """
    if set(arguments) - {"--write"}:
        raise SystemExit("usage: run.py [--write]")
    results, switched = validate(), {drug: switches(drug=drug) for drug in DRUGS}
    card = model_card(results, switched)
    if not arguments:
        print(card)
        return
    readme = root / "README.md"
    readme.write_text(put_into(readme.read_text(encoding="utf-8"), card), encoding="utf-8")
    plot(results, root / "figures" / "validation.png", draws=DRAWS)
    write_switches(switched, root / "figures" / "switches.csv")


def write_switches(switched: Mapping[str, Sequence[Switched]], path: Path) -> None:
    """Necrosis of every arm under every switch as CSV, one line an arm."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["drug", "switch", "arm", "necrosis_percent"])
        for drug, every in switched.items():
            for each in every:
                writer.writerows([drug, each.switch, arm, f"{value:.4g}"] for arm, value in each.necrosis.items())
