"""Experiments that are figures: a question, its settings, and a README with the answer and the picture.

The configuration names a figure of the gallery (`figure`), where it is written (`out`, relative to the file), and in
``[settings]`` the keyword arguments of its `data`; `front_page` is a README that shows the answer, too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import FileError, UnknownNameError
from ..inputs.tomlfile import read_toml
from .answers import between, put_into
from .gallery import Entry, Written, entry, gallery, write

BEGIN, END = "<!-- answer: generated, do not edit -->", "<!-- end of answer -->"
GALLERY_BEGIN, GALLERY_END = "<!-- gallery: generated, do not edit -->", "<!-- end of gallery -->"
_KEYS = ("schema", "figure", "out", "settings", "front_page")


def run(config: str | Path, arguments: Sequence[str] = ()) -> Written:
    """Write the figure of an experiment and print its answer; with ``--write`` put it into the README beside as well.

    Parameters
    ----------
    config : the experiment's TOML file
    arguments : ``--write``, ``--fresh``, or none

    Raises
    ------
    SystemExit
        For any other argument.
    FileError
        The configuration lacks its figure or holds what nobody knows.
    """
    if set(arguments) - {"--write", "--fresh"}:
        raise SystemExit("usage: run.py [--write] [--fresh]")
    path = Path(config)
    figure, settings, out, front_page = read_config(path)
    written = write(figure.name, out, fresh="--fresh" in arguments, settings=settings)
    print(written.manifest["answer"])
    if "--write" in arguments:
        readme = path.with_name("README.md")
        block = answer_block(written.manifest, figure.name, out, path.parent)
        readme.write_text(put_into(readme.read_text(encoding="utf-8"), block, BEGIN, END), encoding="utf-8")
        if front_page is not None:
            text = put_into(front_page.read_text(encoding="utf-8"), between(str(written.manifest["answer"])))
            text = put_into(text, gallery_table(path.parents[1]), GALLERY_BEGIN, GALLERY_END)
            front_page.write_text(text, encoding="utf-8")
    return written


def read_config(path: Path) -> tuple[Entry, dict[str, Any], Path, Path | None]:
    """Return the figure, its settings, the folder it goes to, and the README that shows the answer, too.

    Raises
    ------
    FileError
        The configuration lacks its figure or holds what nobody knows.
    """
    table = read_toml(path)
    for key in table:
        if key not in _KEYS:
            raise FileError(f"{path}: {UnknownNameError.of('key', key, _KEYS)}")
    if "figure" not in table:
        raise FileError(f"{path}: names no figure; write figure = \"exposure\", for instance")
    front = table.get("front_page")
    settings, out = dict(table.get("settings", {})), path.parent / table.get("out", ".")
    return entry(table["figure"]), settings, out, None if front is None else path.parent / front


def answer_block(manifest: Mapping[str, Any], name: str, out: Path, beside: Path) -> str:
    """Return the answer and the picture as Markdown between markers."""
    picture = Path(os.path.relpath(out / f"{name}.png", beside)).as_posix()
    text = f"![{manifest['title']}]({picture})\n\n{manifest['caption']} n: {manifest['n']}; seed: {manifest['seed']}."
    lead = "\n\n" if str(manifest["answer"]).startswith("- ") else ""
    return f"{BEGIN}\n**Answer.** {lead}{manifest['answer']}\n\n{text}\n{END}"


def gallery_table(experiments: Path) -> str:
    """Return every figure of the gallery with its question and its experiment as a Markdown table between markers.

    Parameters
    ----------
    experiments : folder of the experiments, whose configurations say which figure they draw
    """
    found = {read_toml(path).get("figure"): path.parent.name for path in sorted(experiments.glob("*/config.toml"))}
    lines = ["| figure | question | experiment |", "|---|---|---|"]
    for each in gallery().values():
        folder = found.get(each.name)
        link = "" if folder is None else f"[{folder}](experiments/{folder}/)"
        lines.append(f"| [{each.name}](figures/{each.name}.png) | {each.question} | {link} |")
    return "\n".join([GALLERY_BEGIN, *lines, GALLERY_END])
