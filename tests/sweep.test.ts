// A sweep's command: what it refuses, and the lines that snakemake gives to a shell.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { projectPaths } from "../scripts/setup/paths.mjs";

const ROOT = path.resolve(__dirname, "..");
const dir = mkdtempSync(path.join(tmpdir(), "sweep-"));
after(() => rmSync(dir, { recursive: true, force: true }));

/** `npm run sweep` from the folder `here`. */
function sweep(args: readonly string[], { here = dir, env = {} }: { here?: string; env?: NodeJS.ProcessEnv } = {}) {
  const own = { ...process.env, INIT_CWD: here, ...env };
  return spawnSync(process.execPath, [path.join(ROOT, "scripts", "cli.mjs"), "sweep", ...args], {
    cwd: ROOT,
    env: own,
    encoding: "utf8",
  });
}

test("what can't be quoted in a shell's line is refused by name", () => {
  const here = path.join(dir, "it's");
  mkdirSync(path.join(here, "model"), { recursive: true });
  // should one be accepted, no environment is made for it
  const env = { PYTHON: path.join(dir, "none") };
  const cases: [string[], { here?: string }, RegExp][] = [
    [["--data", "a'; touch b; '"], {}, /can't use ".*a'; touch b; '"/],
    [["--data", "two words.txt"], {}, /can't use ".*two words\.txt"/],
    [["--model", "model"], { here }, /can't use ".*it's\/model"/],
    [["--model", "a b"], {}, /can't use "a b"/],
    [["--out", "a b"], {}, /can't use ".*a b"/],
    [["--backend", "$(id)"], {}, /"\$\(id\)" can't be a figure or a backend/],
  ];
  for (const [args, options, message] of cases) {
    const { stderr, status } = sweep(["--figures", "6", "--out", dir, ...args], { env, ...options });
    assert.match(stderr, message);
    assert.equal(status, 1);
  }
});

/** Of the sweep's folder, as snakemake would run it: its lines for a shell. */
const dryRun = (args: readonly string[], out: string) =>
  sweep([...args, "--out", out, "--", "--dry-run", "--printshellcmds"]);

const skip =
  !existsSync(path.join(projectPaths().setup, "sweep", ".set-up")) &&
  "snakemake is not installed here: npm run sweep does it (docs/sweeps.md)";

test("what is needed is fetched once, before the parts: the model, and the official prompts if they are asked for", {
  skip,
}, () => {
  const fetched = (name: string, ...data: string[]) => {
    const { stdout, stderr, status } = dryRun(["--figures", "13", ...data], path.join(dir, name));
    assert.equal(status, 0, stderr);
    return `${stdout}${stderr}`.match(/scripts\/fetch\/main\.ts (.*)/)?.[1];
  };
  assert.equal(fetched("official", "--data", "official"), "'embedded' official-prompts");
  const own = path.join(dir, "own.txt");
  writeFileSync(own, "");
  assert.equal(fetched("own", "--data", own), "'embedded'");
  assert.equal(fetched("preset"), "'embedded'");
});
