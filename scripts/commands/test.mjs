import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { installNative } from "../lib/native.mjs";
import { Unavailable } from "../lib/native-files.mjs";
import { ROOT, temporaryEnv } from "../lib/paths.mjs";
import { endOnSignal } from "../lib/run.mjs";
import { setUp } from "../lib/setup.mjs";

/**
 * Set-up, then all tests, or those whose path contains one of the arguments. The last line is "N passed, N failed".
 * @param {string[]} selection
 */
export async function main(selection) {
  try {
    await setUp();
  } catch (error) {
    // the last line holds also when nothing could be tested
    process.once("exit", () => console.log("0 passed, 1 failed"));
    throw error;
  }
  const files = testFiles().filter((file) => selection.length === 0 || selection.some((part) => file.includes(part)));
  // before any test runs, so that all of them use the same backend
  const obstacle = files.some((file) => file.endsWith("native.test.ts")) ? await nativeObstacle() : "";
  if (obstacle) console.log(`Tests go on without the native backend: ${obstacle}`);
  const child = spawn(process.execPath, ["--import", "tsx", join(ROOT, "scripts", "lib", "run-tests.mjs"), ...files], {
    cwd: ROOT,
    env: { ...testEnv(), NATIVE_OBSTACLE: obstacle },
    stdio: "inherit",
  });
  endOnSignal(child);
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** Builds the native backend, so that it is tested wherever it can be had. @returns why it can't be had here, or "" */
async function nativeObstacle() {
  try {
    await installNative();
  } catch (error) {
    // a fault of the project itself is for the backend's own test to report
    if (error instanceof Unavailable) return error.message.split("\n", 1)[0];
  }
  return "";
}

/** The cross-cutting tests first: they take longest. */
function testFiles() {
  return ["tests", "src"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".test.ts"))
      .sort()
      .map((file) => join(folder, file)),
  );
}

/**
 * What is tested is the project as it is committed, whatever the user has set; temporary files stay in the project.
 * @returns {NodeJS.ProcessEnv}
 */
function testEnv() {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, ...temporaryEnv(join(ROOT, ".setup", "tmp")) };
  for (const name of Object.keys(env)) {
    if (name.startsWith("ACRONYM_") && name !== "ACRONYM_BACKEND") delete env[name];
  }
  delete env.NODE_TEST_CONTEXT;
  return env;
}
