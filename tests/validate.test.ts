// The validation: its claims on the paper's own numbers and on altered ones, its steps on random weights, its command.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { GPT2_SMALL, writeCheckpoint } from "../scripts/gpt2-shaped/main";
import {
  cleanClaims,
  letterOneUnchanged,
  matchingPrefixes,
  rowsSumToOne,
  sameInAllLayers,
} from "../scripts/validate/checks";
import { readOptions, UsageError } from "../scripts/validate/options";
import { page, pictures, type Report, writeReport } from "../scripts/validate/report";
import { FIGURE_NAMES, STEPS, type Step, type StepResult, type Subject } from "../scripts/validate/steps";
import type { Tokenizer } from "../src/load/tokenizer";
import { initBackend } from "../src/model/backend/choose";
import { range } from "../src/numbers/lists";
import { compareWithPaper, type MeasuredFigures } from "../src/paper/compare";
import { paperBehaviour, paperFigure, paperFigureNames } from "../src/paper/paper";
import { LETTERS } from "../src/prompts/positions";
import type { Claim } from "../src/show/claims";
import { remoteLoads } from "./fixtures/remote-loads";
import { processedModel, TINY, tinyPrompts } from "./fixtures/tiny-prompts";

const dir = mkdtempSync(path.join(tmpdir(), "validate-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const holds = (one: Claim) => one.passed;

describe("claims beyond cells", () => {
  const { logit_diff } = paperBehaviour();
  const summary = (shift: number, { std = 1, n = 50, accuracy = 0.9 } = {}) =>
    LETTERS.map((letter, i) => ({ letter, n, accuracy, std, logit_diff: logit_diff[i] + shift }));

  test("the paper's clean logit differences pass; others, and too few prompts, do not", () => {
    assert.deepEqual(cleanClaims(summary(0.3)).map(holds), [true, true]);
    assert.deepEqual(cleanClaims(summary(0.5)).map(holds), [false, true]);
    assert.deepEqual(cleanClaims(summary(0, { std: 30 })).map(holds), [false, true]);
    assert.match(cleanClaims(summary(0, { std: 30 }))[0].evidence, /too few prompts to tell/);
    assert.deepEqual(cleanClaims(summary(0, { accuracy: 0.5 })).map(holds), [true, false]);
  });

  test("prefixes with the paper's clean logit differences are found, to the digit", () => {
    const rows = [1, -1, 0, 0.3].map((shift) => logit_diff.map((value) => value + shift));
    assert.deepEqual(matchingPrefixes(rows), [2, 3]);
    assert.deepEqual(matchingPrefixes([logit_diff.map((value, i) => value + (i === 2 ? 0.001 : 0))]), []);
  });

  test("attention rows that do not sum to 1 are named", () => {
    const row = (key: "BOS" | "The", attention: number) => ({
      layer: 3,
      head: 1,
      query: "The" as const,
      key,
      attention,
      std: 0,
    });
    assert.equal(rowsSumToOne([row("BOS", 0.75), row("The", 0.25)]).passed, true);
    const off = rowsSumToOne([row("BOS", 0.75), row("The", 0.24)]);
    assert.equal(off.passed, false);
    assert.match(off.evidence, /3\.1 from The: 0\.99/);
  });

  test("letter 1 has to be there and 0; letter 2 at A1 the same in all layers, and not 0", () => {
    const cells = (letter: number, values: number[]) => values.map((value, y) => ({ letter, x: "A1", y, value }));
    assert.deepEqual(
      [[0, -0], [0, 1e-9], []].map((values) => letterOneUnchanged("fig07", cells(1, values)).passed),
      [true, false, false],
    );
    assert.equal(sameInAllLayers(cells(2, [-2.6621, -2.6624])).passed, true);
    assert.deepEqual(
      [[2, 2.1], [0, 0], []].map((values) => sameInAllLayers(cells(2, values)).passed),
      [false, false, false],
    );
  });
});

describe("steps on random weights with GPT-2 Small's layers and heads", () => {
  const results = new Map<string, StepResult>();
  before(async () => {
    await initBackend();
    const letters = range(26);
    const tokenizer = { letters, spaceLetters: letters.map((id) => 26 + id), decode: String } as unknown as Tokenizer;
    const model = processedModel({ ...TINY, n_layers: 12, n_heads: 12, d_model: 24, d_head: 2 }, 0);
    const subject: Subject = { model, tokenizer, data: tinyPrompts(8, 1), seeds: [0], many: tinyPrompts(8, 2) };
    // of the steps that take seeds the two shortest, one of each kind
    const seedsOf = ({ figures }: Step) => (["7", "8"].includes(figures[0]) ? [0, 1] : [0]);
    for (const step of STEPS) results.set(step.title, await step.run({ ...subject, seeds: seedsOf(step) }));
  });

  test("weights come first, then identities; every figure has a step", () => {
    assert.deepEqual([...new Set(STEPS.map(({ kind }) => kind))], ["weights", "identities", "prompts"]);
    assert.deepEqual(
      [...FIGURE_NAMES].sort(),
      [...range(14).map((i) => String(i + 1)), "S", "clean", "identities"].sort(),
    );
  });

  for (const { title, kind } of STEPS)
    test(`${title}: ${kind === "identities" ? "hold" : "each claim fails"}`, async () => {
      const { claims, drawings } = results.get(title) ?? assert.fail();
      assert.ok(claims.length > 0);
      for (const { claim, passed, evidence } of claims)
        assert.equal(passed, kind === "identities", `${claim}: ${evidence}`);
      assert.equal(drawings !== undefined, !["identities", "clean logit differences"].includes(title));
    });

  test("every cell of every figure of the paper is measured, but for attention to later tokens, and drawn beside it", () => {
    const measured = Object.assign({}, ...[...results.values()].map((result) => result.measured)) as MeasuredFigures;
    const names = paperFigureNames().filter((name) => !name.startsWith("fig11")); // only its extents are known
    assert.deepEqual(Object.keys(measured).sort(), names.sort());
    for (const [name, cells] of Object.entries(measured)) {
      const isCausal = /^fig(03|S)/.test(name);
      assert.ok(isCausal || compareWithPaper(name, cells).cells === paperFigure(name).rows.length, name);
    }
    for (const { drawings = {} } of results.values())
      for (const [name, { layout }] of Object.entries(drawings))
        if (!name.startsWith("fig11")) assert.match(JSON.stringify(layout), /this model.*GPT-2 Small, paper/, name);
  });

  test("more prompts are searched for the paper's n", () =>
    assert.match(results.get("clean logit differences")?.note ?? "", /no n of 2 … 8/));

  test("the report is whole, loads nothing, shows what was measured", async () => {
    const [step] = STEPS;
    const { claims, measured, drawings } = results.get(step.title) ?? assert.fail();
    const done = {
      title: step.title,
      kind: step.kind,
      seconds: 1,
      claims,
      measured,
      pictures: await pictures(drawings),
    };
    const facts = { model: "<gpt2>", backend: "wasm", prompts: "official", n: 3, seeds: [0, 1] };
    const report: Report = { ...facts, steps: [done], state: "running" };
    const html = page(report);
    assert.deepEqual(remoteLoads(html), []);
    assert.match(html, /&lt;gpt2&gt; on the backend wasm/);
    assert.match(html, /<b>0 of 2 claims hold\.<\/b> The run is running/);
    assert.equal(html.match(/src="data:image\/png;base64,iVBOR/g)?.length, 2);
    assert.equal(html.match(/class="no"/g)?.length, 2);
    await writeReport(path.join(dir, "report"), report);
    assert.deepEqual(readdirSync(path.join(dir, "report")).sort(), ["report.html", "report.json"]);
    const json = JSON.parse(readFileSync(path.join(dir, "report", "report.json"), "utf8"));
    assert.deepEqual(json.steps[0].claims, claims);
    assert.equal(json.steps[0].measured.fig10_OV_4.length, 2704);
  });
});

test("options: what is not allowed is named with what is", () => {
  const read = (...args: string[]) => readOptions(args, FIGURE_NAMES);
  assert.deepEqual(read("--figures", "09, S", "--seeds", "2")?.figures, ["9", "S"]);
  assert.deepEqual(read("--seeds", "2")?.seeds, [0, 1]);
  assert.equal(read("--help"), undefined);
  for (const [args, message] of [
    [["--figures", "15"], /--figures: "15" is none of 9, 10, identities/],
    [["--n", "1"], /--n takes a whole number from 2 on, not "1"/],
    [["--n", "1e2"], /--n takes a whole number from 2 on, not "1e2"/],
    [["--seeds", " "], /--seeds takes a whole number from 1 on, not " "/],
    [["--seeds", "x"], /--seeds takes a whole number from 1 on, not "x"/],
    [["--sedes", "2"], /--sedes/],
  ] as const)
    assert.throws(
      () => read(...args),
      (error) => error instanceof UsageError && message.test(error.message),
    );
});

test("a model of another shape is refused before its weights are read, and nothing is written", () => {
  const model = path.join(dir, "tiny");
  writeCheckpoint(model, { ...GPT2_SMALL, n_layers: 2, n_heads: 2, d_model: 8, d_head: 4, d_mlp: 16, n_ctx: 16 }, 0);
  rmSync(path.join(model, "model.safetensors"));
  const script = path.resolve(__dirname, "..", "scripts", "validate", "main.ts");
  const out = path.join(dir, "refused");
  const args = ["--require", "tsx/cjs", script, "--model", model, "--out", out];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(
    stderr,
    /has not GPT-2 Small's shape: n_layers is 2, not 12; n_heads is 2, not 12; d_model is 8, not 768\. /,
  );
  assert.doesNotMatch(stderr, /^\s+at /m);
  assert.ok(!readdirSync(dir).includes("refused"));
});
