import assert from "node:assert/strict";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { projectFolder } from "../../../src/load/resolve";
import { type Settings, settings } from "../../../src/prompts/settings";
import { printed } from "../../fixtures/notebook";

const NAMES = ["ACRONYM_MODEL", "ACRONYM_N", "ACRONYM_SEED", "ACRONYM_PROMPTS"];
const own: Settings = { modelId: "embedded", n: 200, seed: 0, prompts: "data/acronyms/held-out.txt" };
const before = new Map(NAMES.map((name) => [name, process.env[name]]));

function clear(): void {
  for (const name of NAMES) delete process.env[name];
}
beforeEach(clear);
afterEach(() => {
  clear();
  for (const [name, value] of before) if (value !== undefined) process.env[name] = value;
});

test("without variables, or with empty ones, a notebook's own values hold; paths start at the project", () => {
  const expected = { ...own, prompts: path.join(projectFolder, own.prompts) };
  assert.deepEqual(settings(own), expected);
  for (const name of NAMES) process.env[name] = "";
  assert.deepEqual(settings(own), expected);
});

test("every variable wins over the notebook's own value; a whole path stays as it is", () => {
  const prompts = path.resolve("/data/prompts.txt");
  Object.assign(process.env, { ACRONYM_MODEL: "gpt2", ACRONYM_N: "50", ACRONYM_SEED: "-3", ACRONYM_PROMPTS: prompts });
  assert.deepEqual(settings(own), { modelId: "gpt2", n: 50, seed: -3, prompts });
});

test('"official" is no path', () => {
  assert.equal(settings({ ...own, prompts: "official" }).prompts, "official");
  process.env.ACRONYM_PROMPTS = "official";
  assert.equal(settings(own).prompts, "official");
});

test("of one prompt alone it is said what it can't show", async () => {
  assert.deepEqual(await printed(() => settings(own)), []);
  process.env.ACRONYM_N = "1";
  const said = await printed(() => assert.equal(settings(own).n, 1));
  assert.match(said.join(), /^n = 1: a single prompt has no other/);
});

test("a bad number is named with its variable", () => {
  for (const bad of ["many", "0", "2.5", "-1"]) {
    process.env.ACRONYM_N = bad;
    assert.throws(() => settings(own), new RegExp(`ACRONYM_N.*"${bad}".*from 1 on`));
  }
  clear();
  process.env.ACRONYM_SEED = "0.5";
  assert.throws(() => settings(own), /ACRONYM_SEED.*"0\.5"/);
  clear();
  assert.throws(() => settings({ ...own, n: 0 }), /notebook's own value for it, is 0/);
});
