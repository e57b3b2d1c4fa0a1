"""Pages of the site, of executed notebooks, lessons without solutions and Markdown, by nbconvert.

    python make_pages.py JOBS.json

JOBS.json: {"pages": [{"source": path in the project, "file": what is read, "target": path in the site, …}], "menu": what every page
lists, "root": the project's folder, "template": its folder, "out": the site's folder}.
Other files of the project that are linked come along, in files/. Prints a JSON list of what is linked and is nowhere.
"""

from __future__ import annotations

import base64
import json
import posixpath
import re
import struct
import sys
from html import unescape
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter

PICTURES = (".png", ".svg")
PLOTLY = "application/vnd.plotly.v1+json"
HEADING = re.compile(r'<h([1-6]) id="[^"]*">(.*?)</h\1>', re.DOTALL)
LINK = re.compile(r'<a href="(?![a-z]+:|#)([^"#]+)(#[^"]*)?">(.*?)</a>', re.DOTALL)
PICTURE = re.compile(r'(<img [^>]*?src=")(?![a-z]+:)([^"]+)')


def main(spec: dict) -> None:
    exporter = HTMLExporter(
        template_name=Path(spec["template"]).name,
        extra_template_basedirs=[str(Path(spec["template"]).parent)],
        exclude_anchor_links=True,
    )
    site = Site(spec)
    for page in spec["pages"]:
        nb = read(page)
        site.lay_figures(nb, page["target"])
        at = posixpath.dirname(page["target"])
        # only what the template itself writes is relative to the site
        resources = {"page": page, "menu": spec["menu"], "to": lambda target, at=at: relative(target, at)}
        html, _ = exporter.from_notebook_node(nb, resources=resources)
        head, text, foot = re.split(r"(?<=<main id=\"text\" tabindex=\"-1\">)|(?=</main>)", html)
        site.write(page["target"], (head + site.moved(tidied(text), page) + foot).encode())
    print(json.dumps(site.missing))


def read(page: dict):
    if not page["file"]:
        return nbformat.v4.new_notebook()
    if page["file"].endswith(".ipynb"):
        return nbformat.read(page["file"], as_version=4)
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
        """Pictures become files, and what plotly draws them from others, which are read only when somebody asks."""
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

    def target(self, source: str) -> str | None:
        """Where it lies in the site; a file that is no page is put there, as text that a browser shows if it is no picture."""
        if source not in self.targets and (self.root / source).is_file():
            self.targets[source] = f"files/{source}" + ("" if source.endswith(PICTURES) else ".txt")
            self.write(self.targets[source], (self.root / source).read_bytes())
        return self.targets.get(source)

    def moved(self, html: str, page: dict) -> str:
        """Links and pictures as they lie in the site."""
        folder, at = posixpath.dirname(page["source"] or ""), posixpath.dirname(page["target"])

        def place(path: str) -> str | None:
            target = self.target(posixpath.normpath(posixpath.join(folder, unescape(path))))
            if target is None:
                self.missing.append(f"{page['source']}: {path}")
            return target and relative(target, at)

        def link(match: re.Match) -> str:
            path, anchor, text = match.groups()
            target = place(path)
            return f'<a href="{target}{anchor or ""}">{text}</a>' if target else text

        def picture(match: re.Match) -> str:
            start, path = match.groups()
            return start + (path if path.startswith("figures/") and page["file"].endswith(".ipynb") else place(path) or path)

        return PICTURE.sub(picture, LINK.sub(link, html))


def relative(target: str, at: str) -> str:
    if not target:  # the site's folder itself
        return "../" * len([part for part in at.split("/") if part]) or "./"
    return posixpath.relpath(target, at or ".")


def tidied(html: str) -> str:
    """Anchors as Markdown's links name them; tables that scroll by themselves; no heading of a column without words."""
    seen: dict[str, int] = {}

    def heading(match: re.Match) -> str:
        level, text = match.groups()
        words = re.sub(r"[^\w\- ]", "", unescape(re.sub(r"<[^>]*>", "", text)).strip().lower()).replace(" ", "-")
        count = seen[words] = seen.get(words, -1) + 1
        return f'<h{level} id="{words}{f"-{count}" if count else ""}">{text}</h{level}>'

    html = HEADING.sub(heading, html)
    html = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)
    return re.sub(r"<table(.*?)</table>", r'<div class="wide"><table\1</table></div>', html, flags=re.DOTALL)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
