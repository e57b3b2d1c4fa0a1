// What the kernel says to who made a mistake, asks what there is or wants a sweep to end: errors, Tab, tooltips and the stop button.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../scripts/setup/paths.mjs";
import { axesOf, type HookName, hookNames, indexList, sliceAxis } from "../src/model/hooks";
import { Kernel } from "./fixtures/kernel-client";
import { until } from "./fixtures/processes";

let kernel: Kernel;
/** Runs a cell; for a moment after one that failed tslab drops what is sent. */
async function run(code: string) {
  for (;;) {
    const answer = await kernel.execute(code);
    if (answer.reply.status !== "abort") return answer;
    await sleep(50);
  }
}

before(async () => {
  // as kernelSpec has it started
  const program = ["--enable-source-maps", join(ROOT, "scripts", "notebooks", "kernel.cjs")];
  kernel = await Kernel.start({ program, folder: join(ROOT, "notebooks") });
  const names = "activationPatch, edit, forward, headSite, heatmap, loadAcronyms, loadModel, patch, resample, tf";
  const { reply, stderr } = await run(`import { ${names} } from "../dist";`);
  assert.equal(reply.status, "ok", stderr);
});
after(() => kernel?.end());

describe("an error is its message, then the lines of cells that led to it", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      "the library's",
      ["const rows = [];", "", "// nothing in it", 'heatmap(rows, { x: "a", y: "b", value: "c" });'].join("\n"),
      'RangeError: a figure needs at least one row: there are none\n    at line 4: heatmap(rows, { x: "a", y: "b", value: "c" });\n',
    ],
    [
      "one after an await",
      ["await 1;", "type Gone = { a: 1 };", "", "const none = (await null) as never as Gone;", "none.a;"].join("\n"),
      "TypeError: Cannot read properties of null (reading 'a')\n    at line 5: none.a;\n",
    ],
    [
      "one inside functions",
      [
        "interface Long {",
        "  gone: 1;",
        "}",
        "const inner = () => {",
        '  throw new Error("mine");',
        "};",
        "[1].map(",
        "  () =>",
        "    inner(),",
        ");",
      ].join("\n"),
      'Error: mine\n    at inner, line 5: throw new Error("mine");\n    at line 9: inner(),\n    at line 7: [1].map(\n',
    ],
    [
      "one with a reason",
      'throw new Error("outer", { cause: new TypeError("inner") });',
      'Error: outer\n    at line 1: throw new Error("outer", { cause: new TypeError("inner") });\nbecause of TypeError: inner\n    at line 1: throw new Error("outer", { cause: new TypeError("inner") });\n',
    ],
    ["what is no error", 'throw { a: "b" };', "{ a: 'b' }\n"],
    [
      "the compiler's",
      'const a = 1;\nconst b: number = "b";',
      "Type 'string' is not assignable to type 'number'.\n    at line 2: const b: number = \"b\";\n",
    ],
  ];
  for (const [what, code, wanted] of cases) test(what, async () => assert.equal((await run(code)).stderr, wanted));

  test("a function of an earlier cell is named with its cell", async () => {
    const { reply } = await run('\n\nconst early = () => {\n  throw new Error("early");\n};');
    const { stderr } = await run("1;\nearly();");
    const at = `    at early, cell [${reply.execution_count}], line 4: throw new Error("early");\n    at line 2: early();`;
    assert.equal(stderr, `Error: early\n${at}\n`);
  });
});

