// Set-up on a folder of its own, with stand-ins for npm, the compiler and Python that are quick and can be made to fail.
import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { projectPaths } from "../scripts/setup/paths.mjs";
import { setUp } from "../scripts/setup/setup.mjs";
import { kernelSpec } from "../scripts/setup/steps.mjs";
import { snakemakePython } from "../scripts/sweep/environment.mjs";

const NPM = `
const fs = require("node:fs"), path = require("node:path");
const at = (...parts) => path.join(process.cwd(), "node_modules", ...parts);
fs.appendFileSync("calls.txt", "npm " + process.argv.slice(2).join(" ") + "\\n");
if (process.env.FAKE_NPM_SAYS) { console.error(process.env.FAKE_NPM_SAYS); process.exit(1); }
fs.rmSync(at(), { recursive: true, force: true });
fs.mkdirSync(at("tslab", "bin"), { recursive: true });
fs.writeFileSync(at("tslab", "bin", "tslab"), "");
fs.mkdirSync(at("zeromq"));
for (const file of JSON.parse(process.env.FAKE_FILES || "[]")) {
  fs.mkdirSync(path.dirname(at(file)), { recursive: true });
  fs.writeFileSync(at(file), "");
}
fs.writeFileSync(at("zeromq", "index.js"), process.env.FAKE_NO_ADDON ? "throw new Error('no prebuild')" : "");
if (process.env.FAKE_NPM_DIES) process.kill(process.pid, "SIGKILL");
fs.mkdirSync(at("esbuild"), { recursive: true });
fs.writeFileSync(at("esbuild", "index.js"), "exports.build = async () => {};");
fs.mkdirSync(at("typescript7", "bin"), { recursive: true });
fs.writeFileSync(at("typescript7", "bin", "tsc"), \`
  const fs = require("node:fs");
  fs.appendFileSync("calls.txt", "tsc\\\\n");
  if (fs.readFileSync("src/a.ts", "utf8").includes("wrong")) { console.log("src/a.ts(1,1): error"); process.exit(2); }
  const out = process.argv[process.argv.indexOf("--outDir") + 1];
  fs.mkdirSync(out, { recursive: true });
  fs.writeFileSync(out + "/a.js", "compiled");
\`);
`;

const PYTHON = `#!/bin/sh
case "$*" in
  *json.dumps*) [ -n "$FAKE_NO_PYTHON" ] && exit 127
    echo "{\\"version\\": [\${FAKE_PYTHON:-3, 11, 2}], \\"executable\\": \\"/usr/bin/python3\\", \\"missing\\": \\"$FAKE_MISSING\\"}" ;;
  "-m venv"*) echo venv >> calls.txt; mkdir -p "$3/bin" && ln -s "$0" "$3/bin/python" ;;
  "-m pip"*) echo pip $PYTHONPATH >> calls.txt; [ -z "$FAKE_PIP_SAYS" ] || { echo "$FAKE_PIP_SAYS" >&2; exit 1; } ;;
esac
`;

test("on a small machine the kernel keeps its memory small, elsewhere it is left to Node", () => {
  const limits = (megabytes: number) => kernelSpec(projectPaths("/p"), megabytes).match(/--max-[a-z-]+=\d+/g);
  assert.deepEqual(limits(1024), ["--max-old-space-size=384", "--max-semi-space-size=4"]);
  assert.deepEqual(limits(2048), limits(1024));
  assert.equal(limits(4096), null);
});

