import { existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * The Python of a virtual environment.
 * @param {string} venv
 */
export const pythonOf = (venv, platform = process.platform) =>
  platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");

/** Everything that set-up makes, all of it inside the project. */
export function projectPaths(root = ROOT, platform = process.platform) {
  const setup = join(root, ".setup");
  const venv = join(root, ".venv");
  return {
    root,
    setup,
    venv,
    nodeModules: join(root, "node_modules"),
    dist: join(root, "dist"),
    work: join(root, "work"),
    logs: join(setup, "logs"),
    lock: join(setup, "lock"),
    venvPython: pythonOf(venv, platform),
    kernelSpec: join(venv, "share", "jupyter", "kernels", "tslab", "kernel.json"),
    labConfig: join(venv, "etc", "jupyter", "jupyter_lab_config.json"),
    labSettings: join(venv, "share", "jupyter", "lab", "settings", "overrides.json"),
  };
}

/**
 * The environment of every Python process: Jupyter and IPython keep their files in the project,
 * and nothing of the user's own Python or Jupyter leaks in.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function jupyterEnv(root = ROOT, env = process.env) {
  const home = join(root, ".setup", "jupyter");
  const kept = { ...env };
  for (const name of ["PYTHONPATH", "PYTHONHOME", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "NODE_TEST_CONTEXT"]) {
    delete kept[name];
  }
  return {
    ...kept,
    JUPYTER_CONFIG_DIR: join(home, "config"),
    JUPYTER_DATA_DIR: join(home, "data"),
    JUPYTER_RUNTIME_DIR: join(home, "runtime"),
    JUPYTERLAB_SETTINGS_DIR: join(home, "settings"),
    JUPYTERLAB_WORKSPACES_DIR: join(home, "workspaces"),
    IPYTHONDIR: join(home, "ipython"),
    JUPYTER_PREFER_ENV_PATH: "1",
    PYTHONNOUSERSITE: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONIOENCODING: "utf-8",
    PIP_USER: "0",
    ...temporaryEnv(join(root, ".setup", "tmp")),
  };
}

/**
 * The environment with ACRONYM_MODEL as notebooks need it: they run in their own folder, so that a folder named from
 * here is made absolute. Anything else is a model's name and stays.
 * @param {NodeJS.ProcessEnv} env
 * @param {string | undefined} model
 * @returns {NodeJS.ProcessEnv}
 */
export function withModel(env, model = env.ACRONYM_MODEL) {
  if (!model) return env;
  const folder = resolve(env.INIT_CWD ?? process.cwd(), model);
  return { ...env, ACRONYM_MODEL: existsSync(folder) ? folder : model };
}

/**
 * Temporary files go to a folder of the project, which is made if need be.
 * @param {string} folder
 */
export function temporaryEnv(folder) {
  mkdirSync(folder, { recursive: true });
  return { TMPDIR: folder, TMP: folder, TEMP: folder };
}
