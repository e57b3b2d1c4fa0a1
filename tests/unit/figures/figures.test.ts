import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { above, beside } from "../../../src/figures/beside";
import { heatmap } from "../../../src/figures/heatmap";
import type { Figure } from "../../../src/figures/panels";
import { profiles } from "../../../src/figures/profiles";
import { bars, lines, scatter } from "../../../src/figures/series";
import { spread } from "../../../src/figures/spread";
import { PAPER_MODEL, THIS_MODEL } from "../../../src/figures/style";
import { attentionPattern, tokenStrip } from "../../../src/figures/tokens";
import { grid } from "../../../src/numbers/lists";

const heads = [1, 2, 3].flatMap((letter) =>
  [0, 1].flatMap((layer) =>
    [0, 1, 2].map((head) => ({ letter, layer, head, logit_diff: letter * (layer - head), std: 0.5 })),
  ),
);
const options = { x: "head", y: "layer", value: "logit_diff" } as const;
const first = heads.filter((row) => row.letter === 1);
const positions = ["BOS", "The", "C1"];
const attention = positions.flatMap((query_pos, i) =>
  positions.map((key_pos, j) => ({ query_pos, key_pos, attention: j > i ? 0 : 1 / (i + 1) })),
);

type Colours = { cmin: number; cmax: number; colorscale: [number, string][] };
const colours = (figure: Figure, axis = "coloraxis") => figure.layout[axis] as Colours;
const axis = (figure: Figure, name: string) => figure.layout[name] as Record<string, unknown>;
const texts = (figure: Figure) => (figure.layout.annotations as { text: string }[]).map((note) => note.text);

