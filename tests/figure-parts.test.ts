// Figures in parts: joined they are the undivided figure; what doesn't belong together, is missing or comes twice is refused.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { estimate, estimateText } from "../scripts/figure/estimate";
import { figureOf, firstOfLayers } from "../scripts/figure/figures";
import { main } from "../scripts/figure/main";
import { mergeParts, type NamedPart } from "../scripts/figure/merge";
import { readOptions } from "../scripts/figure/options";
import {
  type Box,
  boxOfWhole,
  experimentOf,
  isThere,
  measurePart,
  newWhole,
  readPart,
  sizeOf,
  type Whole,
  writePart,
} from "../scripts/figure/parts";
import { UsageError } from "../scripts/validate/options";
import { measureAll, type Span } from "../src/experiments/measure";
import { activationPatch } from "../src/experiments/patching";
import { pathPatch } from "../src/experiments/path-patching";
import { swapBosOfPairs } from "../src/experiments/word-swaps";
import { initBackend } from "../src/model/backend/choose";
import type { Model } from "../src/model/model";
import { PATCHING_FIGURES } from "../src/paper/paper-patching";
import { resample } from "../src/prompts/corruption";
import { near } from "./fixtures/close";
import { outcomeOf } from "./fixtures/command";
import { TINY, tinyModel, tinyPrompts } from "./fixtures/tiny-prompts";

