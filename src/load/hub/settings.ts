import { readFileSync, symlinkSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { HubError } from "./problem";

/** Where things are fetched from and kept, and how patiently. `hubSettings` reads them; tests change single ones. */
export interface HubSettings {
  /** Address of the hub, without a slash at its end. */
  readonly endpoint: string;
  /** Address of the paper's repository, as raw files. */
  readonly promptsEndpoint: string;
  /** Hugging Face's folder. */
  readonly home: string;
  /** Hugging Face's cache of models. */
  readonly cache: string;
  readonly token: string | undefined;
  /** No connection may be made. */
  readonly offline: boolean;
  /** How often in a row something may fail without a byte gained. */
  readonly attempts: number;
  /** ms before the second attempt; doubled for each one after it. */
  readonly delay: number;
  /** ms without a byte after which a connection counts as dead. */
  readonly stall: number;
  /** Tells what happens on the way: waiting, trying again. */
  readonly say: (line: string) => void;
  /** Free bytes on the disk of a folder. */
  readonly freeBytes: (folder: string) => Promise<number>;
  /** Makes a symbolic link; throws where that isn't allowed. */
  readonly symlink: (target: string, link: string) => void;
}

/**
 * Reads HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE and ACRONYM_PROMPTS_ENDPOINT with
 * the meanings and defaults of Hugging Face's own tools.
 * @throws HubError naming the variable if an address is none
 */
export function hubSettings(env: NodeJS.ProcessEnv = process.env): HubSettings {
  const cacheHome = env.XDG_CACHE_HOME || path.join(homedir(), ".cache");
  const home = folder(env.HF_HOME || path.join(cacheHome, "huggingface"));
  return {
    endpoint: address(env, "HF_ENDPOINT", "https://huggingface.co"),
    promptsEndpoint: address(
      env,
      "ACRONYM_PROMPTS_ENDPOINT",
      "https://raw.githubusercontent.com/jgcarrasco/acronyms_paper",
    ),
    home,
    cache: folder(env.HF_HUB_CACHE || path.join(home, "hub")),
    token: env.HF_TOKEN?.trim() || storedToken(folder(env.HF_TOKEN_PATH || path.join(home, "token"))),
    offline: ["1", "ON", "YES", "TRUE"].includes((env.HF_HUB_OFFLINE ?? "").toUpperCase()),
    attempts: 5,
    delay: 1_000,
    stall: 30_000,
    say: (line) => console.warn(line),
    freeBytes: async (dir) => {
      const { bavail, bsize } = await statfs(dir);
      return bavail * bsize;
    },
    symlink: symlinkSync,
  };
}

/** A leading ~ is the home folder, also where no shell has replaced it. */
const folder = (name: string) => path.resolve(name.replace(/^~(?=$|[\\/])/, homedir()));

function address(env: NodeJS.ProcessEnv, name: string, preset: string): string {
  const value = env[name] || preset;
  if (!/^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : ""))
    throw new HubError(`${name} is ${JSON.stringify(value)}; it must be an address such as ${preset}`);
  return value.replace(/\/+$/, "");
}

/** What `hf auth login` has left. */
function storedToken(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch {
    return undefined; // nobody has logged in
  }
}
