// A run leaves no trace: whatever the backend, nothing is written outside the project and nothing is asked of the network.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { isBuilt } from "../scripts/setup/native.mjs";

const ROOT = resolve(__dirname, "..");

/** Milliseconds after which onnxruntime, let alone, has looked up the host that it reports to: between 5 and 12 seconds. */
const LONG_ENOUGH = 15_000;

/** Prints the name of the backend that ran the embedded model. */
const RUN = `
  const { forward, initBackend, loadModel } = require(${JSON.stringify(join(ROOT, "dist"))});
  (async () => {
    const { model } = await loadModel("embedded");
    forward(model, [[1, 2, 3]]).logits.dataSync();
    console.log((await initBackend()).name);
    await new Promise((done) => setTimeout(done, ${LONG_ENOUGH}));
  })();`;

let folder: string;
let shim: string;
/** Why the network can't be watched on this machine. */
let blind = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "traces-"));
  shim = join(folder, "network-log.so");
  if (process.platform !== "linux") {
    blind = "the network is watched on Linux only";
    return;
  }
  const source = join(ROOT, "tests", "fixtures", "network-log.c");
  const compilers = ["cc", "gcc", "clang"];
  const made = compilers.some((cc) => spawnSync(cc, ["-shared", "-fPIC", "-o", shim, source, "-ldl"]).status === 0);
  if (!made) blind = `none of ${compilers.join(", ")} compiles tests/fixtures/network-log.c`;
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program in a home of its own: what it printed, left in its folders, and asked of the network. */
async function traces(name: string, code: string, extra: NodeJS.ProcessEnv = {}) {
  const home = join(folder, name);
  const log = join(folder, `${name}.log`);
  const places = { HOME: home, USERPROFILE: home, XDG_CACHE_HOME: join(home, "cache"), TMPDIR: join(home, "tmp") };
  for (const place of Object.values(places)) mkdirSync(place, { recursive: true });
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...places,
    ...(blind ? {} : { LD_PRELOAD: shim, NETWORK_LOG: log }),
    ...extra,
  };
  for (const kept of ["ORT_DISABLE_TELEMETRY", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "NODE_COMPILE_CACHE"])
    delete env[kept];
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", code], { cwd: home, env });
  const files = readdirSync(home, { recursive: true, encoding: "utf8" }).filter((file) => !/^(cache|tmp)$/.test(file));
  const asked = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
  return { stdout: stdout.trim().split("\n").at(-1), files, asked };
}

test("what watches the network sees a lookup, and a file that is written is found", async (t) => {
  const { files, asked } = await traces(
    "watcher",
    `require("node:fs").writeFileSync("cache/left", ""); require("node:dns").lookup("example.org", () => {});`,
  );
  assert.deepEqual(files, [join("cache", "left")]);
  if (blind) return t.skip(blind);
  assert.deepEqual(asked, ["lookup example.org"]);
});

/** Why a backend can't be tried on this machine. */
const OBSTACLES: Record<string, string | false> = {
  native: !isBuilt(join(ROOT, "node_modules")) && "the native backend is not built",
  onnx: !existsSync(join(ROOT, "node_modules", "onnxruntime-node")) && "onnxruntime-node is not installed",
  wasm: false,
  cpu: false,
};

describe("a run writes nothing outside the project and looks up no host", { concurrency: 4 }, () => {
  for (const [backend, obstacle] of Object.entries(OBSTACLES))
    test(backend, { skip: obstacle }, async (t) => {
      const { stdout, files, asked } = await traces(backend, RUN, { ACRONYM_BACKEND: backend });
      assert.equal(stdout, backend);
      assert.deepEqual(files, []);
      if (blind) return t.skip(`nothing was written; ${blind}`);
      assert.deepEqual(asked, []);
    });
});
