import path from "node:path";
import type { ModelConfig } from "../model/model";
import { configOf, type Settings } from "./config";
import { LIMIT, readTable } from "./files";
import { requireFile } from "./folder";
import { canonicalName } from "./hub/ids";

/** A config.json, unchecked. Throws an Error naming the file if it is missing, damaged or no table. */
export const readSettings = (file: string): Settings =>
  readTable(file, LIMIT.settings, 'table of settings; {"model_type": "gpt2", …} is needed');

/** A model's folder, or the name under which the hub has it: there the folder is named after a commit. */
function nameOf(dir: string): string {
  const parts = path.resolve(dir).split(path.sep);
  const repo = parts.at(-3)?.startsWith("models--") && parts.at(-2) === "snapshots" ? parts.at(-3)! : undefined;
  return repo ? canonicalName(repo.replace("models--", "").replace("--", "/")) : parts.at(-1)!;
}

/** Reads a Hugging Face config.json. Throws if there is none, it is damaged or not a GPT-2's; names the file and the field. */
export function readConfig(dir: string): ModelConfig {
  requireFile(dir, "config.json");
  const file = path.join(dir, "config.json");
  return configOf(readSettings(file), file, nameOf(dir));
}
