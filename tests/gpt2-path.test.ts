// The whole way of a fetched model, small: a random checkpoint of GPT-2's vocabulary, a hub, the cache, the loader, a notebook.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { faults, line, MEMORY_LIMIT, type Run } from "../scripts/gpt2-path/judge";
import { runNotebooksOn } from "../scripts/gpt2-path/main";
import { cachedModel, fetchThroughHub } from "../scripts/gpt2-path/through-hub";
import { GPT2_SMALL, writeCheckpoint } from "../scripts/gpt2-shaped/main";

const home = mkdtempSync(path.join(tmpdir(), "gpt2-path-"));
after(() => rmSync(home, { recursive: true, force: true }));

describe("hub, cache, loader, notebook", () => {
  const out = path.join(home, "out");
  let said: string;
  let run: Run;
  before(async () => {
    const tiny = { n_layers: 3, n_heads: 2, d_model: 32, d_head: 16, d_mlp: 64, n_ctx: 32 };
    writeCheckpoint(path.join(home, "checkpoint"), { ...GPT2_SMALL, ...tiny }, 0);
    said = await fetchThroughHub(path.join(home, "checkpoint"), home);
    rmSync(path.join(home, "checkpoint"), { recursive: true });
    [run] = await runNotebooksOn({ ...cachedModel(home), ACRONYM_N: "3" }, { out, selection: ["00"] });
  });

  test("the model is fetched whole", () => assert.match(said, /✓ local\/gpt2-shaped@a+: 3 files, 7 MB/));

  test("the notebook runs to its end on it, from the cache alone, with as many prompts as it was told", () => {
    assert.deepEqual(faults(run), []);
    assert.equal(run.figures, 3);
    const text = readFileSync(path.join(out, "notebooks", "00-start-here.ipynb"), "utf8");
    const rows = [...text.matchAll(/"text\/plain": \[[^\]]*50257[^\]]*\]/g)];
    assert.ok(rows.length > 0, "the table of sizes shows GPT-2's vocabulary");
  });

  test("none of the embedded model's own claims is checked", () => {
    const learnt = "Each letter is right in at least 95% of the prompts";
    assert.ok(run.embedded.includes(learnt));
    assert.ok(!run.claims.some(({ claim }) => claim === learnt));
    assert.ok(run.claims.length > 0, "but those that hold for every model are");
  });

  test("the kernel's memory is seen", { skip: process.platform !== "linux" }, () => {
    assert.ok(run.peak! > 1e8 && run.peak! < MEMORY_LIMIT, `${run.peak}`);
  });
});

test("a run is judged: claims on GPT-2 may fail, must fail where they say that a figure is reproduced; nothing else may", () => {
  const claims = [
    { claim: "sums add up", passed: true, evidence: "0" },
    { claim: "agrees with the paper's fig01_res_1", passed: false, evidence: "0 of 9" },
  ];
  const good: Run = {
    ...{ name: "03", seconds: 1, figures: 2, peak: 1e9, embedded: ["sums add up"], claims },
    problems: ["Claim failed: agrees with the paper's fig01_res_1"],
  };
  assert.deepEqual(faults(good), []);
  assert.equal(line(good)["claims on every model held"], "1 of 1");
  assert.equal(line(good)["claims on GPT-2 held"], "0 of 1");
  const passing = claims.map((one) => ({ ...one, passed: true }));
  assert.match(faults({ ...good, claims: passing })[0], /random weights pass the claim "agrees/);
  const failing = claims.map((one) => ({ ...one, passed: false }));
  assert.match(
    faults({ ...good, claims: failing })[0],
    /random weights fail what should hold for every model: "sums add up"/,
  );
  assert.match(faults({ ...good, problems: ["Cell 3 failed"] })[0], /^03: Cell 3 failed/);
  assert.match(faults({ ...good, peak: 2.6e9 })[0], /took 2\.60 GB, more than 2\.50 GB/);
});
