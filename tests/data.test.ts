import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { main } from "../scripts/build-data/main";
import { unhashed } from "../scripts/build-data/unhashed";
import { outcomeOf } from "./fixtures/command";

const root = join(__dirname, "..");

test("the committed data equals a rebuild", async () => {
  const { code, out, err } = await outcomeOf(main, ["--check"]);
  assert.equal(code, 0, err);
  assert.match(out, /equal to a rebuild/);
});

test("every file has the sha256 written down", () => {
  const lines = readFileSync(join(root, "data", "SHA256SUMS"), "utf8")
    .trimEnd()
    .split("\n");
  assert.ok(lines.length > 50);
  for (const line of lines) {
    const [sha256, name] = line.split("  ");
    assert.equal(
      createHash("sha256")
        .update(readFileSync(join(root, "data", name)))
        .digest("hex"),
      sha256,
      name,
    );
  }
});

test("what data and embedded model are made with is the generator's own seeding", () => {
  for (const seed of [0, 1, -1, 1_000_003, 2 ** 32, Number.MAX_SAFE_INTEGER])
    assert.deepEqual(unhashed(seed).state(), xoroshiro128plus(seed).getState(), `${seed}`);
});
