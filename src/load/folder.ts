/** What a model's folder must hold. */
import path from "node:path";
import { statOf } from "./files";
import { TABLES } from "./vocabulary";
import { WEIGHTS, weightFiles } from "./weight-files";

const LAYOUT =
  "a model's folder holds config.json, model.safetensors (or model.safetensors.index.json and its parts), and vocab.json or tokenizer.json, all from the same GPT-2 model";
const OTHER_FORMATS = "Other formats (pytorch_model.bin) become model.safetensors with transformers' save_pretrained";

/** What a folder lacks, file by file; undefined if all is there. */
export function whatIsMissing(dir: string): string | undefined {
  const has = (name: string) => statOf(path.join(dir, name)) !== undefined;
  const weights = weightFiles(dir);
  const lacksWeights = weights.length === 0;
  const missing = [
    ...(has("config.json") ? [] : ["no config.json"]),
    ...(TABLES.some(has) ? [] : [`neither ${TABLES.join(" nor ")}`]),
    ...(lacksWeights ? [`no ${WEIGHTS}`] : weights.filter((name) => !has(name)).map((name) => `no ${name}`)),
  ];
  if (missing.length === 0) return undefined;
  return `${dir} has ${missing.join(", ")}: ${LAYOUT}${lacksWeights ? `. ${OTHER_FORMATS}` : ""}`;
}

/** Throws an Error that names every file that the folder lacks, if this one is among them. */
export function requireFile(dir: string, ...names: readonly string[]): void {
  if (names.some((name) => statOf(path.join(dir, name)) !== undefined)) return;
  throw new Error(whatIsMissing(dir) ?? `${dir} has no ${names.join(" or ")}`);
}
