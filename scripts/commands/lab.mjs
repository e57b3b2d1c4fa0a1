import { spawn } from "node:child_process";
import { join } from "node:path";
import { jupyterEnv, projectPaths, ROOT } from "../lib/paths.mjs";
import { endOnSignal } from "../lib/run.mjs";
import { setUp } from "../lib/setup.mjs";

/**
 * Set-up, then JupyterLab on notebooks/, reachable from this machine only and with a token.
 * Further arguments go to JupyterLab: npm run lab -- --no-browser --port 9000
 * @param {string[]} args
 */
export async function main(args) {
  await setUp();
  const { venvPython, setup } = projectPaths();
  const options = {
    "ServerApp.ip": "127.0.0.1",
    "ServerApp.root_dir": join(ROOT, "notebooks"),
    "FileCheckpoints.checkpoint_dir": join(setup, "jupyter", "checkpoints"),
    "MultiKernelManager.default_kernel_name": "tslab",
  };
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(venvPython, ["-m", "jupyterlab", ...flags, ...args], {
    cwd: ROOT,
    env: jupyterEnv(),
    stdio: "inherit",
  });
  endOnSignal(child);
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
