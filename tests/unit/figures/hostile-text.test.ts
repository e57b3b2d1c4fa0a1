// Every text that a caller or the data can bring is shown as it is: none is markup, and none fetches anything.
import assert from "node:assert/strict";
import { test } from "node:test";
import { above, beside } from "../../../src/figures/beside";
import { circuitGraph } from "../../../src/figures/circuit-graph";
import { heatmap } from "../../../src/figures/heatmap";
import type { Figure } from "../../../src/figures/panels";
import { bars, lines, scatter } from "../../../src/figures/series";
import { spread } from "../../../src/figures/spread";
import { attentionPattern, tokenStrip } from "../../../src/figures/tokens";
import { toSvg } from "../../../src/show/picture";
import { remoteLoads } from "../../fixtures/remote-loads";

/** What plotly would make of it: a style that loads, a link with an attribute, bold text, a character's name. */
const HOSTILE = [
  `<span style="fill:url(http://example.org/a.svg#b);background:url('http://example.org/a.png')">s</span>`,
  `<a href="http://example.org/" onmouseover="x" target="_blank">l</a>`,
  `<img src=http://example.org/a.png><image href="http://example.org/b.png"/>`,
  "<b>&lt; & &amp;",
];

function figures(t: string): Record<string, Figure> {
  const column = `c${t}`;
  const names = { x: `x${t}`, y: `y${t}`, value: `value${t}`, level: `level${t}` };
  const row = { x: t, y: 1, value: 0.5, level: 1, std: 0.1, panel: `p${t}`, series: `s${t}`, [column]: 3, 1: 1 };
  const rows: Record<string, string | number>[] = [row, { ...row, x: 1, [column]: 4 }].map((one, i) => ({
    ...one,
    x: i === 0 ? t : `1${t}`,
  }));
  const numeric: typeof rows = rows.map((one, i) => ({ ...one, x: i }));
  const title = `title${t}`;
  const all = { title, columns: "panel", series: "series", names };
  const map = heatmap(rows, { x: "x", y: "panel", value: "value", text: "series", title, names });
  const node = (id: string, layer: number) => ({ id: `${id}${t}`, layer, group: `g${t}` });
  const [from, to] = [node("0", 0), node("1", 1)];
  return {
    heatmap: map,
    "heatmap of columns": heatmap(rows, { x: column, y: column, value: column, columns: column }),
    bars: bars(rows, { x: "x", y: "y", std: "std", ...all }),
    "bars of columns": bars(rows, { x: column, y: column, series: column, columns: column }),
    lines: lines(numeric, { x: "x", y: "y", reference: "level", ...all }),
    scatter: scatter(numeric, { x: "x", y: "y", label: "panel", diagonal: `diagonal${t}`, ...all }),
    spread: spread(rows, { x: "x", y: "y", ...all }),
    strip: spread(rows, { x: "x", y: "y", shape: "strip", ...all }),
    attention: attentionPattern([{ query_pos: "A", key_pos: "A", attention: 1, panel: t }], {
      columns: "panel",
      tokens: [t],
      title,
    }),
    tokens: tokenStrip(rows, { position: "panel", token: "x", value: "value", lines: "x", title }),
    graph: circuitGraph(
      { nodes: [from, to], edges: [{ from: from.id, to: to.id, value: 1, kind: `k${t}`, sent: `s${t}` }] },
      { value: `v${t}`, kinds: [`k${t}`], sent: [`s${t}`], title, layers: { 1: `l${t}` } },
    ),
    beside: beside([{ title, figure: map }]),
    above: above([{ title, figure: map }]),
  };
}

/** Every text in a figure. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

for (const [name, figure] of Object.entries(figures(HOSTILE.join(" ")))) {
  test(`${name}: hostile text is shown as it is`, async () => {
    for (const text of textsOf(figure)) {
      const bare = text.replace(/<\/?b>|<br>|<\/?extra>/g, "");
      assert.doesNotMatch(bare, /[<>]/, `not escaped: ${text}`);
      assert.doesNotMatch(text, /&lt; & /, `not escaped: ${text}`);
    }
    const svg = await toSvg(figure);
    assert.deepEqual(remoteLoads(svg), []);
    assert.doesNotMatch(svg, /<(a|img)\b|<[^>]*example\.org/);
    for (const hostile of HOSTILE) {
      const shown = hostile.slice(0, 3).replace("<", "&#60;"); // as plotly writes it
      assert.ok(svg.includes(shown), `${shown} is not in the picture`);
    }
  });
}
