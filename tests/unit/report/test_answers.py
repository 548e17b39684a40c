"""The five sentences: what they say comes from the numbers, and the README says what the stored numbers say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pkmodel.errors import FileError, UnknownNameError
from pkmodel.report import answers, experiments, gallery
from pkmodel.report.figures.data import FigureData
from pkmodel.report.text import two, within

ROOT = Path(__file__).parents[3]
CONFIGS = sorted((ROOT / "experiments").glob("*/config.toml"))
EXPERIMENTS = [path.parent for path in CONFIGS if "\nfigure = " in path.read_text(encoding="utf-8")]


def row(panel: str, quantity: str, value: float, **more: Any) -> dict[str, Any]:
    return {"panel": panel, "arm": "emulsion_sponge", "quantity": quantity, "value": value, "low_90": 0.5 * value,
            "high_90": 2.0 * value, **more}  # fmt: skip


def numbers(*, marrow: bool = True) -> FigureData:
    """Made-up numbers of a picture."""
    nadir = "neutrophil_nadir_1e9_per_l"
    share = {"panel": "kills", "arm": "emulsion_sponge", "drug": "cisplatin", "quantity": "share of the log kill"}
    rows = [
        {**share, "cause": "drug", "percent": 36.0, "low_90_percent": 7.0, "high_90_percent": 75.0,
         "variance_from_assumed_percent": 104.0},
        {**share, "cause": "ischaemia", "percent": 51.0, "low_90_percent": 9.0, "high_90_percent": 91.0},
        {**share, "cause": "retention", "percent": 13.0, "low_90_percent": 2.0, "high_90_percent": 23.0},
        row("arms", "tumour_auc_over_iv", 5.0), row("arms", "plasma_auc_over_iv", 0.8),
        row("arms", "necrosis_percent", 64.0, best_percent=30.0),
        row("arms", "necrosis_percent", 80.0, arm="beads", best_percent=70.0),
        *(row("doses", "necrosis_percent", 10.0 + dose, dose_mg=dose) for dose in (50.0, 100.0)),
        *(row("intervals", "viable_mean_percent", days / 7.0, every_days=days, best_percent=100.0 - days)
          for days in (21.0, 42.0)),
    ]  # fmt: skip
    if marrow:
        rows += [row("arms", nadir, 2.0)]
        rows += [row("doses", nadir, 3.0, dose_mg=50.0), row("doses", nadir, 1.0, dose_mg=100.0)]
        rows += [row("intervals", nadir, 2.0, every_days=days) for days in (21.0, 42.0)]
    return FigureData.of_rows(rows, caption="", n="")


def test_each_sentence_says_its_numbers_with_their_intervals() -> None:
    lines = answers.answers(numbers()).splitlines()
    assert len(lines) == 5
    drug, cost, formulation, dose, interval = lines
    assert "36 % [7-75] is owed to the drug, 51 % [9-91] to ischaemia and 13 % [2-23] to drug that" in drug
    assert "100 mg cisplatin" in drug
    assert "100 % of the variance of the drug's share" in drug  # more than all is a matter of few draws
    assert "5 [2.5-10] times the exposure of an intravenous one, for 0.8 [0.4-1.6] times its plasma AUC" in cost
    assert "beads 80 % [40-160], emulsion + sponge 64 % [32-128]" in formulation
    assert formulation.endswith("70 % of the draws: beads.")
    assert "60 % [30-120], 110 % [55-220] necrosis and lets neutrophils fall to 3 [1.5-6], 1 [0.5-2]" in dose
    assert interval.endswith("least in 79 % of the draws: every 21 d.")


def test_a_drug_without_marrow_slope_has_no_nadir() -> None:
    text = answers.answers(numbers(marrow=False))
    assert len(text.splitlines()) == 5
    assert "neutrophil" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.2e-9, "0.00"), (0.55, "0.55"), (2.6, "2.6"), (9.96, "10"), (64.4, "64"), (1334.2, "1334")],
)
def test_two_digits(value: float, text: str) -> None:
    assert two(value) == text


def test_an_interval_may_be_missing() -> None:
    assert within(64.0, None, 90.0, " %") == "64 %"
    assert within(None, None, None) == "nothing"


def stored() -> FigureData:
    """The overview's numbers as they stand in the repository."""
    manifest = json.loads((ROOT / "figures" / "overview.json").read_text(encoding="utf-8"))
    text = (ROOT / "figures" / "overview.csv").read_text(encoding="utf-8")
    return FigureData.from_csv(text, caption=manifest["caption"], n=manifest["n"], seed=manifest["seed"])


def test_the_readme_says_what_the_stored_numbers_say() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert answers.between(answers.answers(stored())) in text
    assert experiments.gallery_table(ROOT / "experiments") in text
    assert "](figures/overview.png)" in text


@pytest.mark.slow
def test_the_stored_numbers_are_those_of_the_model() -> None:
    again, before = gallery.entry("overview").data(), stored()
    assert again.columns.keys() == before.columns.keys()
    for name, cells in again.columns.items():
        for one, other in zip(cells, before.columns[name], strict=True):
            same = one == other if isinstance(one, str | None) else other == pytest.approx(one, rel=1e-6, abs=1e-9)
            assert same, (name, one, other)


@pytest.mark.parametrize("folder", EXPERIMENTS, ids=lambda folder: folder.name)
def test_an_experiment_shows_the_figure_of_the_gallery(folder: Path) -> None:
    figure, settings, out, _ = experiments.read_config(folder / "config.toml")
    manifest = json.loads((out / f"{figure.name}.json").read_text(encoding="utf-8"))
    assert settings.items() <= manifest["settings"].items()
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert experiments.answer_block(manifest, figure.name, out, folder) in readme
    assert figure.question.lower() in " ".join(readme.lower().split())
    assert (out / f"{figure.name}.png").stat().st_size < 200_000
    assert len((folder / "run.py").read_text(encoding="utf-8").strip().splitlines()) <= 8


def test_an_experiment_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "experiments" / "09_mine" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('schema = 1\nfigure = "concentrations"\n[settings]\narms = ["iv"]\npoints = false\n')
    readme = config.with_name("README.md")
    readme.write_text(f"# Mine\n{experiments.BEGIN}\n{experiments.END}\nMore.\n", encoding="utf-8")
    written = experiments.run(config, ["--write"])
    answer = capsys.readouterr().out.strip()
    assert answer
    assert written.manifest["answer"] == answer
    text = readme.read_text(encoding="utf-8")
    assert f"**Answer.** {answer}" in text
    assert re.search(r"!\[.+\]\(concentrations\.png\)", text)
    assert text.endswith("More.\n")
    with pytest.raises(SystemExit, match="usage"):
        experiments.run(config, ["--wirte"])


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("schema = 1\n", FileError, "names no figure"),
        ('schema = 1\nfigures = "exposure"\n', FileError, "no key 'figures'; did you mean 'figure'"),
        ('schema = 1\nfigure = "exposition"\n', UnknownNameError, "no figure 'exposition'"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text)
    with pytest.raises(error, match=message):
        experiments.read_config(config)