describe("set-up", { skip: process.platform === "win32" && "the stand-ins are shell scripts" }, () => {
  let home: string;
  let root: string;
  let said: string[];

  beforeEach(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), "setup-")));
    root = join(home, "project");
    said = [];
    mkdirSync(join(root, "src"), { recursive: true });
    mkdirSync(join(home, "bin"));
    writeFileSync(join(root, "package.json"), "{}"); // Node itself reads it
    for (const file of ["package-lock.json", "tsconfig.json", "requirements.txt", ".npmrc"]) {
      writeFileSync(join(root, file), file);
    }
    writeFileSync(join(root, "src", "a.ts"), "export {}");
    writeFileSync(join(home, "bin", "npm-cli.js"), NPM);
    for (const name of ["python3", "python"]) {
      writeFileSync(join(home, "bin", name), PYTHON);
      chmodSync(join(home, "bin", name), 0o755);
    }
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const run = (extra: NodeJS.ProcessEnv = {}, options: { root?: string; freeMegabytes?: () => number } = {}) =>
    setUp({
      root,
      env: { PATH: `${join(home, "bin")}:/usr/bin:/bin`, npm_execpath: join(home, "bin", "npm-cli.js"), ...extra },
      say: (line: string) => said.push(line),
      ...options,
    });
  const calls = () => {
    const file = join(root, "calls.txt");
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    rmSync(file, { force: true });
    return lines.map((line) => line.split(" ").slice(0, 2).join(" "));
  };
  const ALL = ["npm ci", "tsc", "venv", "pip"];

  test("does every step once; a second run does and says nothing", async () => {
    await run();
    assert.deepEqual(calls(), ALL);
    const spec = JSON.parse(readFileSync(join(root, ".venv/share/jupyter/kernels/tslab/kernel.json"), "utf8"));
    assert.equal(spec.argv[0], process.execPath);
    assert.ok(spec.argv.includes("--enable-source-maps"));
    said = [];
    await run();
    assert.deepEqual(calls(), []);
    assert.deepEqual(said, []);
  });

  test("redoes only what a change touches", async () => {
    await run();
    calls();
    writeFileSync(join(root, "src", "b.ts"), "export {}");
    await run();
    assert.deepEqual(calls(), ["tsc"]);
    writeFileSync(join(root, "src", "notes.md"), "no source");
    await run();
    assert.deepEqual(calls(), []);
    writeFileSync(join(root, "requirements.txt"), "other");
    await run();
    assert.deepEqual(calls(), ["venv", "pip"]);
    assert.ok(
      existsSync(join(root, ".venv/share/jupyter/kernels/tslab/kernel.json")),
      "the kernel is registered again",
    );
    writeFileSync(join(root, "package-lock.json"), "other");
    await run();
    assert.deepEqual(calls(), ["npm ci", "tsc"]);
    rmSync(join(root, "dist"), { recursive: true });
    await run();
    assert.deepEqual(calls(), ["tsc"]);
  });

  test("removes compiled files whose source is gone", async () => {
    await run();
    writeFileSync(join(root, "dist", "stale.js"), "");
    writeFileSync(join(root, "src", "a.ts"), "export const a = 1;");
    await run();
    assert.equal(existsSync(join(root, "dist", "stale.js")), false);
    assert.equal(existsSync(join(root, ".dist-new")), false);
  });

  test("keeps the earlier dist/ while src/ does not compile, and says where", async () => {
    await run();
    writeFileSync(join(root, "src", "a.ts"), "wrong");
    await assert.rejects(run(), /src\/ does not compile:\s+src\/a\.ts\(1,1\): error/);
    assert.equal(existsSync(join(root, "dist", "a.js")), true);
    calls();
    await assert.rejects(run(), /does not compile/);
    assert.deepEqual(calls(), ["tsc"]);
  });

  test("an installer that is killed leaves no step believed", async () => {
    await assert.rejects(run({ FAKE_NPM_DIES: "1" }), /npm ci failed\. Something ended it from outside/);
    assert.equal(existsSync(join(root, "node_modules", "tslab")), true);
    calls();
    await run();
    assert.deepEqual(calls(), ALL);
  });

  test("a stamp does not outlive an interrupted change, even if the change is undone", async () => {
    await run();
    writeFileSync(join(root, "package-lock.json"), "other");
    await assert.rejects(run({ FAKE_NPM_SAYS: "stopped" }));
    writeFileSync(join(root, "package-lock.json"), "package-lock.json");
    calls();
    await run();
    assert.deepEqual(calls(), ["npm ci"]);
  });

  test("a failed pip is picked up without installing npm's packages again", async () => {
    await assert.rejects(run({ FAKE_PIP_SAYS: "broken wheel" }), /pip install failed.*broken wheel/s);
    assert.equal(existsSync(join(root, ".venv")), true);
    calls();
    await run();
    assert.deepEqual(calls(), ["venv", "pip"]);
  });

  test("a moved folder gets a new Python environment and kernel, and keeps its packages", async () => {
    await run();
    calls();
    const moved = join(home, "moved");
    renameSync(root, moved);
    root = moved;
    await run();
    assert.deepEqual(calls(), ["venv", "pip"]);
    const spec = readFileSync(join(moved, ".venv/share/jupyter/kernels/tslab/kernel.json"), "utf8");
    assert.ok(spec.includes(join(moved, "scripts", "notebooks", "kernel.cjs")));
  });

  test("a copied folder gets its own Python environment too", async () => {
    await run();
    cpSync(root, join(home, "copy"), { recursive: true });
    root = join(home, "copy");
    calls();
    await run();
    assert.deepEqual(calls(), ["venv", "pip"]);
  });

  test("names what to do: no Python, too old, no venv module, a wrong PYTHON", async () => {
    await assert.rejects(run({ FAKE_NO_PYTHON: "1" }), /Python 3\.9 or later is needed, and none was found/);
    await assert.rejects(run({ FAKE_PYTHON: "3, 8, 1" }), /Python 3\.9 or later is needed, but .*3\.8\.1/);
    await assert.rejects(run({ FAKE_MISSING: "ensurepip" }), /can not make virtual environments.*"ensurepip"/s);
    await assert.rejects(run({ PYTHON: join(home, "none") }), /PYTHON is set to ".*none", which does not run/);
  });

  test("another PYTHON makes another environment", async () => {
    await run();
    calls();
    await run({ PYTHON: join(home, "bin", "python") });
    assert.deepEqual(calls(), ["venv", "pip"]);
  });

  test("no install script is run, whatever the user's npm would do", async () => {
    await run({ npm_config_ignore_scripts: "false" });
    const npm = readFileSync(join(root, "calls.txt"), "utf8").split("\n")[0];
    assert.match(npm, /^npm ci .*--ignore-scripts( |$)/);
  });

  test("a system that zeromq has no library for is told to compile it, which the next run keeps", async () => {
    await assert.rejects(
      run({ FAKE_NO_ADDON: "1" }),
      /without a library.*npm rebuild zeromq --ignore-scripts=false.*no prebuild/s,
    );
    calls();
    writeFileSync(join(root, "node_modules", "zeromq", "index.js"), "");
    await run();
    assert.deepEqual(calls(), ["tsc", "venv", "pip"]);
  });

  test("names what to do when npm is missing", async () => {
    await assert.rejects(run({ npm_execpath: "", PATH: join(home, "bin") }), /npm was not found/);
  });

  test("explains an installer's fault and keeps its output", async () => {
    await assert.rejects(run({ FAKE_NPM_SAYS: "npm error code ENOSPC" }), /The disk is full/);
    await assert.rejects(run({ FAKE_NPM_SAYS: "getaddrinfo EAI_AGAIN registry" }), /registry can not be reached/);
    await assert.rejects(run({ FAKE_NPM_SAYS: "npm error code EUSAGE" }), /do not fit together/);
    await assert.rejects(run({ FAKE_NPM_SAYS: "odd" }), (error: Error) => {
      const log = /All of its output: (.*)$/.exec(error.message)?.[1] ?? "";
      return readFileSync(log, "utf8").includes("odd");
    });
  });

  test("says how much disk space is needed and free before it starts", async () => {
    await assert.rejects(run({}, { freeMegabytes: () => 12 }), /needs about \d{3,4} MB .* there are 12 MB/);
    assert.deepEqual(calls(), []);
  });

  test("what only other systems and browsers need is removed, also after npm has brought it again", async () => {
    const { platform, arch } = process;
    const [other, kind] = [platform === "darwin" ? "linux" : "darwin", arch === "ia32" ? "x64" : "ia32"];
    const files = ["onnxruntime-node/bin/napi-v6", "zeromq/build"].flatMap((folder) =>
      [`${platform}/${arch}`, `${platform}/${kind}`, `${other}/${arch}`].map((part) => `${folder}/${part}/a.node`),
    );
    const bundle = (name: string) => `@tensorflow/tfjs/dist/${name}`;
    files.push("zeromq/build/manifest.json", ...["tf.node.js", "tf.node.js.map", "tf.js", "tf.js.map"].map(bundle));
    const kept = (file: string) => existsSync(join(root, "node_modules", file));
    const wanted = [0, 3, 6, 7, 8, 9].map((index) => files[index]);
    await run({ FAKE_FILES: JSON.stringify(files) });
    assert.deepEqual(files.filter(kept), wanted);
    writeFileSync(join(root, "package-lock.json"), "other");
    await run({ FAKE_FILES: JSON.stringify(files) });
    assert.deepEqual(files.filter(kept), wanted);
  });

  test("Python is looked for before npm spends a minute", async () => {
    await assert.rejects(run({ FAKE_NO_PYTHON: "1" }), /Python 3\.9 or later is needed/);
    assert.deepEqual(calls(), []);
  });

  describe("the sweeps' own Python environment", () => {
    const made = (extra: NodeJS.ProcessEnv = {}) =>
      snakemakePython({ root, env: { PATH: `${join(home, "bin")}:/usr/bin:/bin`, ...extra }, say: () => {} });

    test("is made once, by two commands at once, too", async () => {
      await Promise.all([made(), made()]);
      assert.deepEqual(calls(), ["venv", "pip"]);
      assert.equal(await made(), join(root, ".setup", "sweep", "bin", "python"));
      assert.deepEqual(calls(), []);
    });

    test("gets nothing of the user's own Python", async () => {
      await made({ PYTHONPATH: "/own" });
      assert.deepEqual(calls(), ["venv", "pip"]);
    });

    test("needs a newer Python than set-up, and is made again after a failed try", async () => {
      await assert.rejects(
        made({ FAKE_PYTHON: "3, 10, 1" }),
        /npm run sweep needs Python 3\.11 or later; .* is 3\.10\.1/,
      );
      await assert.rejects(made({ FAKE_PIP_SAYS: "broken wheel" }), /pip install failed.*broken wheel/s);
      calls();
      await made();
      assert.deepEqual(calls(), ["venv", "pip"]);
    });
  });

  test("two set-ups at once do the work once", async () => {
    await Promise.all([run(), run()]);
    assert.deepEqual(calls(), ALL);
  });
});
