import { symlinkSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { LIMIT, readText } from "../files";
import { HubError } from "./problem";

/** The hub's address, unless HF_ENDPOINT names another. */
export const HUB = "https://huggingface.co";

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
 * Reads ACRONYM_PROMPTS_ENDPOINT and the variables of Hugging Face's own tools, with the meanings, older names and defaults that they have there.
 * Throws HubError naming the variable if an address or a token is none.
 */
export function hubSettings(env: NodeJS.ProcessEnv = process.env): HubSettings {
  const cacheHome = env.XDG_CACHE_HOME || path.join(homedir(), ".cache");
  const folder = (name: string) => folderOf(name, env);
  const home = folder(env.HF_HOME || path.join(cacheHome, "huggingface"));
  const isOn = (name: string) => ["1", "ON", "YES", "TRUE"].includes((env[name] ?? "").toUpperCase());
  return {
    endpoint: address(env, "HF_ENDPOINT", HUB),
    promptsEndpoint: address(
      env,
      "ACRONYM_PROMPTS_ENDPOINT",
      "https://raw.githubusercontent.com/jgcarrasco/acronyms_paper",
    ),
    home,
    cache: folder(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || path.join(home, "hub")),
    token: isOn("HF_HUB_DISABLE_IMPLICIT_TOKEN")
      ? undefined
      : tokenIn("HF_TOKEN", env.HF_TOKEN) ||
        tokenIn("HUGGING_FACE_HUB_TOKEN", env.HUGGING_FACE_HUB_TOKEN) ||
        storedToken(folder(env.HF_TOKEN_PATH || path.join(home, "token"))),
    offline: isOn(env.HF_HUB_OFFLINE ? "HF_HUB_OFFLINE" : "TRANSFORMERS_OFFLINE"),
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

/** A leading ~ is the home folder, $NAME and ${NAME} are variables, also where no shell has replaced them. */
function folderOf(name: string, env: NodeJS.ProcessEnv): string {
  const withHome = name.replace(/^~(?=$|[\\/])/, homedir());
  const value = (whole: string, plain?: string, braced?: string) => env[plain ?? braced ?? ""] ?? whole;
  return path.resolve(withHome.replace(/\$(?:(\w+)|\{([^}]*)\})/g, value));
}

function address(env: NodeJS.ProcessEnv, name: string, preset: string): string {
  const value = env[name] || preset;
  if (!/^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : ""))
    throw new HubError(`${name} is ${JSON.stringify(value)}; it must be an address such as ${preset}`);
  return value.replace(/\/+$/, "");
}

/** What `hf auth login` has left. */
function storedToken(file: string): string | undefined {
  let text: string;
  try {
    text = readText(file, LIMIT.line);
  } catch {
    return undefined; // nobody has logged in
  }
  return tokenIn(file, text);
}

/** A token without line breaks, as Hugging Face's tools read it. Throws HubError if it can't be sent; the token is not shown. */
function tokenIn(place: string, text: string | undefined): string | undefined {
  const token = text?.replace(/[\r\n]/g, "").trim();
  if (token && !/^[\x21-\x7e]+$/.test(token))
    throw new HubError(
      `${place} holds no token of the hub: letters, digits and signs without a space between them are allowed; set it anew, or unset it`,
    );
  return token || undefined;
}