const ROOT = path.resolve(__dirname, "..");
const dir = mkdtempSync(path.join(tmpdir(), "parts-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const [N, BATCH, SEEDS] = [5, 2, 2];
const data = tinyPrompts(N, 0);
let model: Model;
before(async () => {
  await initBackend();
  model = tinyModel();
});

function wholeOf(figure: string, change: Partial<Whole> = {}): Whole {
  const { tokens, answerLetters, letters } = data;
  const whole = newWhole({
    figure,
    model: { sha256: "a", config: TINY },
    prompts: { sha256: "b", tokens, answerLetters, letters },
    seeds: figureOf(figure).hasSeeds ? SEEDS : 1,
    points: 0,
    batch: BATCH,
    backend: "cpu",
    version: "1",
  });
  return { ...whole, points: experimentOf(whole, 0).points.length, ...change };
}

async function partOf(whole: Whole, box: Partial<Box> = {}, name = "part"): Promise<NamedPart> {
  const own = { ...boxOfWhole(whole), ...box };
  return { name, whole, box: own, notes: {}, ...(await measurePart(model, whole, own)) };
}

/** Through the file, as a merge gets it. */
function throughFile(part: NamedPart): NamedPart {
  const file = path.join(dir, `${Math.random()}.json`);
  writePart(file, part);
  return { name: part.name, ...readPart(file) };
}

describe("joined parts are the undivided figure, bit for bit where they ran the same batches", () => {
  const undivided: Record<string, () => Promise<object[]>> = {
    path: () => pathPatch(model, data, { receiver: "logits", corrupted: resample(data, 0), batch: BATCH }),
    "path-k-1.1-2.0": () =>
      pathPatch(model, data, {
        receiver: {
          heads: [
            { layer: 1, head: 1 },
            { layer: 2, head: 0 },
          ],
          input: "k",
        },
        corrupted: resample(data, 0),
        batch: BATCH,
      }),
    "13": () => swapBosOfPairs(model, data, { batch: BATCH }),
  };
  for (const [name, { ...options }] of Object.entries(PATCHING_FIGURES))
    undivided[`${Number(name.match(/\d+/)?.[0])}`] = () =>
      activationPatch(model, data, { ...options, corrupted: resample(data, 0), batch: BATCH });

  for (const [figure, rowsOf] of Object.entries(undivided))
    test(`figure ${figure}`, async () => {
      const whole = wholeOf(figure);
      const begins = firstOfLayers(experimentOf(whole, 0).points);
      const middle = begins[Math.ceil(begins.length / 2)];
      const boxes: Partial<Box>[] = [
        { prompts: [0, 4], points: [0, middle] },
        { prompts: [0, 4], points: [middle, whole.points] },
        { prompts: [4, N] },
      ].map((box) => ({ ...box, seeds: [0, 1] }) as unknown as Partial<Box>);
      if (whole.seeds > 1) boxes.push({ seeds: [1, 2] });
      const parts = [];
      for (const box of boxes.reverse()) parts.push(throughFile(await partOf(whole, box)));
      const { rows } = mergeParts(parts); // the order of parts is of no account
      const expected = (await rowsOf()).map((row) => ({ seed: 0, ...row }));
      assert.ok(expected.length > 0);
      assert.deepEqual(rows.slice(0, expected.length), expected);
      assert.equal(rows.length, whole.seeds * expected.length);
      assert.ok(figureOf(figure).draw(rows as never).data.length > 0);
    });

  test("parts that begin within a layer: equal but for rounding", async () => {
    const whole = wholeOf("6");
    const cut = firstOfLayers(experimentOf(whole, 0).points)[0] + 2;
    const boxes: Span[] = [
      [0, cut],
      [cut, whole.points],
    ];
    const parts = await Promise.all(boxes.map((points) => partOf(whole, { points })));
    near(mergeParts(parts).rows, mergeParts([await partOf(whole)]).rows);
  });
});

describe("refused by name", () => {
  let [left, right]: NamedPart[] = [];
  before(async () => {
    const whole = wholeOf("7");
    left = await partOf(whole, { prompts: [0, 4] }, "left.json");
    right = await partOf(whole, { prompts: [4, N] }, "right.json");
  });
  const merged =
    (...parts: NamedPart[]) =>
    () =>
      mergeParts(parts);

  test("what does not belong together", () => {
    const other = (change: Partial<Whole>) => ({ ...right, whole: { ...right.whole, ...change } });
    const { model: own, prompts } = right.whole;
    const cases: [Partial<Whole>, RegExp][] = [
      [{ figure: "4" }, /figure: 4, not 7/],
      [{ model: { ...own, sha256: "c" } }, /model .*: c, not a/],
      [{ model: { ...own, config: { ...TINY, n_heads: 4 } } }, /model's shape/],
      [{ prompts: { ...prompts, sha256: "c" } }, /prompts \(their hash\): c, not b/],
      [{ prompts: { ...prompts, tokens: prompts.tokens.slice(1) } }, /number of prompts: 4, not 5/],
      [{ seeds: 3 }, /number of seeds: 3, not 2/],
      [{ points: 3 }, /number of points: 3/],
      [{ batch: 4 }, /batch: 4, not 2/],
      [{ backend: "wasm" }, /backend: wasm, not cpu/],
      [{ version: "2" }, /version of the library: 2, not 1/],
    ];
    for (const [change, message] of cases) {
      assert.throws(merged(left, other(change)), message);
      assert.throws(merged(left, other(change)), /right\.json does not belong together with left\.json/);
    }
    const renamed = { ...own, config: { ...TINY, name: "the same under another name" } };
    mergeParts([left, other({ model: renamed })]);
  });

  test("what is missing, and what comes twice", () => {
    assert.throws(merged(left), /measurements are missing, first seeds 0:1, prompts 4:5, points 0:/);
    assert.throws(merged(left, right, { ...left, name: "again.json" }), /left\.json and again\.json both have .*0:4/);
  });

  test("files that are no whole part", () => {
    const file = path.join(dir, "cut.json");
    writePart(file, left);
    const text = readFileSync(file, "utf8");
    const cases: [string, RegExp][] = [
      [text.slice(0, -10), /cut\.json can't be read as a part/],
      ["{}", /cut\.json is not a part of a figure/],
      [text.replace(/,[^,]*\]\}\n$/, "]}"), /cut\.json has \d+ values, not the \d+ finite ones/],
      // JSON.stringify makes null of NaN
      ...[`"x"`, "null", `"1"`, "[1]", "true"].map((odd): [string, RegExp] => [
        text.replace(/,[^,]*\]\}\n$/, `,${odd}]}`),
        /cut\.json has \d+ values, not the \d+ finite ones/,
      ]),
    ];
    for (const [content, message] of cases) {
      writeFileSync(file, content);
      assert.throws(() => readPart(file), message);
    }
    assert.throws(() => readPart(path.join(dir, "none.json")), /there is no such file/);
  });

  test("spans that are not there or cut a batch", async () => {
    const { prompts, points, open } = experimentOf(wholeOf("7"), 0, model);
    const only = (own: { prompts?: Span; points?: Span }) => measureAll(prompts, points, open, { batch: 2, only: own });
    await assert.rejects(only({ prompts: [1, 4] }), /prompts 1:4 cut a batch of 2/);
    await assert.rejects(only({ prompts: [0, 3] }), /prompts 0:3 cut a batch of 2/);
    await assert.rejects(only({ prompts: [0, 6] }), /there are 5/);
    await assert.rejects(only({ points: [5, 5] }), /points 5:5/);
    await assert.rejects(only({ points: [0, points.length + 1] }), /points/);
  });

  test("figures and options", () => {
    assert.throws(
      () => figureOf("3"),
      /"3" can't be measured in parts; there are 1, 2, 4, 5, 6, 7, 13, path, and path-q-/,
    );
    assert.throws(() => figureOf("path-z-1.1"), UsageError);
    const cases: [string[], RegExp][] = [
      [[], /one figure is needed/],
      [["2", "--n", "x"], /--n takes a whole number from 2 on, not "x"/],
      [["2", "--prompts", "0-50", "--out", "a.json"], /--prompts takes first:end, such as 0:50, not "0-50"/],
      [["2", "--points", "0:50"], /a part needs --out/],
      [["--merge", "--out", "a"], /--merge needs the files/],
      [["--merge", "a.json"], /--merge needs --out/],
    ];
    for (const [args, message] of cases) assert.throws(() => readOptions(args), message);
  });

  test("a figure without permutations is measured and planned once, whatever --seeds says", () => {
    for (const more of [[], ["--dry-run"]])
      for (const [figure, seeds] of [
        ["13", 1],
        ["6", 3],
      ] as const) {
        const options = readOptions([figure, "--seeds", "3", ...more]);
        assert.equal("work" in options && options.work.seeds, seeds);
      }
    assert.throws(() => readOptions(["13", "--seeds", "x"]), /--seeds takes a whole number from 1 on, not "x"/);
    assert.throws(() => readOptions(["3"]), /"3" can't be measured in parts/);
  });

  test("a file of another part is not written over; the same part is there already", () => {
    const file = path.join(dir, "there.json");
    assert.equal(isThere(file, left.whole, left.box), false);
    writePart(file, left);
    assert.equal(isThere(file, left.whole, left.box), true);
    assert.throws(
      () => isThere(file, left.whole, right.box),
      /is there already and is another part \(seeds 0:2, prompts 0:4/,
    );
    assert.throws(() => isThere(file, { ...left.whole, batch: 3 }, left.box), /another part \(batch: 2, not 3\)/);
  });

  test("a folder that is none stays none", () => {
    const file = path.join(dir, "no-folder", "part.json");
    assert.throws(() => writePart(file, left), /can't be written/);
    assert.ok(!existsSync(path.dirname(file)));
  });
});

test("the estimate cuts a figure into parts that make up the whole", async () => {
  const work = { figure: "2", model: "gpt2-small", data: path.join(ROOT, "data/acronyms/held-out.txt"), n: 120 };
  const found = await estimate({ ...work, seeds: 2, batch: 50 }, 1);
  assert.equal(found.points, 3 * (1 + 12 * 12));
  assert.equal(
    found.parts.reduce((sum, part) => sum + sizeOf(part), 0),
    2 * 120 * found.points,
  );
  assert.equal(new Set(found.parts.map(({ name }) => name)).size, found.parts.length);
  assert.ok(found.parts.every(({ points }) => points[1] - points[0] > 1)); // the unchanged run is no part of its own
  assert.ok(found.share > 0.1 && found.share < 0.6, `${found.share}`);
  assert.ok(found.memory_mb > 1000 && found.memory_mb < 2000, `${found.memory_mb}`); // 163 million weights, and what is computed
  const text = (change: object) => estimateText({ ...found, ...change });
  assert.match(text({ backend: "onnx", memory_mb: 9000 }), /WebAssembly, which can have 4 GB/);
  for (const change of [
    { backend: "native", memory_mb: 9000 },
    { backend: "onnx", memory_mb: 3000 },
  ])
    assert.doesNotMatch(text(change), /WebAssembly/);
});

/** The command, for six prompts' figure 7. */
const FIGURE = ["7", "--n", "6", "--batch", "2"];
const partArgs = (prompts: string, out: string) => [...FIGURE, "--prompts", prompts, "--out", out];

/** What a process of its own needs to run it. */
const COMMAND = ["--require", "tsx/cjs", "scripts/figure/main.ts"];

describe("the command", () => {
  const out = path.join(dir, "command.json");
  const left = () => readdirSync(dir).filter((name) => name.startsWith("command"));

  test("killed in the middle it leaves nothing", async () => {
    const slow = JSON.stringify([...FIGURE, "--n", "200", "--backend", "wasm", "--out", out]);
    // only a terminal is told how far it is
    const code = `process.stdout.isTTY = true; require("./scripts/figure/main").main(${slow});`;
    const child = spawn(process.execPath, ["--require", "tsx/cjs", "-e", code], { cwd: ROOT, stdio: "pipe" });
    const [heard] = (await Promise.race([once(child.stdout, "data"), once(child, "close")])) as [unknown];
    assert.match(`${heard}`, /figure 7: \d?\d%/, "it was still measuring");
    child.kill("SIGKILL");
    const [, signal] = await once(child, "close");
    assert.equal(signal, "SIGKILL");
    assert.deepEqual(left(), []);
  });

  test("it measures, and a second time it does not", () => {
    const part = [...COMMAND, ...partArgs("0:4", out), "--backend", "wasm"];
    const command = () => spawnSync(process.execPath, part, { cwd: ROOT, encoding: "utf8" });
    assert.equal(command().status, 0);
    const { mtimeMs } = statSync(out);
    const again = command();
    assert.equal(again.status, 0);
    assert.match(again.stdout, /is there already/);
    assert.equal(statSync(out).mtimeMs, mtimeMs);
    assert.deepEqual(left(), ["command.json"]);
    const { whole, notes } = readPart(out);
    assert.equal(whole.backend, "wasm");
    assert.match(whole.model.sha256, /^[0-9a-f]{64}$/);
    assert.ok(Number(notes.peak_mb) > 50);
  });
});

describe("a part that the disk has no room for is not there; the others stay, and it alone is measured afterwards", () => {
  const folder = mkdtempSync(path.join(dir, "full-"));
  const [first, second] = ["first.json", "second.json"].map((name) => path.join(folder, name));
  const [measureFirst, measureSecond] = [partArgs("0:4", first), partArgs("4:6", second)];
  before(async () => assert.equal((await outcomeOf(main, measureFirst)).code, 0));

  /** The second part, measured by what a line for the shell makes of `"$@"`. */
  const refused = (command: string, ...line: string[]) => {
    const args = [...line, "bash", process.execPath, ...COMMAND, ...measureSecond];
    const { status, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
    return { status, said: stderr.replaceAll(`${folder}/`, "").trim() };
  };
  const expected = (reason: string) => ({ status: 1, said: `✗ second.json can't be written: ${reason}` });

  test("a limit of files' sizes, and then none", { skip: process.platform === "win32" }, async () => {
    const line = 'ulimit -f 2; exec "$@"'; // units of 512 bytes or 1 kB
    assert.deepEqual(refused("bash", "-c", line), expected("files may not be so large here (ulimit -f)"));
    assert.deepEqual(readdirSync(folder), ["first.json"]);
    const again = await outcomeOf(main, measureFirst);
    assert.deepEqual(again, { code: 0, out: `${first} is there already`, err: "" });
    assert.equal((await outcomeOf(main, measureSecond)).code, 0);
    const out = path.join(folder, "figure");
    assert.equal((await outcomeOf(main, ["--merge", first, second, "--out", out])).code, 0);
    for (const file of [second, `${out}.csv`, `${out}.json`, `${out}.svg`]) rmSync(file);
  });

  const mounts = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).status === 0;
  test("a full disk", { skip: mounts ? false : "only who may mount disks can fill a small one" }, () => {
    const line = `
      cp "${first}" "${dir}/kept.json"
      mount -t tmpfs -o size=512k tmpfs "${folder}"
      cp "${dir}/kept.json" "${first}"
      head -c 10M /dev/zero > "${folder}/filler" 2>/dev/null
      "$@"; status=$?
      ls -A "${folder}" >&2
      exit $status`;
    const found = refused("unshare", "-m", "bash", "-c", line);
    const { status, said } = expected("the disk is full");
    assert.deepEqual(found, { status, said: `${said}\nfiller\nfirst.json` });
  });
});
