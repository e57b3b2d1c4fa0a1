"""The numbers that a figure shows, read from its plotly JSON: as tables of a page, and as rows of one CSV file.

Reads what `src/figures` writes: the names of axes are in what a trace says when pointed at, those of panels in notes above them.
"""

from __future__ import annotations

import csv
import html
import io
import re
from dataclasses import dataclass, field

NAMED = re.compile(r"^(.*?) ?%\{(x|y|z)[^}]*\}")
HEAD = {"head %{y}.%{x}": {"y": "layer", "x": "head"}, "head %{x}.%{y}": {"x": "layer", "y": "head"}}
MOST_CELLS = 1_000  # of a table that somebody reads; more are a file
Cell = "float | str | None"


@dataclass
class Series:
    """What one trace shows. A point is {"x": …, "y": …} and, where there is one, "z", "label" and "spread"."""

    panel: str
    name: str
    names: dict[str, str]  # of x, y and z
    points: list[dict[str, Cell]] = field(default_factory=list)
    is_grid: bool = False
    is_cloud: bool = False  # points of their own, where the others go on along x


@dataclass
class Table:
    caption: str
    head: list[str]
    rows: list[list[Cell]]  # the first cell names the row

    @property
    def shown(self) -> list[list[str]]:
        """Rows as they are read: numbers with four decimals, as a figure says them when pointed at; those that are whole stay whole."""
        return [[shown(row[0]).removesuffix(".0000"), *map(shown, row[1:])] for row in self.rows]


def series_of(figure: dict) -> list[Series]:
    """Traces with values: not what only explains the legend, nor a diagonal. A band is its line's spread."""
    found, band = [], None
    level = next((trace["name"] for trace in figure["data"] if "dash" in trace.get("line", {}) and trace["y"] == [None]), "level")
    for trace in figure["data"]:
        says = trace.get("hovertemplate", "")
        if trace.get("fill") == "toself":
            band = trace
            continue
        if says and "%{y" not in says:  # a drawn circuit, where places are no values
            found.append(drawn(trace, says.split("<extra>")[0].split("<br>")))
            continue
        if not says and (not trace.get("name") or all(y is None for y in trace["y"])):
            continue
        panel = panel_of(trace, figure["layout"])
        own = Series(panel, plain(trace.get("name") or ""), names_of(says))
        own.is_grid, own.is_cloud = trace["type"] == "heatmap", trace["type"] == "box" or trace.get("mode") == "markers"
        own.points = list(cells(trace) if own.is_grid else points(trace, band))
        band = None
        if not says:  # a level to compare with, or one of several repetitions
            beside = [one for one in found if one.panel == panel]
            dashed = "dash" in trace["line"]
            after = beside[-1] if dashed else None
            repeated = sum(one.name.startswith(f"{own.name}, run ") for one in beside)
            own.name += f", {plain(level)}" if dashed else f", run {repeated + 1}"
            own.names = after.names if after else {}
        found.append(own)
    for one in found:  # repetitions come before the line of their mean
        if not one.names:
            one.names = next(other.names for other in found if other.panel == one.panel and other.names)
    return found


def cells(trace: dict):
    texts = trace.get("text") or [[""] * len(row) for row in trace["z"]]
    for y, row, said in zip(trace["y"], trace["z"], texts):
        for x, z, text in zip(trace["x"], row, said):
            written = plain(text)
            yield {"x": plain(x), "y": plain(y), "z": z, **({"label": written} if re.search(r"[^\d.,%−+-]", written) else {})}


def points(trace: dict, band: dict | None):
    spread = trace.get("error_y", {}).get("array") or (band and [float(f"{upper - y:.6g}") for upper, y in zip(band["y"], trace["y"])])
    for i, (x, y) in enumerate(zip(trace["x"], trace["y"])):
        more = {"label": plain(trace["text"][i])} if "text" in trace else {}
        yield {"x": plain(x), "y": y, **more, **({"spread": spread[i]} if spread else {})}


def drawn(trace: dict, lines: list[str]) -> Series:
    """A path of a circuit, or its heads."""
    if "text" in trace:
        groups = [{"x": plain(head), "y": plain(group)} for head, group in zip(trace["text"], trace["customdata"])]
        return Series("Heads", "", {"x": "head", "y": "group"}, groups)
    name, value = plain(lines[2]).rsplit(" ", 1)
    return Series("Paths", plain(lines[1]), {"x": "path", "y": name}, [{"x": plain(lines[0]), "y": float(value)}])


