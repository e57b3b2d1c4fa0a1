import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseModelId, pinnedDigest } from "../../../../src/load/hub/ids";

const GPT2 = { repo: "openai-community/gpt2", revision: "607a30d783dfa663caf39e06633721c8d4cfcd7e" };

test("GPT-2 Small is pinned under all its names; a revision of one's own comes before the pin", () => {
  for (const id of ["gpt2", "gpt2-small", "openai-community/gpt2"])
    assert.deepEqual(parseModelId(id), { ...GPT2, offline: "main" });
  assert.deepEqual(parseModelId("gpt2@main"), { ...GPT2, revision: "main" });
  assert.match(pinnedDigest(GPT2, "model.safetensors") ?? "", /^[0-9a-f]{64}$/);
  assert.equal(pinnedDigest({ ...GPT2, revision: "main" }, "model.safetensors"), undefined);
  assert.equal(pinnedDigest(GPT2, "config.json"), undefined);
});

test("other models are at main, or where one says", () => {
  assert.deepEqual(parseModelId("gpt2-medium"), { repo: "openai-community/gpt2-medium", revision: "main" });
  assert.deepEqual(parseModelId("distilgpt2"), { repo: "distilbert/distilgpt2", revision: "main" });
  assert.deepEqual(parseModelId("a/b.c-d_e@refs/pr/1"), { repo: "a/b.c-d_e", revision: "refs/pr/1" });
});

test("names of JavaScript's own and names that are too long are none of the hub's", () => {
  for (const id of [
    "constructor",
    "__proto__",
    "toString",
    "hasOwnProperty@main",
    `a/${"b".repeat(95)}`,
    `a/b@${"c".repeat(201)}`,
  ])
    assert.equal(parseModelId(id), undefined, id);
  assert.deepEqual(parseModelId("constructor/toString"), { repo: "constructor/toString", revision: "main" });
  assert.equal(parseModelId(`a/${"b".repeat(94)}`)?.repo.length, 96);
});

test("no name leads out of the cache", () => {
  for (const id of ["gpt3", "a/b/c", "/a", "a/", "../a", "a/..", "a/b@", "a/b@../c", "a/b@/c", "a/b@c@d", "a--b/c", ""])
    assert.equal(parseModelId(id), undefined, id);
  const characters = fc.constantFrom(..."ab/.@-_\\ %:");
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 12 }), (id) => {
      const { repo, revision } = parseModelId(id) ?? { repo: "a/b", revision: "main" };
      assert.equal(repo.split("/").length, 2);
      for (const part of [...repo.split("/"), ...revision.split("/")]) assert.match(part, /^\w[\w.-]*$/);
      assert.doesNotMatch(repo, /--/);
    }),
    { numRuns: 2000 },
  );
});
