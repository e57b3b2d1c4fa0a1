/** The files that hold a model's weights: one, or several with an index. */
import path from "node:path";
import { LIMIT, readTable, statOf } from "./files";
import { quote } from "./header-reader";
import { isTable } from "./json";
import { type Checkpoint, WEIGHTS } from "./safetensors";
import { openSafetensors } from "./safetensors-file";

export { WEIGHTS };
/** Which tensor is in which part, as transformers' `save_pretrained` writes it for large models. */
export const WEIGHTS_INDEX = "model.safetensors.index.json";

/** A part lies beside its index: its name leads nowhere else. */
const PART = /^\w[\w.-]*\.safetensors$/;

/** The names of the files of weights that a folder has, or should have by its index: `[]` if it has neither. Throws an Error if its index is damaged. */
export function weightFiles(dir: string): string[] {
  const has = (name: string) => statOf(path.join(dir, name)) !== undefined;
  if (has(WEIGHTS)) return [WEIGHTS];
  return has(WEIGHTS_INDEX) ? [...new Set(readIndex(path.join(dir, WEIGHTS_INDEX)).values())] : [];
}

/** Tensor → the part that holds it. Throws an Error naming the file and what is wrong in it. */
function readIndex(file: string): Map<string, string> {
  const { weight_map } = readTable(file, LIMIT.index, 'index of parts, {"weight_map": {"tensor": "file", …}}');
  if (!isTable(weight_map)) throw new Error(`${file} has no table "weight_map" of tensors and their files`);
  const parts = Object.entries(weight_map);
  if (parts.length === 0) throw new Error(`${file}: its "weight_map" is empty`);
  for (const [tensor, part] of parts)
    if (typeof part !== "string" || part.length > 200 || !PART.test(part))
      throw new Error(
        `${file}: ${quote(tensor)} is in ${quote(`${JSON.stringify(part)}`)}, which is no name of a .safetensors file beside it`,
      );
  return new Map(parts as [string, string][]);
}

/**
 * Opens a folder's model.safetensors, or all parts that its index names, as one checkpoint.
 * Throws an Error naming the file if one is missing or damaged, or parts and index differ.
 */
export function openWeights(dir: string): Checkpoint {
  const names = weightFiles(dir);
  if (statOf(path.join(dir, WEIGHTS))) return openSafetensors(path.join(dir, WEIGHTS));
  const index = path.join(dir, WEIGHTS_INDEX);
  const missing = names.filter((name) => statOf(path.join(dir, name)) === undefined);
  if (missing.length > 0)
    throw new Error(`${dir} has no ${missing.join(", no ")}, which ${WEIGHTS_INDEX} names: fetch all parts`);
  const parts: Checkpoint[] = [];
  const close = () => {
    for (const part of parts) part.close();
  };
  try {
    for (const name of names) parts.push(openSafetensors(path.join(dir, name)));
    return { ...joined(index, parts), close };
  } catch (error) {
    close();
    throw error;
  }
}

function joined(index: string, parts: readonly Checkpoint[]): Omit<Checkpoint, "close"> {
  const owners = new Map<string, Checkpoint>();
  for (const part of parts)
    for (const name of part.names) {
      const other = owners.get(name);
      if (other) throw new Error(`${part.file}: ${quote(name)} is in ${path.basename(other.file)}, too`);
      owners.set(name, part);
    }
  for (const [name, part] of readIndex(index))
    if (path.basename(owners.get(name)?.file ?? "") !== part)
      throw new Error(`${index}: ${quote(name)} is not in ${part}, where it should be: take all files from one model`);
  const owner = (name: string) => {
    const found = owners.get(name);
    if (!found) throw new Error(`${index} names no tensor ${quote(name)}`);
    return found;
  };
  return {
    file: index,
    names: [...owners.keys()],
    metadata: Object.assign({}, ...parts.map(({ metadata }) => metadata)),
    fileOf: (name) => owner(name).file,
    shape: (name) => owner(name).shape(name),
    read: (name) => owner(name).read(name),
  };
}
