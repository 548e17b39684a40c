"""The HTML report in a real browser: no sideways scrolling, and no request leaves the file.

Not run where the machine has no Chromium: the one permitted exception to "no skipped tests".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest

from pkmodel.cli import main

SCENARIO = """\
schema = 1
title = '''TITLE'''
patient = "hcc_reference"
until = "14 d"
[[session]]
at = "0 d"
give = [{ drug = "cisplatin", dose = "50 mg", route = "hepatic_artery", carrier = "lipiodol_suspension" }]
"""
WIDTHS = (1280, 390, 320)
LONG = "x" * 300
NOT_RUN = "not run: no Chromium on this machine (the static tests of tests/unit/report/test_page.py did run)"

pytestmark = pytest.mark.skipif(chromium.found() is None, reason=NOT_RUN)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    """Return a running browser."""
    path = chromium.found()
    assert path is not None
    with chromium.browser(path, tmp_path_factory.mktemp("profile")) as running:
        yield running


def written(folder: Path, title: str) -> Path:
    """Return a report under a title of one's own."""
    source, target = folder / "mine.toml", folder / "report.html"
    source.write_text(SCENARIO.replace("TITLE", title), encoding="utf-8")
    assert main(["report", str(source), "-o", str(target)]) == 0
    return target


def test_a_report_fits_every_width_and_asks_for_nothing(page: chromium.Browser, tmp_path: Path) -> None:
    target = written(tmp_path, f"A title with a word of three hundred letters: {LONG}")
    for width in WIDTHS:
        seen = page.look(target, width=width)
        assert seen.inner_width == width
        assert seen.scroll_width <= width
        assert seen.requests == []


def test_what_a_title_smuggles_in_is_not_run(page: chromium.Browser, tmp_path: Path) -> None:
    target = written(tmp_path, "</title><img src='https://example.org/x.png' onerror='document.title = 1'>")
    assert page.look(target, width=390).requests == []
    shown = page.call("Runtime.evaluate", expression="document.title")["result"]["value"]
    assert "example.org" in shown


def test_the_browser_sees_a_page_that_is_too_wide_and_one_that_asks(page: chromium.Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<p style='width: 2000px'>wide</p><img src='near.png'><img src='http://127.0.0.1:9/far.png'>")
    seen = page.look(bad, width=390)
    assert seen.scroll_width >= 2000
    assert [each.rpartition("/")[2] for each in seen.requests] == ["near.png", "far.png"]
