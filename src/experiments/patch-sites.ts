/** Where activation patching replaces activations. */
import { allHeads, checkHeads, type HeadId } from "../model/heads";
import { type ActivationCache, type HookName, type Intervention, patch } from "../model/hooks";
import { type HeadActivation, patchHeads } from "../model/interventions";
import type { ModelConfig } from "../model/model";
import { checkIndex } from "../numbers/check";
import { grid, range } from "../numbers/lists";
import type { Position } from "../prompts/acronym-task";
import { indexOf, type Task } from "../prompts/task";

/** Where one activation is replaced: a set of points, and the intervention at each. */
export interface Site<P extends object> {
  points(config: ModelConfig, task: Task): P[];
  /** The one position that a letter is patched at, if it isn't all. Throws a RangeError if the letter has none. */
  at?(letter: number, task: Task): number;
  /** The activations that are replaced. */
  hooks(config: ModelConfig): HookName[];
  /** `positions`: those that can make a difference. An empty intervention changes nothing. */
  intervene(point: P, source: ActivationCache, positions: readonly number[], letter: number, task: Task): Intervention;
}

type BlockActivation = "hook_resid_pre" | "hook_attn_out" | "hook_mlp_out";

/**
 * Every layer × position of the residual stream, or of what attention or the MLP adds to it.
 * @param positions those that are wanted; default all of the task. Of a task whose positions are not those of acronyms of three letters
 *   the rows' type is `blockSite<string>()`
 * See the paper's figures 1, 4, 7.
 */
export function blockSite<L extends string = Position>(
  activation: BlockActivation = "hook_resid_pre",
  positions?: readonly L[],
): Site<{ layer: number; position: L }> {
  return {
    points: ({ n_layers }, task) =>
      grid({ layer: range(n_layers), position: positions ?? (task.positions as readonly L[]) }),
    hooks: ({ n_layers }) => range(n_layers).map((layer) => `blocks.${layer}.${activation}` as const),
    intervene: ({ layer, position: label }, source, changing, _, task) => {
      const at = `blocks.${layer}.${activation}` as const;
      const pos = indexOf(task, label);
      return changing.includes(pos) ? patch(at, source[at], { pos }) : [];
    },
  };
}

/** One point: the embeddings of all positions, so that the whole of one run becomes the other. */
export const promptSite = (): Site<object> => ({
  points: () => [{}],
  hooks: () => ["hook_embed"],
  intervene: (_, { hook_embed }, positions) =>
    positions.length > 0 ? patch("hook_embed", hook_embed, { pos: positions }) : [],
});

const headHooks =
  (activation: HeadActivation) =>
  ({ n_layers }: ModelConfig) =>
    range(n_layers).map((layer) => `blocks.${layer}.attn.hook_${activation}` as const);

/** A position that depends on the letter; as a method, so that a function of letters 1, 2 and 3 alone is one, too. */
type At = { at(letter: number, task: Task): number }["at"];

/**
 * Every head, at all positions or at one that depends on the letter.
 * @param at is told the letter and the task: e.g. `wordPosition` or `lastLetterPosition`; the site throws RangeError if it gives no position
 * @param heads those that are wanted; default all. The site throws RangeError if the model lacks one, or one comes twice
 * See the paper's figures 2, 5 (`wordPosition`) and 6 (`lastLetterPosition`).
 * @example
 * ```ts
 * const { model, tokenizer } = await loadModel("embedded");
 * const data = loadAcronyms(HELD_OUT, tokenizer, { n: 10 });
 * const corrupted = resample(data, 0);
 * const rows = await activationPatch(model, data, { site: headSite("z", wordPosition), corruption: "current_word", corrupted });
 * console.log(rows.length); // → 48
 * ```
 */
export function headSite(activation: HeadActivation = "z", at?: At, heads?: readonly HeadId[]): Site<HeadId> {
  const checkedAt = (letter: number, task: Task): number => {
    const pos = at!(letter, task);
    checkIndex(`letter ${letter}: position`, pos, task.positions.length);
    return pos;
  };
  return {
    points: (config) => {
      if (heads) checkHeads(config, heads);
      return (heads ?? allHeads(config)).map(({ layer, head }) => ({ layer, head }));
    },
    hooks: headHooks(activation),
    ...(at && { at: checkedAt }),
    intervene: (head, source, positions, letter, task) => {
      const here = at ? positions.filter((pos) => pos === checkedAt(letter, task)) : positions;
      return here.length > 0 ? patchHeads([head], activation, source, here) : [];
    },
  };
}
