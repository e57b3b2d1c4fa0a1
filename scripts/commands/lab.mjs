import { layWork } from "../lessons/lay.mjs";
import { jupyterEnv, projectPaths, ROOT, withModel } from "../setup/paths.mjs";
import { runHere } from "../setup/run.mjs";
import { setUp } from "../setup/setup.mjs";

/**
 * Set-up, then JupyterLab on work/, the copies to work in, at its start page; reachable from this machine only and with a token, as set-up's configuration file says.
 * Arguments go to JupyterLab and come before that file: npm run lab -- --no-browser --ip=0.0.0.0
 * @param {string[]} args
 */
export async function main(args) {
  await setUp();
  const { venvPython, work } = projectPaths();
  layWork({ root: ROOT, folder: work, say: console.log });
  // in containers the only user is often root, whom Jupyter otherwise refuses
  const flags = process.getuid?.() === 0 && !args.includes("--allow-root") ? ["--allow-root"] : [];
  return await runHere(venvPython, ["-m", "jupyterlab", ...flags, ...args], {
    cwd: ROOT,
    env: jupyterEnv(ROOT, withModel(process.env)),
  });
}
