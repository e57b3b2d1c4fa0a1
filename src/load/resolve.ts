import path from "node:path";
import { statOf } from "./files";
import { whatIsMissing } from "./folder";
import { quote } from "./header-reader";
import { fetchModel } from "./hub/fetch-model";
import { isShortName, LONGEST_NAME, parseModelId } from "./hub/ids";
import { HubError } from "./hub/problem";
import type { HubSettings } from "./hub/settings";

export { fetchOfficialPrompts, OFFICIAL_PROMPTS } from "./hub/official-prompts";
export { HubError } from "./hub/problem";

/** The model that comes with the project. */
export const EMBEDDED_MODEL = "embedded";

/** The project's folder; this file runs from src/load/ or dist/load/. */
export const projectFolder = path.resolve(__dirname, "../..");
export const dataFolder = path.join(projectFolder, "data");

/**
 * The folder of a model: `"embedded"`, a local folder in Hugging Face's layout, or a model of the hub (`"gpt2"`,
 * `"org/name"`, `"org/name@revision"`), which is fetched if it isn't in Hugging Face's cache. A folder of that name comes before the hub.
 * Throws HubError if there is nothing under that name, a folder lacks a file, or the model can't be fetched; says why and what to do.
 * @param id default: the environment variable ACRONYM_MODEL, else `"embedded"`
 */
export async function resolveModel(
  id: string = process.env.ACRONYM_MODEL || EMBEDDED_MODEL,
  settings?: HubSettings,
): Promise<string> {
  if (id === EMBEDDED_MODEL) return path.join(dataFolder, "embedded");
  const places = [path.resolve(id), path.resolve(projectFolder, id)];
  const isThere = (place: string) => statOf(place) !== undefined;
  const found = places.find((dir) => isThere(path.join(dir, "config.json"))) ?? places.find(isThere);
  const model = parseModelId(id);
  const isMeant = !isShortName(id) || (found !== undefined && isThere(path.join(found, "config.json")));
  if (found !== undefined && isMeant) return checkedFolder(found);
  if (model) return fetchModel(model, settings);
  throw new HubError(
    `no model ${quote(id)}: it is not "${EMBEDDED_MODEL}", not a folder with a config.json, and not a model of the hub, ` +
      `such as "gpt2", "org/name" or "org/name@revision" (org/name has at most ${LONGEST_NAME} characters)`,
  );
}

function checkedFolder(dir: string): string {
  if (!statOf(dir)?.isDirectory())
    throw new HubError(`${dir} is a file; name the folder that holds a model's files, or a model of the hub`);
  if (statOf(path.join(dir, "config.json"))) return dir; // what else it may lack is told when that is read
  throw new HubError(whatIsMissing(dir) ?? dir);
}
