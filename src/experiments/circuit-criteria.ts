/** Three questions to a circuit: is it faithful, complete, minimal? */
import { allHeads, checkHeads, type HeadId, headName, headsWithout } from "../model/heads";
import type { Model } from "../model/model";
import { share } from "../numbers/statistics";
import type { Letter } from "../prompts/acronym-task";
import { type LetterOf, lettersOf, type Prompts, type Task } from "../prompts/task";
import { circuitValues, type EvaluateOptions } from "./circuit-evaluation";
import { columnMean } from "./measure";

/** How much of the model a circuit is, by letter. F is a mean logit difference with all heads but some removed, in logits. */
export interface FaithfulnessRow<L extends number = Letter> {
  readonly letter: L;
  /** F(C): of the circuit's heads alone. */
  readonly circuit: number;
  /** F(M): of the whole model. */
  readonly model: number;
  /** F(∅): with every head removed. */
  readonly none: number;
  /** (F(C) − F(∅)) / (F(M) − F(∅)): 0 as without heads, 1 as the whole model, more than 1 better than it; null: heads do nothing. */
  readonly faithfulness: number | null;
}

/**
 * Faithfulness: does the circuit alone do what the model does? F(C) against F(M), and as a share of what heads do at all.
 * Throws as `circuitValues`
 */
export async function faithfulness<T extends Task>(
  model: Model,
  data: Prompts<T>,
  circuit: readonly HeadId[],
  options: EvaluateOptions,
): Promise<FaithfulnessRow<LetterOf<T>>[]> {
  const values = await circuitValues(model, data, [circuit, allHeads(model.config), []], options);
  return lettersOf(data.task).map((letter, i) => {
    const [c, m, none] = values.map((rows) => columnMean(rows, i));
    return { letter, circuit: c, model: m, none, faithfulness: share(c - none, m - none) };
  });
}

export interface RemovalOptions extends EvaluateOptions {
  /** Sets K of heads that are taken out together; heads outside the circuit are taken out of the model only. */
  readonly removed: readonly (readonly HeadId[])[];
}

export interface CompletenessRow<L extends number = Letter> {
  /** Index of K in the list given, and how many heads it has. */
  readonly removed: number;
  readonly size: number;
  readonly letter: L;
  /** F(C ∖ K): the circuit without K. */
  readonly circuit: number;
  /** F(M ∖ K): the whole model without K. */
  readonly model: number;
  /** F(M ∖ K) − F(C ∖ K): what the model still does without K and the circuit does not. */
  readonly gap: number;
}

/**
 * Completeness: taking the same heads K out of the circuit and out of the model should do the same. A circuit that lacks
 * heads which stand in for others is faithful and yet incomplete: without K the model keeps going, the circuit doesn't.
 * @returns a row per K and letter
 * See Wang et al., Interpretability in the Wild (2022), section 4
 */
export async function completeness<T extends Task>(
  model: Model,
  data: Prompts<T>,
  circuit: readonly HeadId[],
  { removed, ...options }: RemovalOptions,
): Promise<CompletenessRow<LetterOf<T>>[]> {
  const all = allHeads(model.config);
  for (const heads of removed) checkHeads(model.config, heads);
  const values = await circuitValues(
    model,
    data,
    removed.flatMap((heads) => [headsWithout(circuit, heads), headsWithout(all, heads)]),
    options,
  );
  return removed.flatMap((heads, k) =>
    lettersOf(data.task).map((letter, i) => {
      const [c, m] = [2 * k, 2 * k + 1].map((at) => columnMean(values[at], i));
      return { removed: k, size: heads.length, letter, circuit: c, model: m, gap: m - c };
    }),
  );
}

export interface MinimalityRow<L extends number = Letter> extends HeadId {
  readonly letter: L;
  /** F(C) − F(C ∖ {v}): lost when the head alone is taken out. */
  readonly alone: number;
  /** F(C ∖ K) − F(C ∖ (K ∪ {v})) for the K where it is largest in absolute value; positive: the head helps. */
  readonly most: number;
  /** Index of that K in the list given; −1: no head but v is out. */
  readonly removed: number;
}

/**
 * Minimality: every head v of the circuit should matter, if not by itself, then once some others, K, are out. (Heads that stand
 * in for each other would seem useless one by one.)
 * @returns a row per head and letter; from each K the head itself is left out
 * See Wang et al., Interpretability in the Wild (2022), section 4
 */
export async function minimality<T extends Task>(
  model: Model,
  data: Prompts<T>,
  circuit: readonly HeadId[],
  { removed, ...options }: RemovalOptions,
): Promise<MinimalityRow<LetterOf<T>>[]> {
  for (const heads of removed) checkHeads(model.config, heads);
  const sets = [[], ...removed];
  const pairs = circuit.flatMap((head) =>
    sets.map((heads) => {
      const rest = headsWithout(circuit, headsWithout(heads, [head]));
      return [rest, headsWithout(rest, [head])] as const;
    }),
  );
  const levels = await distinctLevels(model, data, pairs.flat(), options);
  return circuit.flatMap((head, h) =>
    lettersOf(data.task).map((letter, i) => {
      const lost = sets.map((_, k) => {
        const [rest, less] = pairs[h * sets.length + k].map((c) => levels.get(nameOf(c))![i]);
        return rest - less;
      });
      const most = lost.reduce((best, value, k) => (Math.abs(value) > Math.abs(lost[best]) ? k : best), 0);
      return { ...head, letter, alone: lost[0], most: lost[most], removed: most - 1 };
    }),
  );
}

const nameOf = (circuit: readonly HeadId[]) => circuit.map(headName).sort().join(" ");

/** Mean logit difference by letter of each circuit, measured once if it comes twice. */
async function distinctLevels(
  model: Model,
  data: Prompts,
  circuits: readonly (readonly HeadId[])[],
  options: EvaluateOptions,
): Promise<Map<string, number[]>> {
  const distinct = [...new Map(circuits.map((circuit) => [nameOf(circuit), circuit]))];
  const values = await circuitValues(
    model,
    data,
    distinct.map(([, circuit]) => circuit),
    options,
  );
  return new Map(distinct.map(([name], c) => [name, lettersOf(data.task).map((_, i) => columnMean(values[c], i))]));
}
