"""Every figure of the gallery on small inputs: numbers that repeat, a picture that can be read, nothing that breaks.

To add a figure name the settings that make it small in `SMALL`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from pkmodel.inputs import library
from pkmodel.report.figures.data import FigureData
from pkmodel.report.figures.style import LEAST_FONT
from pkmodel.report.gallery import entry, gallery

SMALL: dict[str, dict[str, Any]] = {
    "model_diagram": {},
    "concentrations": {"arms": ("iv", "emulsion_sponge")},
    "exposure": {"drugs": ("cisplatin",), "arms": ("iv", "bland_embolisation"), "catheters": ("lobar",)},
    "release": {"carriers": ("beads",), "draws": 3},
    "arterial_flow": {"agents": ("lipiodol",), "draws": 3},
    "what_kills": {"drugs": ("cisplatin",), "arms": ("emulsion_sponge",), "draws": 2},
    "necrosis_by_size": {"diameters_mm": (30.0,), "draws": 2, "cohort": 8},
    "validation": {"only": ("fluorouracil_phillips", "kontny_2013"), "draws": 2},
    "virtual_cohort": {"n": 3, "shown": 2},
    "decision": {"half_lives_h": (3.0, 300.0), "occlusions": (0.3, 0.9), "draws": 2, "doses": (1.0,), "depths": (0.6,)},
    "sensitivity": {"most": 2, "n": 8, "kinds": ("fitted",)},
    "repeated_sessions": {"arms": ("beads",), "times": 2, "every_days": 10.0, "until_days": 14.0},
    "infusion_rate": {"durations_h": (0.1, 2.0), "courses_h": (0.5,)},
    "evidence_map": {"drugs": ("cisplatin",)},
    "overview": {"arms": ("iv", "emulsion_sponge"), "draws": 2, "diameters_mm": (30.0,)},
}
COMPOSED = ("overview",)  # of other figures' numbers: not computed again and again
NOTHING = FigureData.of_rows([], caption="Nothing.", n="nobody")
UNIT = re.compile(r"\[.+\]$")
each_figure = pytest.mark.parametrize("name", SMALL)


@cache
def small(name: str) -> FigureData:
    """The numbers of a figure on its small input."""
    return entry(name).data(**SMALL[name])


@cache
def picture(name: str) -> Any:
    """The picture of a figure on its small input, laid out."""
    figure = entry(name).draw(small(name))
    figure.canvas.draw()
    return figure


def drawn_texts(figure: Any) -> Iterator[Any]:
    """Texts that can be seen; a tick outside the limits of its axis is there, and not drawn."""
    from matplotlib.text import Text

    hidden = set()
    for axes in figure.get_axes():
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not axes.axison or not low <= tick.get_loc() <= high:
                    hidden |= {id(tick.label1), id(tick.label2)}
        if not axes.axison:
            hidden |= {id(axes.xaxis.label), id(axes.yaxis.label)}
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible() and id(text) not in hidden:
            yield text


def test_every_figure_is_tested() -> None:
    assert list(SMALL) == list(gallery())


@pytest.mark.parametrize("name", [name for name in SMALL if name not in COMPOSED])
def test_a_rerun_gives_the_same_bytes(name: str) -> None:
    assert entry(name).data(**SMALL[name]).to_csv() == small(name).to_csv()


@each_figure
def test_numbers_survive_the_file(name: str) -> None:
    data = small(name)
    again = FigureData.from_csv(data.to_csv(), caption=data.caption, n=data.n, seed=data.seed, sources=data.sources)
    assert again.columns == data.columns
    assert again.to_csv() == data.to_csv()


@each_figure
def test_the_caption_says_what_is_shown(name: str) -> None:
    figure, data = entry(name), small(name)
    assert len(data) > 0
    assert data.caption.endswith(".")
    assert data.n
    assert figure.question.endswith("?")
    assert figure.title
    assert all(library.evidence_row(each)["source"] for each in data.sources)
    draws = SMALL[name].get("draws")
    assert draws is None or (data.seed is not None and f"{draws} draws" in data.n)


@each_figure
def test_axes_say_what_they_measure_and_in_which_unit(name: str) -> None:
    shown = [axes for axes in picture(name).get_axes() if axes.axison and axes.get_label() != "<colorbar>"]
    assert shown or name in ("model_diagram", "evidence_map")
    for axes in shown:
        assert UNIT.search(axes.get_xlabel()), (name, axes.get_xlabel())
        labels = [text.get_text() for text in axes.get_yticklabels() if text.get_text()]
        named = bool(labels) and not any(re.search(r"[0-9]", text) for text in labels)  # categories need no unit
        beside = axes.get_shared_y_axes().get_siblings(axes)
        same_scale = axes.get_subplotspec() is not None and not axes.get_subplotspec().is_first_col()
        good = any(UNIT.search(each.get_ylabel()) for each in [axes, *beside]) or named or (not labels and same_scale)
        assert good, (name, axes.get_ylabel(), labels)


@each_figure
def test_texts_are_legible_and_within_the_picture(name: str) -> None:
    figure = picture(name)
    whole = figure.bbox
    texts = list(drawn_texts(figure))
    assert texts
    for text in texts:
        box, what = text.get_window_extent(), (name, text.get_text())
        assert text.get_fontsize() >= LEAST_FONT, what
        assert min(box.x0 - whole.x0, box.y0 - whole.y0, whole.x1 - box.x1, whole.y1 - box.y1) >= -1.0, what


@each_figure
def test_nothing_can_be_drawn(name: str) -> None:
    assert entry(name).draw(NOTHING).get_size_inches().min() > 0.0


@pytest.mark.parametrize("name", ["concentrations", "arterial_flow", "necrosis_by_size"])
def test_published_points_are_optional(name: str) -> None:
    data = entry(name).data(**SMALL[name], points=False)
    assert data.sources == ()
    assert len(data) < len(small(name))
    assert entry(name).draw(data).get_axes()


@pytest.mark.parametrize("name", [name for name in SMALL if name not in {"model_diagram", "validation", *COMPOSED}])
def test_the_users_own_patient(name: str) -> None:
    own = library.patient("hcc_child_b").with_value("tumour.diameter", 35.0)
    data = entry(name).data(own, **SMALL[name])
    assert data.to_csv() != small(name).to_csv()
