/** A checkpoint's way to a user: a hub on this machine, npm run fetch, Hugging Face's cache. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { COMMIT, HubServer } from "../../tests/fixtures/hub-server";

/** Under this name the hub has the checkpoint: GPT-2's own is pinned to the real weights' hash. */
const REPO = "local/gpt2-shaped";

/** How notebooks find the model: without any connection. */
export const cachedModel = (home: string): NodeJS.ProcessEnv => ({
  ACRONYM_MODEL: `${REPO}@${COMMIT}`,
  HF_HOME: home,
  HF_HUB_OFFLINE: "1",
});

/**
 * Serves a checkpoint's folder as a hub does and fetches it into `home`.
 * Throws an Error with what it printed if it failed.
 * @returns what `npm run fetch` printed
 */
export async function fetchThroughHub(checkpoint: string, home: string): Promise<string> {
  const files = readdirSync(checkpoint).map((name) => [name, readFileSync(path.join(checkpoint, name))]);
  const hub = await HubServer.start(Object.fromEntries(files));
  hub.repo = REPO;
  try {
    const script = path.resolve(__dirname, "..", "fetch", "main.ts");
    const child = spawn(process.execPath, ["--require", "tsx/cjs", script, `${REPO}@${COMMIT}`], {
      env: { PATH: process.env.PATH, HF_ENDPOINT: hub.endpoint, HF_HOME: home },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text) => {
        said += text;
      });
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`npm run fetch ended with code ${code}:\n${said}`);
    return said.trim();
  } finally {
    await hub.close();
  }
}
