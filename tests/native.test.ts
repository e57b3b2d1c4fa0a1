// The backends agree: each computes the same numbers, in a process of its own, as WebAssembly alone.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { buildSync } from "esbuild";
import { installNative } from "../scripts/setup/native.mjs";
import { Unavailable } from "../scripts/setup/native-files.mjs";
import type { BackendNumbers } from "./fixtures/backend-numbers";
import { near } from "./fixtures/close";

const ROOT = resolve(__dirname, "..");
const fixtures = join(ROOT, "tests", "fixtures");
const tmp = join(ROOT, ".setup", "tmp");
mkdirSync(tmp, { recursive: true });
const folder = mkdtempSync(join(tmp, "native-"));
after(() => rmSync(folder, { recursive: true }));
const script = join(folder, "numbers.cjs");

async function numbersOf(backend: string): Promise<BackendNumbers> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, join(fixtures, "tiny-a")], {
    cwd: ROOT,
    env: { ...process.env, ACRONYM_BACKEND: backend },
    maxBuffer: 2 ** 28,
  });
  return JSON.parse(stdout);
}

let wasm: BackendNumbers;
before(async () => {
  // compiled once, for five processes
  const how = { bundle: true, platform: "node", format: "cjs", packages: "external" } as const;
  buildSync({ entryPoints: [join(fixtures, "backend-numbers.ts")], outfile: script, ...how });
  wasm = await numbersOf("wasm");
});

/** Why the backend can't be tested on this machine; undefined if it can. */
const OBSTACLES: Record<string, () => Promise<string | undefined>> = {
  native: async () => {
    if (process.env.NATIVE_OBSTACLE) return process.env.NATIVE_OBSTACLE; // `npm test` has tried already
    try {
      await installNative();
    } catch (error) {
      if (error instanceof Unavailable) return error.message.split("\n", 1)[0];
      throw error;
    }
  },
  onnx: async () => {
    const system = `${process.platform}/${process.arch}`;
    const addon = join(ROOT, "node_modules", "onnxruntime-node", "bin", "napi-v6", system, "onnxruntime_binding.node");
    return existsSync(addon) ? undefined : `onnxruntime-node is not installed for ${system}`;
  },
};

for (const [backend, obstacle] of Object.entries(OBSTACLES)) {
  test(`${backend} computes what WebAssembly alone computes, every time the same`, async (t: TestContext) => {
    const reason = await obstacle();
    if (reason) return t.skip(reason);
    const found = await numbersOf(backend);
    assert.equal(found.backend, backend, found.why);
    assert.ok(!found.planned.includes("blocks.0.attn.hook_z") && found.planned.includes("blocks.2.attn.hook_z"));
    near(found.numbers, wasm.numbers); // relative to the largest number of its kind
    assert.deepEqual((await numbersOf(backend)).numbers, found.numbers); // the same computation twice
  });
}
