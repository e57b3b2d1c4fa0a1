import { existsSync } from "node:fs";
import path from "node:path";
import { fetchModel } from "./hub/fetch-model";
import { parseModelId } from "./hub/ids";
import { HubError } from "./hub/problem";
import type { HubSettings } from "./hub/settings";

export { fetchOfficialPrompts, OFFICIAL_PROMPTS } from "./hub/official-prompts";
export { HubError } from "./hub/problem";

/** The model that comes with the project. */
export const EMBEDDED_MODEL = "embedded";

/** The project's folder; this file runs from src/load/ or dist/load/. */
export const projectFolder = path.resolve(__dirname, "../..");
export const dataFolder = path.join(projectFolder, "data");

const isModelFolder = (dir: string) => existsSync(path.join(dir, "config.json"));

/**
 * The folder of a model: `"embedded"`, a local folder in Hugging Face's layout, or a model of the hub (`"gpt2"`,
 * `"org/name"`, `"org/name@revision"`), which is fetched if it isn't in Hugging Face's cache.
 * @param id default: the environment variable ACRONYM_MODEL, else `"embedded"`
 * @throws HubError if there is nothing under that name, or it can't be fetched; says why and what to do
 */
export async function resolveModel(
  id: string = process.env.ACRONYM_MODEL || EMBEDDED_MODEL,
  settings?: HubSettings,
): Promise<string> {
  if (id === EMBEDDED_MODEL) return path.join(dataFolder, "embedded");
  for (const dir of [path.resolve(id), path.resolve(projectFolder, id)]) if (isModelFolder(dir)) return dir;
  const model = parseModelId(id);
  if (model) return fetchModel(model, settings);
  throw new HubError(
    `no model "${id}": it is not "${EMBEDDED_MODEL}", not a folder with a config.json, and not a model of the hub, ` +
      'such as "gpt2", "org/name" or "org/name@revision"',
  );
}
