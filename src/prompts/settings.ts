import path from "node:path";
import { OFFICIAL_PROMPTS, projectFolder } from "../load/resolve";

/** What a notebook's run depends on. */
export interface Settings {
  /** See `resolveModel`. */
  readonly modelId: string;
  /** Number of prompts. */
  readonly n: number;
  /** Where all chance starts: the choice of prompts, and of what is exchanged in them. */
  readonly seed: number;
  /** A file of prompts in the official format, or "official"; a relative path starts at the project's folder. */
  readonly prompts: string;
}

const ALONE =
  "n = 1: a single prompt has no other to exchange words with; what is taken from other prompts is its own, and changes nothing.";

/**
 * A notebook's own values, or what the environment says instead: ACRONYM_MODEL, ACRONYM_N, ACRONYM_SEED, ACRONYM_PROMPTS. Says what one
 * prompt alone can't show.
 * Throws a RangeError naming the variable if its value is no whole number, or n is less than 1.
 */
export function settings(own: Settings): Settings {
  const { ACRONYM_MODEL, ACRONYM_N, ACRONYM_SEED, ACRONYM_PROMPTS } = process.env;
  const prompts = ACRONYM_PROMPTS || own.prompts;
  const n = whole("ACRONYM_N", ACRONYM_N || own.n, 1);
  if (n === 1) console.log(ALONE);
  return {
    modelId: ACRONYM_MODEL || own.modelId,
    n,
    seed: whole("ACRONYM_SEED", ACRONYM_SEED || own.seed, Number.MIN_SAFE_INTEGER),
    prompts: prompts === OFFICIAL_PROMPTS ? prompts : path.resolve(projectFolder, prompts),
  };
}

function whole(name: string, value: string | number, least: number): number {
  const found = Number(value);
  if (Number.isSafeInteger(found) && found >= least) return found;
  const kind = least === 1 ? "a whole number from 1 on" : "a whole number";
  throw new RangeError(`${name}, or the notebook's own value for it, is ${JSON.stringify(value)}; it must be ${kind}`);
}
