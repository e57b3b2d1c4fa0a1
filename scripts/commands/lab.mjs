import { spawn } from "node:child_process";
import { join } from "node:path";
import { jupyterEnv, projectPaths, ROOT, withModel } from "../setup/paths.mjs";
import { endOnSignal } from "../setup/run.mjs";
import { setUp } from "../setup/setup.mjs";

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
    "LabApp.extension_manager": "readonly",
    "Application.log_level": "WARN",
  };
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  // in containers the only user is often root, whom Jupyter otherwise refuses
  if (process.getuid?.() === 0) flags.push("--allow-root");
  const child = spawn(venvPython, ["-m", "jupyterlab", ...flags, ...args], {
    cwd: ROOT,
    env: jupyterEnv(ROOT, withModel(process.env)),
    stdio: "inherit",
  });
  endOnSignal(child);
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
