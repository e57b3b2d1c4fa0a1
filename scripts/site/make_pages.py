"""Pages of the site, of executed notebooks, lessons without solutions and Markdown, by nbconvert.

    python make_pages.py JOBS.json

JOBS.json: {"pages": [{"source": path in the project, "file": what is read, "target": path in the site, …}], "menu": what every page
lists, "root": the project's folder, "template": its folder, "out": the site's folder}.
Other files of the project that are linked come along, in files/. Prints a JSON list of what is linked and is nowhere.
"""

from __future__ import annotations

import base64
import gc
import json
import posixpath
import re
import struct
import sys
from pathlib import Path
from urllib.parse import quote, unquote

import figure_data
import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter, TemplateExporter
from nbconvert.filters import Highlight2HTML

PICTURES = (".png", ".svg")
PLOTLY = "application/vnd.plotly.v1+json"
DONE = re.compile(r"^[^\n]*: 100%$")  # how far a sweep has come tells a reader nothing


def main(spec: dict) -> None:
    exporter = PageExporter(
        template_name=Path(spec["template"]).name,
        extra_template_basedirs=[str(Path(spec["template"]).parent)],
        exclude_anchor_links=True,
    )
    site = Site(spec)
    for page in spec["pages"]:
        nb = read(page)
        site.lay_figures(nb, page["target"])
        at = posixpath.dirname(page["target"])
        resources = {"page": page, "menu": spec["menu"], "to": lambda target, at=at: relative(target, at)}
        html, _ = exporter.from_notebook_node(nb, resources=resources)
        soup = BeautifulSoup(html, "html.parser")
        tidy(soup, soup.main)
        site.move(soup.main, page)
        site.write(page["target"], str(soup).encode())
    print(json.dumps(site.missing))


class PageExporter(HTMLExporter):
    """As the template writes it: HTMLExporter would read every page once more, for elements that only JupyterLab's own templates have."""

    def from_notebook_node(self, nb, resources=None, **options):
        language = nb.metadata.get("language_info", {}).get("name")
        self.register_filter("highlight_code", Highlight2HTML(pygments_lexer=language, parent=self))
        return TemplateExporter.from_notebook_node(self, nb, self._init_resources(resources), **options)


def read(page: dict):
    if not page["file"]:
        return nbformat.v4.new_notebook()
    if page["file"].endswith(".ipynb"):
        nb = nbformat.read(page["file"], as_version=4)
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs = [out for out in cell.outputs if not DONE.search(out.get("data", {}).get("text/plain", ""))]
        return nb
    text = Path(page["file"]).read_text(encoding="utf-8")
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


class Site:
    def __init__(self, spec: dict) -> None:
        self.out = Path(spec["out"])
        self.root = Path(spec["root"])
        self.targets = {page["source"]: page["target"] for page in spec["pages"] if page["source"]}
        self.missing: list[str] = []

    def write(self, target: str, content: bytes) -> None:
        file = self.out / target
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def lay_figures(self, nb, target: str) -> None:
        """Pictures become files, and what plotly draws them from others, which are read only when somebody asks. Their numbers are tables, too, if they aren't too many."""
        at, name = posixpath.dirname(target), posixpath.basename(target).removesuffix(".html")
        outputs = [out for cell in nb.cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})]
        for number, out in enumerate(outputs, 1):
            picture = base64.b64decode(out.data["image/png"])
            width, height = struct.unpack(">II", picture[16:24])
            path = f"figures/{name}-{number}"
            self.write(posixpath.join(at, f"{path}.png"), picture)
            out.metadata["figure"] = {"picture": f"{path}.png", "width": width, "height": height}
            if PLOTLY in out.data:
                out.metadata["figure"]["source"] = f"{path}.json"
                self.write(posixpath.join(at, f"{path}.json"), json.dumps(out.data[PLOTLY], separators=(",", ":")).encode())
                out.metadata["figure"] |= {"numbers": f"{path}.csv", "tables": figure_data.tables_to_read(out.data[PLOTLY])}
                self.write(posixpath.join(at, f"{path}.csv"), figure_data.csv_of(out.data[PLOTLY]).encode())

    def target(self, source: str) -> str | None:
        """Where it lies in the site; a file that is no page is put there, as text that a browser shows if it is no picture."""
        if source not in self.targets and (self.root / source).is_file():
            self.targets[source] = f"files/{source}" + ("" if source.endswith(PICTURES) else ".txt")
            self.write(self.targets[source], (self.root / source).read_bytes())
        return self.targets.get(source)

    def move(self, text, page: dict) -> None:
        """Links and pictures as they lie in the site; what the template has put there is right already."""
        folder, at = posixpath.dirname(page["source"]), posixpath.dirname(page["target"])
        for element in [*text.find_all("a", href=True), *text.find_all("img", src=True)]:
            if element.find_parent(["nav", "figure"]) or "button" in element.get("class", []) or element.has_attr("download"):
                continue
            name = "href" if element.name == "a" else "src"
            path, _, anchor = element[name].partition("#")
            if not path or re.match("[a-z]+:", path):
                continue
            target = self.target(posixpath.normpath(posixpath.join(folder, unquote(path))))
            if target is None:
                self.missing.append(f"{page['source']}: {path}")
            else:
                element[name] = quote(relative(target, at)) + (f"#{anchor}" if anchor else "")


def relative(target: str, at: str) -> str:
    if not target:  # the site's folder itself
        return "../" * len([part for part in at.split("/") if part]) or "./"
    return posixpath.relpath(target, at or ".")


def tidy(soup, text) -> None:
    """Anchors as Markdown's links name them; tables that scroll by themselves; no heading of a column without words."""
    seen: dict[str, int] = {}
    for heading in text.find_all(re.compile("^h[1-6]$")):
        words = re.sub(r"[^\w\- ]", "", heading.get_text().strip().lower()).replace(" ", "-")
        count = seen[words] = seen.get(words, -1) + 1
        heading["id"] = f"{words}-{count}" if count else words
    for cell in text.find_all("th"):
        if not cell.get_text(strip=True):
            cell.name = "td"
            cell.attrs.pop("scope", None)
    for table in text.find_all("table"):
        table.wrap(soup.new_tag("div", attrs={"class": "wide"}))


if __name__ == "__main__":
    gc.set_threshold(200_000)  # pages are large trees, whole until they are written: to look for garbage in them is a seventh of the work
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