def names_of(says: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for line in says.split("<extra>")[0].split("<br>"):
        match = NAMED.match(line)
        names |= HEAD.get(line) or ({match[2]: plain(match[1])} if match else {})
    return names


def panel_of(trace: dict, layout: dict) -> str:
    """What stands above a panel: its part of the figure and its own title, as `src/figures` places them."""
    left, right = layout[f"xaxis{trace['xaxis'][1:]}"]["domain"]
    top = layout[f"yaxis{trace['yaxis'][1:]}"]["domain"][1]
    above = [note for note in layout["annotations"] if note["y"] > top and "textangle" not in note]
    parts = [note for note in above if note["xanchor"] == "left" and note["x"] <= left]
    part = min(parts, key=lambda note: (round(note["y"], 4), -note["x"]), default=None)
    title = [note for note in above if abs(note["x"] - (left + right) / 2) < 1e-4 and (note["y"] - top) * layout["height"] < 13]
    return ", ".join(plain(note["text"]) for note in [part, *title[:1]] if note)


def plain(text: Cell) -> Cell:
    return html.unescape(re.sub(r"</?b>", "", text)) if isinstance(text, str) else text


def tables_of(figure: dict) -> list[Table]:
    panels: dict[str, list[Series]] = {}
    for one in series_of(figure):
        panels.setdefault(one.panel, []).append(one)
    return [table for panel, own in panels.items() for table in tables_of_panel(panel, own)]


def tables_to_read(figure: dict) -> list[Table]:
    """Its tables, if somebody can read as much; else none."""
    tables = tables_of(figure)
    return tables if sum(len(table.head) * len(table.rows) for table in tables) <= MOST_CELLS else []


def tables_of_panel(panel: str, own: list[Series]) -> list[Table]:
    grids = [grid_table(panel, one) for one in own if one.is_grid]
    rest = [one for one in own if not one.is_grid]
    if not rest:
        return grids
    once = all(len({point["x"] for point in one.points}) == len(one.points) for one in rest)
    return [*grids, across(panel, rest) if once and not any(one.is_cloud for one in rest) else listed(panel, rest)]


def grid_table(panel: str, one: Series) -> Table:
    x, y, value = one.names["x"], one.names["y"], one.names["z"]
    rows: dict[Cell, list[Cell]] = {}
    for point in one.points:
        cell = point["z"] if not point.get("label") else f"{point['label']}: {shown(point['z'])}"
        rows.setdefault(point["y"], [point["y"]]).append(cell)
    ways = "; ".join(f"{way}: {name}" for way, name in (("rows", y), ("columns", x)) if name)
    across = [str(point["x"]) for point in one.points[: len(one.points) // len(rows)]]
    return Table("; ".join(filter(None, [panel, value, ways])), [y, *across], list(rows.values()))


def across(panel: str, own: list[Series]) -> Table:
    """A row for each x, a column for each series, one more for its spread."""
    paths = own[0].names["x"] == "path"
    head, rows = [own[0].names["x"]], {point["x"]: [] for one in own for point in one.points}
    for one in joined(own) if paths else own:
        at = {point["x"]: point for point in one.points}
        spread = any("spread" in point for point in one.points)
        name = one.name or one.names["y"]
        head += [name, f"{name} ±"] if spread else [name]
        for x, row in rows.items():
            row += [at.get(x, {}).get(key) for key in (["y", "spread"] if spread else ["y"])]
    caption = ", ".join(filter(None, [panel, own[0].names["y"]]))
    return Table(caption, head, [[x, *row] for x, row in rows.items()])


def joined(own: list[Series]) -> list[Series]:
    """The traces of one name as one series."""
    found: dict[str, Series] = {}
    for one in own:
        found.setdefault(one.name, Series(one.panel, one.name, one.names)).points.extend(one.points)
    return list(found.values())


def listed(panel: str, own: list[Series]) -> Table:
    """A row for each point."""
    x, y = own[0].names["x"], own[0].names["y"]
    labelled = any("label" in point for one in own for point in one.points)
    named = any(one.name for one in own)
    head = [*(["point"] if labelled else []), *(["series"] if named else []), x, y]
    rows = [
        [*([point.get("label")] if labelled else []), *([one.name] if named else []), point["x"], point["y"]]
        for one in own
        for point in one.points
    ]
    return Table(", ".join(filter(None, [panel, y])), head, rows)


def csv_of(figure: dict) -> str:
    """A row for each value, with all its digits."""
    rows = []
    for one in series_of(figure):
        named = {"panel": one.panel, "series": "" if one.is_grid else one.name}
        for point in one.points:
            row = {key: value for key, value in named.items() if value}
            row |= {one.names.get(key) or key: point[key] for key in ("y", "x", "z") if key in point and one.is_grid}
            row |= {one.names.get(key) or key: point[key] for key in ("x", "y") if not one.is_grid}
            row |= {name: point[key] for key, name in (("spread", "standard deviation"), ("label", "text")) if point.get(key) not in (None, "")}
            rows.append(row)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    columns.sort(key=lambda name: ["panel", "series"].index(name) if name in ("panel", "series") else 2)
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def shown(value: Cell) -> str:
    """Text as it is; – where there is nothing; minus as a sign that is read aloud."""
    if value is None or isinstance(value, str):
        return "–" if value is None else value
    text = str(value) if isinstance(value, int) else f"{value:.4f}"
    return (text.replace("-", "") if float(text) == 0 else text).replace("-", "−")
