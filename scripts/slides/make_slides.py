"""Slides of executed notebooks, by nbconvert.

    python make_slides.py JOBS.json

JOBS.json: {"jobs": [{"name", "notebook", "html"}], "page": folder with the slides' template, "reveal": where reveal.js lies,
seen from the slides}.

What a cell is on a slide is said by its metadata (slideshow, as JupyterLab's property inspector writes it), else by what it is:
a heading begins a slide; what a cell shows is one below it, or on it if its text is short, without the code; "How to read it" and notes for the teacher are
the speaker's; code that shows nothing, parameters, and the cells of exercises are left out.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

TEACHER = "teacher"
SHORT = 350  # characters of a text that leaves room for a figure
PARTS = re.compile(r"(?m)^(?=#{1,6} |\*\*How to read it)")


def main(spec: dict) -> None:
    exporter = SlidesExporter(
        template_name="page",
        extra_template_basedirs=[str(Path(spec["page"]).parent)],
        reveal_url_prefix=spec["reveal"],
        reveal_theme="white",
        exclude_input=True,
        exclude_output_prompt=True,
    )
    for job in spec["jobs"]:
        nb = nbformat.read(job["notebook"], as_version=4)
        nb.cells = beside_headings([part for cell in nb.cells for part in parts(cell)])
        html, _ = exporter.from_notebook_node(nb, resources={"metadata": {"name": job["name"]}})
        Path(job["html"]).parent.mkdir(parents=True, exist_ok=True)
        Path(job["html"]).write_text(html, encoding="utf-8")


def parts(cell) -> list:
    """The cell, or where a text has several headings its parts, each with its place on the slides."""
    if cell.metadata.get("slideshow"):
        return [cell]
    if cell.cell_type == "code":
        shown = cell.outputs and "nbgrader" not in cell.metadata
        cell.metadata["slideshow"] = {"slide_type": "subslide" if shown else "skip"}
        return [cell]
    if TEACHER in cell.metadata.get("tags", []):
        return [placed(cell.source, "notes")]
    return [placed(text, place(text)) for text in PARTS.split(cell.source) if text.strip()]


def beside_headings(cells: list) -> list:
    """The first that is shown after a short text is put beside it."""
    text = None  # that of the slide, as long as it is alone there
    for cell in cells:
        kind = cell.metadata["slideshow"]["slide_type"]
        if kind == "slide" and cell.cell_type == "markdown":
            text = cell.source
        elif kind == "-" and text is not None:
            text += cell.source
        elif kind == "subslide":
            if text is not None and len(text) <= SHORT:
                cell.metadata["slideshow"]["slide_type"] = "-"
            text = None
    return cells


def place(text: str) -> str:
    if text.startswith("## Parameters"):
        return "skip"
    if text.startswith("#"):
        return "slide"
    return "notes" if text.startswith("**How to read it") else "-"


def placed(text: str, slide_type: str):
    return nbformat.v4.new_markdown_cell(text, metadata={"slideshow": {"slide_type": slide_type}})


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
