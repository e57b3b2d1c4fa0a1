import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/** The model that comes with the project. */
export const EMBEDDED_MODEL = "embedded";
const ALIASES: Readonly<Record<string, string>> = {
  gpt2: "openai-community/gpt2",
  "gpt2-small": "openai-community/gpt2",
};

/** The project's folder; this file runs from src/ or dist/. */
export const projectFolder = path.resolve(__dirname, "..");
export const dataFolder = path.join(projectFolder, "data");

const isModelFolder = (dir: string) => existsSync(path.join(dir, "config.json"));

/** Hugging Face's cache, where its Python tools put what they download. */
function hubCache(): string {
  const { HF_HUB_CACHE, HF_HOME } = process.env;
  return HF_HUB_CACHE ?? path.join(HF_HOME ?? path.join(homedir(), ".cache", "huggingface"), "hub");
}

/** The newest known snapshot of a hub model in the cache, if it is there. */
function cachedSnapshot(id: string): string | undefined {
  const repo = path.join(hubCache(), `models--${id.replace("/", "--")}`);
  const ref = path.join(repo, "refs", "main");
  const snapshots = path.join(repo, "snapshots");
  const revision = existsSync(ref)
    ? readFileSync(ref, "utf8").trim()
    : (existsSync(snapshots) && readdirSync(snapshots)[0]) || "";
  const dir = path.join(snapshots, revision);
  return revision && isModelFolder(dir) ? dir : undefined;
}

/**
 * The folder of a model: `"embedded"`, a local folder in Hugging Face's layout, or a hub model (`"gpt2"`,
 * `"org/name"`) that Hugging Face's tools have already downloaded.
 * @param id default: the environment variable ACRONYM_MODEL, else `"embedded"`
 * @throws if there is nothing under that name; says where it looked and what to do
 */
export function resolveModel(id: string = process.env.ACRONYM_MODEL || EMBEDDED_MODEL): string {
  if (id === EMBEDDED_MODEL) return path.join(dataFolder, "embedded");
  for (const dir of [path.resolve(id), path.resolve(projectFolder, id)]) if (isModelFolder(dir)) return dir;
  const hubId = ALIASES[id] ?? id;
  const snapshot = cachedSnapshot(hubId);
  if (snapshot) return snapshot;
  throw new Error(
    `no model "${id}": it is not "${EMBEDDED_MODEL}", not a folder with a config.json, and ${hubId} is not in ${hubCache()}. ` +
      `Give a folder, or download it first with Hugging Face's tools: hf download ${hubId}`,
  );
}
