// A sweep on a Slurm of two nodes on this machine: a part that fails once, a worker killed in the middle, snakemake itself killed.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { SHAPES } from "../scripts/checkpoint/shapes";
import { writeCheckpoint } from "../scripts/gpt2-shaped/main";
import { isAlive, until } from "./fixtures/processes";

const ROOT = path.resolve(__dirname, "..");

/** Why it can't be tried here; false if it can. */
function obstacle(): string | false {
  const missing = ["slurmctld", "slurmd", "munged"].filter((name) => !existsSync(path.join("/usr/sbin", name)));
  if (missing.length > 0)
    return `${missing.join(", ")} not installed: apt-get install slurm-wlm munge (docs/sweeps.md)`;
  if (process.getuid?.() !== 0) return "slurmd needs root";
  return existsSync("/etc/slurm/slurm.conf") && "this machine has a Slurm of its own, or a trial runs";
}

const WORK = ["--n", "10", "--batch", "5", "--seeds", "3", "--backend", "wasm"];

/**
 * A `node` before the real one: the first part that it is asked to measure fails, and each says under which process id it runs.
 * @param dir gets "failed-once", and a file for each process
 */
function nodeThatFailsOnce(dir: string): string {
  const bin = path.join(dir, "bin");
  mkdirSync(path.join(dir, "pids"));
  mkdirSync(bin);
  const script = `#!/bin/sh
case "$*" in *scripts/figure/main.ts*--out\\ parts/*)
  mkdir "${dir}/failed-once" 2>/dev/null && { echo "this part fails once" >&2; exit 1; }
  touch "${dir}/pids/$$" ;;
esac
exec "${process.execPath}" "$@"
`;
  writeFileSync(path.join(bin, "node"), script);
  chmodSync(path.join(bin, "node"), 0o755);
  return bin;
}

const ended = (child: ChildProcess) => new Promise<number | null>((done) => child.once("close", done));

/** Seconds that a step of the sweep may take. */
const PATIENCE = 300;

test("a sweep on Slurm gives the undivided figure, whatever is killed", {
  skip: obstacle(),
  timeout: 1_200_000,
}, async () => {
  const dir = mkdtempSync(path.join(tmpdir(), "slurm-"));
  const slurm = (command: string) =>
    spawnSync("sh", ["scripts/sweep/slurm.sh", command, path.join(dir, "slurm")], { cwd: ROOT, encoding: "utf8" });
  const out = path.join(dir, "sweep");
  const parts = () => {
    const folder = path.join(out, "parts", "6");
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
    return new Map(names.map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));
  };
  try {
    const model = path.join(dir, "tiny");
    writeCheckpoint(model, SHAPES.tiny, 0);
    const up = slurm("up");
    assert.equal(up.status, 0, `${up.stdout}${up.stderr}`);
    const env = { ...process.env, PATH: `${nodeThatFailsOnce(dir)}:${process.env.PATH}` };
    const own = ["--figures", "6", "--model", model, ...WORK, "--threads", "1", "--profile", "slurm", "--out", out];
    const fast = ["--", "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"];
    let said = "";
    const sweep = () => {
      const args = [path.join(ROOT, "scripts", "cli.mjs"), "sweep", ...own, ...fast, "--latency-wait", "10"];
      const child = spawn(process.execPath, args, {
        cwd: ROOT,
        env,
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      });
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (text) => {
          said += text;
        });
      return child;
    };

    const first = sweep();
    const workers = () => readdirSync(path.join(dir, "pids")).map(Number);
    const killed = await until("a worker", () => workers().find(isAlive), PATIENCE);
    await after(1500); // it takes longer to start
    assert.ok(isAlive(killed), "the worker was still measuring");
    process.kill(killed, "SIGKILL");
    const before = await until("a finished part", () => parts().size > 0 && parts(), PATIENCE);
    process.kill(-first.pid!, "SIGKILL"); // snakemake, too; what it has submitted goes on
    await ended(first);

    const whole = path.join(dir, "whole");
    const args = ["--require", "tsx/cjs", "scripts/figure/main.ts", "6", "--model", model, ...WORK, "--out", whole];
    const undivided = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
    const codes = await Promise.all([sweep(), undivided].map(ended));
    assert.deepEqual(codes, [0, 0], said);
    assert.ok(existsSync(path.join(dir, "failed-once")));
    // seconds and all: measured again they would be others (Slurm's job step touches the file when it ends, so its time says nothing)
    for (const [name, text] of before) assert.ok(parts().get(name) === text, `${name} was measured again`);
    assert.equal(parts().size, 3);
    assert.ok(existsSync(path.join(out, "report.html")));

    const rows = (file: string) => readFileSync(`${file}.csv`, "utf8");
    assert.equal(rows(path.join(out, "figures", "6")), rows(whole)); // the same batches on the same machine
  } finally {
    slurm("down");
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
});