describe("heatmap", () => {
  it("puts each row's value into its cell, whatever the order of the rows", () => {
    for (const rows of [first, [...first].reverse()]) {
      const [trace] = heatmap(rows, options).data;
      assert.deepEqual(
        [trace.x, trace.y],
        [
          ["0", "1", "2"],
          ["0", "1"],
        ],
      );
      assert.deepEqual(trace.z, [
        [0, -1, -2],
        [1, 0, -1],
      ]);
    }
  });

  it("reaches to the largest value, or to its floor if that is more", () => {
    const reach = (floor: number) => colours(heatmap(first, { ...options, floor })).cmax;
    assert.deepEqual([reach(0.5), reach(5)], [2, 5]);
  });

  it("keeps changes of hundredths pale without being asked, where they are in logits", () => {
    const small = first.map(({ layer, head }) => ({ layer, head, change: 0.01 * (layer - head), moved: 0.01 }));
    const reach = (value: "change" | "moved", more = {}) =>
      colours(heatmap(small, { x: "head", y: "layer", value, ...more })).cmax;
    assert.deepEqual(
      [reach("change"), reach("moved"), reach("change", { names: { change: "share" } }), reach("change", { floor: 0 })],
      [0.25, 0.01, 0.02, 0.02],
    );
  });

  it("names the grey of cells without a value in the legend, once, and only where there are some", () => {
    const legend = (rows: readonly object[], more = {}) => {
      const figure = heatmap(rows as typeof heads, { ...options, columns: "letter", ...more });
      const named = figure.data.filter((trace) => trace.showlegend);
      assert.equal(figure.layout.showlegend, named.length > 0);
      return named.map(({ name, marker }) => [name, (marker as { color: string }).color, figure.layout.plot_bgcolor]);
    };
    const unknown = heads.map((row, i) => ({ ...row, logit_diff: i === 7 ? null : row.logit_diff }));
    assert.deepEqual(legend(heads), [], "an exact 0 is white and needs no word");
    for (const rows of [heads.slice(1), unknown]) assert.deepEqual(legend(rows), [["no value", "#dddddd", "#dddddd"]]);
    assert.deepEqual(legend(unknown, { missing: "<later>" })[0][0], "&lt;later&gt;");
  });

  it("has one colour axis for all panels, symmetric about 0, red below and blue above", () => {
    const figure = heatmap(heads, { ...options, columns: "letter" });
    assert.deepEqual(
      figure.data.map((trace) => trace.coloraxis),
      ["coloraxis", "coloraxis", "coloraxis"],
    );
    const { cmin, cmax, colorscale } = colours(figure);
    assert.deepEqual([cmin, cmax], [-6, 6]);
    const rgb = ([, hex]: [number, string]) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
    const [low, middle, high] = [rgb(colorscale[1]), rgb(colorscale[5]), rgb(colorscale[9])];
    assert.ok(low[0] > low[2] && high[2] > high[0], "red is low, blue is high");
    assert.deepEqual([colorscale[5][0], middle], [0.5, [255, 255, 255]]);
    assert.ok(texts(figure).includes("letter 3"));
  });

  it("has layer 0 at the top and names heads as 8.11", () => {
    const figure = heatmap(first, options);
    assert.deepEqual(axis(figure, "yaxis").range, [1.5, -0.5]);
    assert.match(figure.data[0].hovertemplate as string, /^head %{y}\.%{x}<br>logit difference \(logits\)/);
    assert.match(
      heatmap(first, { ...options, x: "layer", y: "head" }).data[0].hovertemplate as string,
      /^head %{x}\.%{y}/,
    );
  });

  it("writes labels smaller in small cells, and leaves some out only where that is not enough", () => {
    const rows = [...Array(26)].map((_, i) => ({ x: String.fromCharCode(65 + i), y: 0, value: i }));
    const labels = (width: number) => {
      const figure = heatmap(rows, { x: "x", y: "y", value: "value", cell: { width, height: 20 } });
      const { tickvals, tickfont } = axis(figure, "xaxis") as { tickvals: string[]; tickfont: { size: number } };
      return [tickvals.length, tickfont.size];
    };
    assert.deepEqual([20, 12, 10, 9, 6].map(labels), [
      [26, 11],
      [26, 11],
      [26, 9],
      [13, 9],
      [13, 9],
    ]);
  });

  it("leaves cells without a value empty, and shows all-zero values as white", () => {
    const rows = [...first.slice(1), { ...first[0], layer: 1, head: 7, logit_diff: null }];
    const [trace] = heatmap(rows, options).data;
    assert.deepEqual((trace.z as unknown[][])[0], [null, -1, -2, null]);
    assert.equal(colours(heatmap([{ ...first[0], logit_diff: 0 }], options)).cmax, 1);
  });

  it("refuses what it can't draw, naming it", () => {
    const cases: [object[], RegExp][] = [
      [[], /at least one row/],
      [[...first, { layer: 5, head: 5 }], /row 6 has no column "logit_diff"; it has layer, head/],
      [[{ ...first[0], logit_diff: Number.NaN }], /"logit_diff" must be a finite number, not NaN \(row 0: .*layer 0/],
      [[first[0], { ...first[1], logit_diff: Number.POSITIVE_INFINITY }], /not Infinity \(row 1:/],
      [[...first, first[2]], /rows 2 and 6 are both for head 2, layer 0/],
      [[{ ...first[0], layer: undefined }], /"layer" must be text or a finite number, not undefined/],
    ];
    for (const [rows, message] of cases) {
      assert.throws(() => heatmap(rows as typeof first, options), { name: "RangeError", message });
    }
    assert.throws(() => heatmap(first, { ...options, floor: Number.NaN }), /range must be .*, not NaN/);
    assert.throws(() => heatmap(first, { ...options, range: 0 }), /range must be a positive number, not 0/);
    const zeros = first.map((row) => ({ ...row, [options.value]: 0 }));
    for (const range of [0, undefined]) {
      assert.equal(colours(heatmap(zeros, { ...options, range })).cmax, 1);
    }
  });

  it("takes column names from the rows' type", () => {
    // @ts-expect-error no such column
    assert.throws(() => heatmap(first, { ...options, value: "logitdiff" }), /no column "logitdiff"/);
  });
});

describe("bars, lines and scatter", () => {
  it("tells a bar of 0 from a missing one by writing the 0", () => {
    const rows = [
      { x: "a", y: 0 },
      { x: "b", y: -1 },
    ];
    const [figure, without] = [rows, rows.slice(1)].map((some) => bars(some, { x: "x", y: "y" }));
    const { texttemplate, textposition } = figure.data[0];
    assert.deepEqual([texttemplate, textposition], [["0", ""], "outside"]);
    assert.ok(!("texttemplate" in without.data[0]));
    const top = ({ layout }: typeof figure) => (layout.yaxis as { range: [number, number] }).range[1];
    assert.ok(top(figure) > 0.05, "room for the 0 above bars that hang down");
    assert.equal(top(without), 0);
  });

  it("draws points that cover each other smaller and more transparent", () => {
    const marker = (n: number) => {
      const points = Array.from({ length: n }, (_, i) => ({ x: i % 7, y: i % 5 }));
      return scatter(points, { x: "x", y: "y" }).data[0].marker as { size: number; opacity: number };
    };
    const [few, many] = [marker(150), marker(151)];
    assert.ok(many.size < few.size && many.opacity < few.opacity);
  });

  it("draws the diagonal of a scatter behind the points of every panel, over the reach of both axes", () => {
    const rows = [1, 2].flatMap((letter) => [0, 3].map((x) => ({ letter, x, y: 2 * x + letter })));
    const { data, layout } = scatter(rows, { x: "x", y: "y", columns: "letter", diagonal: "the same" });
    const lines = data.filter((trace) => trace.mode === "lines" && trace.showlegend === false);
    assert.deepEqual(
      lines.map(({ x, y, xaxis }) => [x, y, xaxis]),
      [
        [[0, 8], [0, 8], "x"],
        [[0, 8], [0, 8], "x2"],
      ],
    );
    assert.equal(data.indexOf(lines[0]) < data.findIndex((trace) => trace.mode === "markers"), true);
    assert.deepEqual(
      data.filter((trace) => trace.showlegend).map(({ name }) => name),
      ["the same"],
    );
    assert.equal(layout.showlegend, true);
    const plain = scatter(rows, { x: "x", y: "y", columns: "letter" });
    assert.equal(
      plain.data.some((trace) => trace.mode === "lines"),
      false,
    );
  });

  const models = [PAPER_MODEL, THIS_MODEL].flatMap((model) => heads.slice(0, 3).map((row) => ({ ...row, model })));

  it("give the same letter and the same model the same colour, in any order", () => {
    const colourOf = (rows: typeof models) =>
      Object.fromEntries(
        bars(rows, { x: "head", y: "logit_diff", series: "model" }).data.map((trace) => [
          trace.name,
          (trace.marker as { color: string }).color,
        ]),
      );
    assert.deepEqual(colourOf(models), colourOf([...models].reverse()));
    const letters = (rows: typeof heads) =>
      scatter(rows, { x: "head", y: "logit_diff", series: "letter" }).data.map(
        (t) => (t.marker as { color: string }).color,
      );
    assert.equal(new Set(letters(heads)).size, 3);
    assert.equal(letters(heads.filter((row) => row.letter === 3))[0], letters(heads)[2]);
  });

  it("have each series in the legend once, though it is in every panel", () => {
    const rows = ["8.11", "10.10"].flatMap((head) => heads.slice(0, 12).map((row) => ({ ...row, model: head })));
    const part = rows.filter((row) => row.layer === 0);
    const figure = bars(part, { x: "head", y: "logit_diff", std: "std", series: "model", columns: "letter" });
    assert.deepEqual(
      figure.data.map((trace) => [trace.name, trace.showlegend]),
      [
        ["8.11", true],
        ["10.10", true],
        ["8.11", false],
        ["10.10", false],
      ],
    );
  });

  it("write a 0 where a bar is exactly 0, and nothing where one is missing", () => {
    const some = [
      { letter: 1, input: "q", change: 0 },
      { letter: 2, input: "q", change: -1 },
      { letter: 2, input: "k", change: 1e-9 },
    ];
    const [first, second] = bars(some, { x: "input", y: "change", series: "letter" }).data;
    assert.deepEqual([first.x, first.texttemplate], [["q"], ["0"]]);
    assert.equal(second.texttemplate, undefined);
    const [both] = bars(some.slice(0, 2), { x: "letter", y: "change" }).data;
    assert.deepEqual(both.texttemplate, ["0", ""]);
  });

  it("show the ends of ± bars, and 0 under bars", () => {
    const figure = bars(
      first.filter((row) => row.layer === 1),
      { x: "head", y: "logit_diff", std: "std" },
    );
    const [low, high] = axis(figure, "yaxis").range as number[];
    assert.ok(low < -1.5 && high > 1.5);
    assert.deepEqual((figure.data[0].error_y as { array: number[] }).array, [0.5, 0.5, 0.5]);
    const high1 = bars([{ letter: 1, accuracy: 0.9 }], { x: "letter", y: "accuracy" });
    assert.equal((axis(high1, "yaxis").range as number[])[0], 0);
  });

  it("name a faulty row as the caller counts it, also within a panel", () => {
    const rows = [1, 2, 3].map((letter) => ({ letter, head: "8.11", logit_diff: letter === 3 ? Number.NaN : 1 }));
    const panels = { x: "head", y: "logit_diff", columns: "letter" } as const;
    for (const draw of [bars, lines, spread]) assert.throws(() => draw(rows, panels), /not NaN \(row 2: letter 3/);
    const spreads = rows.map((row, i) => ({ ...row, logit_diff: 1, std: 1 - i }));
    assert.throws(() => bars(spreads, { ...panels, std: "std" }), /negative: -1 \(row 2/);
  });

  it("keep heads such as 10.10 as names", () => {
    const rows = [
      { head: "10.10", logit_diff: 1 },
      { head: "9.9", logit_diff: 2 },
    ];
    const x = axis(lines(rows, { x: "head", y: "logit_diff" }), "xaxis");
    assert.deepEqual([x.type, x.categoryarray], ["category", ["10.10", "9.9"]]);
  });

  it("draw a band of one std around lines over numbers, sorted by x", () => {
    const rows = [2, 0, 1].map((layer) => ({ layer, logit_diff: layer, std: 0.5, clean: 4 }));
    const [band, line, level] = lines(rows, { x: "layer", y: "logit_diff", std: "std", reference: "clean" }).data;
    assert.deepEqual(line.x, [0, 1, 2]);
    assert.deepEqual(band.x, [0, 1, 2, 2, 1, 0]);
    assert.deepEqual(band.y, [0.5, 1.5, 2.5, 1.5, 0.5, -0.5]);
    assert.deepEqual(
      [level.x, level.y],
      [
        [0, 1, 2],
        [4, 4, 4],
      ],
    );
  });

  it("draw a reference that changes along x, grey where it is no series' own", () => {
    const rows = grid({ head: [0, 1], position: ["BOS", "The"] }).map((row) => {
      return { ...row, attention: 0.3, even: row.position === "BOS" ? 1 : 0.5 };
    });
    const options = { x: "position", y: "attention", series: "head", reference: "even" } as const;
    const level = (figure: Figure) => figure.data[1] as { y: number[]; line: { color: string; dash: string } };
    const shared = level(lines(rows, options));
    assert.deepEqual([shared.y, shared.line.dash, shared.line.color], [[1, 0.5], "dash", "#888888"]);
    const own = rows.map((row) => ({ ...row, even: row.head }));
    assert.equal(level(lines(own, options)).line.color, "#0072b2");
  });

  it("end an axis of shares at 0 and 1, however far the spread reaches", () => {
    const rows = [0, 1].map((layer) => ({ layer, attention: layer, logit_diff: layer, std: 0.5 }));
    const range = (y: "attention" | "logit_diff") =>
      axis(lines(rows, { x: "layer", y, std: "std" }), "yaxis").range as number[];
    const [low, high] = range("attention");
    assert.ok(low > -0.1 && low < 0 && high > 1 && high < 1.1, `${low} to ${high}`);
    assert.ok(range("logit_diff")[0] < -0.5);
    const bar = bars(rows, { x: "layer", y: "attention", std: "std" });
    assert.equal((axis(bar, "yaxis").range as number[])[0], 0);
  });

  it("can be seen below each other: the lowest whole and with the largest points", () => {
    const rows = ["a", "b", "c"].flatMap((group) => [0, 1].map((x) => ({ group, x, y: 1 })));
    const options = { x: "x", y: "y", series: "group" } as const;
    const look = (figure: Figure) =>
      figure.data.map((trace) => [
        (trace.line as { dash?: string }).dash ?? "solid",
        (trace.marker as { size: number }).size,
      ]);
    assert.deepEqual(look(lines(rows, { ...options, overlapping: true })), [
      ["solid", 10],
      ["dash", 8],
      ["dot", 6],
    ]);
    assert.deepEqual(look(lines(rows, options)), Array(3).fill(["solid", 6]));
  });

  it("draw a thin line for each repetition, and their mean as the series' own", () => {
    const rows = grid({ mix: ["a", "b"], seed: [1, 2], step: [1, 0] }).map((row) => {
      return { ...row, accuracy: row.seed * (row.step + 1) * 0.1 };
    });
    const options = { x: "step", y: "accuracy", series: "mix" } as const;
    const { data } = lines(rows, { ...options, runs: "seed" });
    const drawn = data.map((trace) => [(trace.line as { width: number }).width, trace.showlegend]);
    assert.deepEqual(
      drawn,
      [...Array(2)].flatMap(() => [
        [1, false],
        [1, false],
        [2, true],
      ]),
    );
    const close = (a: unknown, b: number[]) =>
      assert.ok(
        (a as number[]).every((value, i) => Math.abs(value - b[i]) < 1e-9),
        `${a}`,
      );
    close(data[1].y, [0.2, 0.4]);
    close(data[2].y, [0.15, 0.3]);
    assert.deepEqual(data[0].x, [0, 1]);
    assert.throws(() => lines(rows, options), /rows 0 and 2 are both for step 1, mix a/);
  });

  it("refuse a negative spread", () => {
    const rows = [0, 1].map((layer) => ({ layer, logit_diff: 1, std: -layer, clean: layer }));
    assert.throws(() => bars(rows, { x: "layer", y: "logit_diff", std: "std" }), /can't be negative: -1 \(row 1/);
  });
});

describe("profiles", () => {
  const rowsOf = (heads: number) =>
    grid({ layer: [0, 1], head: [...Array(heads).keys()], position: ["BOS", "The"] }).map((row) => {
      return { ...row, attention: 0.3, std: 0.1, even: row.position === "BOS" ? 1 : 0.5 };
    });
  const options = {
    x: "position",
    y: "attention",
    series: "head",
    columns: "layer",
    std: "std",
    reference: "even",
  } as const;

  it("are lines while these can be told apart", () => {
    assert.deepEqual(profiles(rowsOf(6), options), lines(rowsOf(6), options));
  });

  it("are rows of colours where there are more, with what they are compared with on top", () => {
    const figure = profiles(rowsOf(7), { ...options, names: { even: "even attention" } });
    assert.deepEqual(
      figure.data.map(({ type }) => type),
      ["heatmap", "heatmap"],
    );
    const [{ y, z }] = figure.data as unknown as { y: string[]; z: number[][] }[];
    assert.deepEqual([y.length, y[0], y[1], y[7]], [8, "even attention", "head 0", "head 6"]);
    assert.deepEqual(
      [z[0], z[1]],
      [
        [1, 0.5],
        [0.3, 0.3],
      ],
    );
    assert.deepEqual([colours(figure).cmin, colours(figure).cmax], [0, 1]);
  });
});

describe("spread", () => {
  it("draw each letter's distribution in its own colour", () => {
    const figure = spread(heads, { x: "letter", y: "logit_diff", shape: "strip" });
    assert.deepEqual(
      figure.data.map((trace) => (trace.y as number[]).length),
      [6, 6, 6],
    );
    assert.equal(new Set(figure.data.map((trace) => (trace.marker as { color: string }).color)).size, 3);
  });
});

describe("attentionPattern and tokenStrip", () => {
  it("shows queries down and keys across, without what a causal model can't see", () => {
    const figure = attentionPattern(attention);
    assert.deepEqual(figure.data[0].z, [
      [1, null, null],
      [1 / 2, 1 / 2, null],
      [1 / 3, 1 / 3, 1 / 3],
    ]);
    assert.deepEqual([colours(figure).cmin, colours(figure).cmax], [0, 1]);
    assert.equal(colours(figure).colorscale[0][1], "#ffffff");
    const named = figure.data.filter((trace) => trace.showlegend).map(({ name }) => name);
    assert.deepEqual(named, ["hidden by the mask"]);
  });

  it("writes the tokens beside the positions", () => {
    const figure = attentionPattern(attention, { tokens: ["<|endoftext|>", "The", " K"] });
    assert.deepEqual(figure.data[0].y, ["BOS", "The", "C1 ␣K"]);
    assert.throws(() => attentionPattern(attention, { tokens: ["a"] }), /3 positions \(BOS, The, C1\) but 1 tokens/);
  });

  it("refuses attention to a later token or outside 0..1", () => {
    const change = (value: number) => attention.map((row, i) => (i === 1 ? { ...row, attention: value } : row));
    assert.throws(() => attentionPattern(change(0.2)), /query BOS can't attend to The, which comes later: 0.2/);
    assert.throws(() => attentionPattern(change(-0.2)), /must be in 0..1, not -0.2/);
  });

  it("writes tokens into cells, never as markup", () => {
    const rows = [{ position: "C1", token: " <b>", head: "8.11", attention: 0.5 }];
    const figure = tokenStrip(rows, { position: "position", token: "token", value: "attention", lines: "head" });
    assert.deepEqual(figure.data[0].text, [["␣&lt;b&gt;"]]);
  });
});

describe("beside and above", () => {
  const part = (title: string) => ({ title, figure: heatmap(heads, { ...options, columns: "letter" }) });
  const bar = { title: "bars", figure: bars(heads.slice(0, 3), { x: "head", y: "logit_diff", series: "letter" }) };

  for (const put of [beside, above]) {
    it(`${put.name} keeps every trace on axes, colours and a legend of its own part`, () => {
      const figure = put([part("a"), bar, part("b")]);
      const used = figure.data.map((trace) => [trace.xaxis, trace.coloraxis ?? trace.legend]);
      assert.deepEqual(used, [
        ["x", "coloraxis"],
        ["x2", "coloraxis"],
        ["x3", "coloraxis"],
        ["x4", "legend"],
        ["x5", "coloraxis2"],
        ["x6", "coloraxis2"],
        ["x7", "coloraxis2"],
      ]);
      assert.equal(axis(figure, "xaxis6").matches, "x5");
      assert.equal(axis(figure, "yaxis7").anchor, "x7");
      assert.deepEqual(figure.data[4].z, figure.data[0].z);
    });

    it(`${put.name} keeps the size of every panel and lets none overlap`, () => {
      const single = part("a");
      const figure = put([single, bar, single]);
      const boxes = [1, 2, 3, 4, 5, 6, 7].map((i) => {
        const at = (name: string, size: number) =>
          (axis(figure, `${name}${i === 1 ? "" : i}`).domain as number[]).map((end) => end * size);
        return { x: at("xaxis", figure.layout.width), y: at("yaxis", figure.layout.height) };
      });
      const wide = (box: (typeof boxes)[number]) => box.x[1] - box.x[0];
      const own = (axis(single.figure, "xaxis").domain as number[]).map((end) => end * single.figure.layout.width);
      assert.ok(
        Math.abs(wide(boxes[0]) - (own[1] - own[0])) < 1e-6 && Math.abs(wide(boxes[6]) - wide(boxes[0])) < 1e-6,
      );
      boxes.forEach((a, i) => {
        for (const b of boxes.slice(i + 1)) {
          assert.ok(a.x[1] < b.x[0] || b.x[1] < a.x[0] || a.y[1] < b.y[0] || b.y[1] < a.y[0]);
        }
      });
    });
  }

  it("gives all parts the widest range of colours when asked", () => {
    const small = { title: "small", figure: heatmap(first, options) };
    const own = beside([small, part("large")]);
    assert.deepEqual([colours(own).cmax, colours(own, "coloraxis2").cmax], [2, 6]);
    const same = beside([small, part("large")], { sameColours: true });
    assert.deepEqual([colours(same).cmin, colours(same, "coloraxis2").cmax], [-6, 6]);
    assert.throws(() => beside([]), /no figures/);
  });
});

describe("every figure", () => {
  const all = [
    heatmap(heads, { ...options, columns: "letter" }),
    bars(heads.slice(0, 3), { x: "head", y: "logit_diff" }),
    above([{ title: "a", figure: heatmap(first, options) }]),
  ];

  it("is plain JSON: nothing is lost when a notebook saves it", () => {
    for (const figure of all) assert.deepEqual(JSON.parse(JSON.stringify(figure)), figure);
  });

  it("has no margins, so that its parts are where the layout says", () => {
    for (const figure of all) {
      assert.deepEqual(figure.layout.margin, { l: 0, r: 0, t: 0, b: 0, autoexpand: false });
      for (const [key, value] of Object.entries(figure.layout)) {
        if (!/^[xy]axis/.test(key)) continue;
        const [from, to] = (value as { domain: number[] }).domain;
        assert.ok(from > 0 && from < to && to < 1, `${key} lies inside the picture`);
      }
    }
  });
});

describe("values that are not finite", () => {
  const bad = (value: number) => attention.map((row, i) => (i === 1 ? { ...row, attention: value } : row)); // BOS looks at "The"

  it("are refused in a pattern, those of later tokens too", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => attentionPattern(bad(value)), /"attention" must be a finite number, not .*key_pos The/);
  });

  it("are refused where they would bend a layout", () => {
    for (const wrap of [0, 1.5, Number.NaN])
      assert.throws(
        () => heatmap(heads, { ...options, columns: "letter", wrap }),
        /RangeError: wrap must be a whole number/,
      );
  });
});

describe("many rows, and labels that look alike", () => {
  it("draws 150,000 rows", () => {
    const rows = Array.from({ length: 150_000 }, (_, i) => ({ i, name: `n${i}`, value: Math.sin(i), group: i % 3 }));
    assert.equal((scatter(rows, { x: "i", y: "value" }).data[0].x as number[]).length, 150_000);
    assert.equal((bars(rows, { x: "name", y: "value" }).data[0].x as number[]).length, 150_000);
    assert.equal((lines(rows, { x: "i", y: "value" }).data[0].x as number[]).length, 150_000);
    assert.ok(spread(rows, { x: "group", y: "value" }).data.length > 0);
  });

  it('refuses 1 and "1" in one column: both would stand at one place', () => {
    const rows = [
      { x: 1, y: 1, value: 1 },
      { x: "1", y: 1, value: 2 },
    ];
    const message = /"x" holds 1 both as a number \(row 0\) and as text \(row 1\)/;
    assert.throws(() => bars(rows, { x: "x", y: "value" }), message);
    assert.throws(() => lines(rows, { x: "x", y: "value" }), message);
    assert.throws(() => spread(rows, { x: "x", y: "value" }), message);
    assert.throws(() => heatmap(rows, { x: "x", y: "y", value: "value" }), message);
    assert.throws(() => scatter(rows, { x: "y", y: "value", series: "x" }), message);
  });
});