describe("where the compiler refuses what the library would, it speaks the library's words", () => {
  const said = (act: () => unknown): string => {
    try {
      act();
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail("the library refuses it, too");
  };
  const z = "blocks.1.attn.hook_z";
  const cases: readonly (readonly [string, () => unknown])[] = [
    [
      'forward(undefined as never, [[1]], {\n  keep: ["blocks.1.attn.hook_patern"] });',
      () => axesOf("blocks.1.attn.hook_patern" as HookName),
    ],
    ['edit("blocks.1.hook_z",\n  (a) => a);', () => axesOf("blocks.1.hook_z" as HookName)],
    [`edit("${z}", (a) => a, { pos: "C1" });`, () => indexList(z, "pos", "C1")],
    [`edit("${z}", (a) => a, { head: 1, pos: [2, "C1"] });`, () => indexList(z, "pos", [2, "C1"])],
    [`patch("${z}", tf.zeros([1, 1, 1, 1]), { head: "1.3" });`, () => indexList(z, "head", "1.3")],
    [`const at = "${z}";\nedit(at, (a) => a, { pos: "C1" });`, () => indexList("at" as HookName, "pos", "C1")],
    [`edit("${z}", (a) => a, { query_pos: 3 });`, () => sliceAxis(z, "query_pos")],
  ];
  /** What the compiler says of all of them, in one cell: the message, then where it was. */
  let refusals: string[];
  before(async () => {
    const { reply, stderr } = await run(cases.map(([code]) => code).join("\n"));
    assert.equal(reply.status, "error");
    refusals = stderr.trimEnd().split("\n");
    assert.equal(reply.evalue, refusals[0]);
  });
  for (const [i, [code, refused]] of cases.entries())
    test(code, () => {
      const [message, at] = refusals.slice(2 * i);
      assert.equal(message, said(refused));
      const lines = cases.slice(0, i).flatMap(([earlier]) => earlier.split("\n")).length;
      const line = Number(/^ {4}at line (\d+): /.exec(at)?.[1]);
      assert.ok(line > lines && line <= lines + code.split("\n").length, at);
    });

  test("it says nothing else", () => assert.equal(refusals.length, 2 * cases.length));

  test("the library says how it is meant", () => {
    const name = said(() => axesOf("blocks.1.attn.hook_patern" as HookName));
    assert.match(name, /^no hook "blocks\.1\.attn\.hook_patern"; near names: blocks\.1\.attn\.hook_pattern, /);
    assert.match(name, /there are hook_embed, .*blocks\.N\.attn\.hook_pattern/);
    const label = said(() => indexList(z, "pos", "C1"));
    assert.equal(
      label,
      `${z}: pos takes a number or a plain list of numbers, not "C1"; position("C1") is the number of position C1`,
    );
  });
});

describe("Tab inside a text", () => {
  const tab = async (code: string) => {
    const cursor = code.indexOf("|");
    const { matches, cursor_start, cursor_end } = await kernel.ask("complete_request", {
      code: code.replace("|", ""),
      cursor_pos: cursor,
    });
    return { matches, replaced: code.slice(cursor_start, cursor_end) };
  };
  const hooks = hookNames(3);
  const of = (start: string) => hooks.filter((name) => name.startsWith(start));

  for (const [code, typed] of [
    ['edit("blocks.0.|")', "blocks.0."],
    ['edit("blocks.2.attn.|", (a) => a)', "blocks.2.attn."],
    ['forward(undefined as never, [[1]], { keep: ["hook_embed", "blocks.2.hook_r|"] })', "blocks.2.hook_r"],
    ['edit("hook_|")', "hook_"],
    ['edit("ln_|', "ln_"],
  ] as const)
    test(`offers the hooks that go on so: ${code}`, async () => {
      const { matches, replaced } = await tab(code);
      assert.ok(matches.length > 0);
      assert.deepEqual([[...matches].sort(), replaced], [[...of(typed)].sort(), typed]);
    });

  test("of other texts, those that go on so, in place of what was typed", async () => {
    const code = 'heatmap([], { x: "a", y: "b", value: "c", colours: "seq|" })';
    assert.deepEqual(await tab(code), { matches: ["sequential"], replaced: "seq" });
  });

  test("outside a text nothing changes", async () => {
    const { matches, replaced } = await tab("heatm|");
    assert.deepEqual([matches[0], replaced], ["heatmap", "heatm"]);
  });
});

test("a tooltip says what a function throws, in a sentence", async () => {
  const { data } = await kernel.ask("inspect_request", { code: "forward", cursor_pos: 3, detail_level: 0 });
  assert.match(data["text/plain"], /Runs the model once\.\nThrows before anything is computed: on ragged/);
});

test("doc comments say in prose what is thrown: a tooltip leaves a tag's name out", () => {
  const src = join(ROOT, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => /\.m?ts$|\.mjs$/.test(file));
  assert.ok(files.length > 100);
  const tagged = files.filter((file) => /@throws|@exception|@see/.test(readFileSync(join(src, file), "utf8")));
  assert.deepEqual(tagged, []);
});

test("Jupyter's own record of an error keeps what the library did", async () => {
  const { reply, stderr } = await run('heatmap([], { x: "a", y: "b", value: "c" });');
  assert.doesNotMatch(stderr, /checkRows/);
  assert.match(reply.traceback.join("\n"), /^RangeError: .*\n +at checkRows .*src.figures.rows/);
});

test("an interrupted sweep ends its cell, each time; the kernel goes on, with no tensor left behind", {
  skip: process.platform === "win32", // where a kernel can't be interrupted by a signal
}, async () => {
  const load = await run(`const { model, tokenizer } = await loadModel("embedded");
    const data = loadAcronyms("../data/acronyms/held-out.txt", tokenizer, { n: 100 });
    const corrupted = resample(data, 0);
    const before = tf.memory().numTensors;`);
  assert.equal(load.reply.status, "ok", load.stderr);
  for (const _ of [1, 2]) {
    const heard = kernel.published.length;
    const sweep =
      run(`await activationPatch(model, data, { site: headSite(), corruption: "current_word", corrupted, batch: 20,
      progress: (done) => { if (done === 5) console.log("under way"); } });`);
    const isUnderWay = () => kernel.published.slice(heard).some((text) => text.includes('"under way\\n"'));
    await until("the sweep", isUnderWay, 60);
    kernel.process.kill("SIGINT");
    const { reply, stderr } = await sweep;
    assert.equal(reply.status, "error");
    assert.match(stderr, /^interrupted after \d+ of \d+ points; the kernel is ready for the next cell\.\n$/m);
    assert.doesNotMatch(stderr, /^ +at /m, "no stack");
  }
  assert.equal((await run("console.log(1 + 1, tf.memory().numTensors - before);")).stdout, "2 0\n");
});
