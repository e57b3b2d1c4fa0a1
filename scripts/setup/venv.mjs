import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { noteChild } from "../../src/load/lock.mjs";
import { jupyterEnv, pythonOf } from "./paths.mjs";
import { installFault } from "./problem.mjs";
import { run } from "./run.mjs";

/**
 * Makes a virtual environment anew and installs into it what a file of requirements with hashes names. To be called under the project's lock.
 * Throws Problem saying what failed and which log says more.
 * @param {import("./python.mjs").Python} python
 * @param {string} venv its folder; the logs are named after it
 * @param {string} requirements
 * @param {Pick<import("./steps.mjs").Context, "paths" | "env">} context
 */
export async function makeVenv({ command, args }, venv, requirements, { paths: { root, logs, lock }, env }) {
  rmSync(venv, { recursive: true, force: true });
  const context = { cwd: root, env: jupyterEnv(root, env), started: noteChild.bind(undefined, lock) };
  const logOf = (/** @type {string} */ what) => join(logs, `${basename(venv).replace(/^\./, "")}-${what}.log`);
  const made = await run(command, [...args, "-m", "venv", venv], { ...context, log: logOf("make") });
  if (made.code !== 0) throw installFault("Making the virtual environment", made.output, logOf("make"));
  const pip = [
    "-m",
    "pip",
    "install",
    "--no-input",
    "--disable-pip-version-check",
    "--require-hashes",
    "--requirement",
  ];
  const installed = await run(pythonOf(venv), [...pip, requirements], { ...context, log: logOf("pip") });
  if (installed.code !== 0) throw installFault("pip install", installed.output, logOf("pip"));
}
