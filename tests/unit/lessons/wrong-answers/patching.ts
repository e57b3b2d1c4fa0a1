// Wrong answers to lesson 2. Numbers are those that a student measures who errs so, on the model and prompts of the test.
import { type Against, letterReadout, logitDiffs } from "../../../../src/experiments/logit-difference";
import type { ExerciseContext } from "../../../../src/lessons/exercise";
import type { ExerciseId } from "../../../../src/lessons/topics";
import { forward } from "../../../../src/model/forward";
import { allHeads, type HeadId } from "../../../../src/model/heads";
import { type ActivationCache, type Intervention, patch } from "../../../../src/model/hooks";
import { patchHeads } from "../../../../src/model/interventions";
import { disposeRun, type Tokens } from "../../../../src/model/model";
import { range } from "../../../../src/numbers/lists";
import { mean } from "../../../../src/numbers/statistics";
import type { AcronymDataset } from "../../../../src/prompts/acronyms";
import { corrupt, resample } from "../../../../src/prompts/corruption";
import { type Letter, position } from "../../../../src/prompts/positions";
import type { WrongAnswer } from "../wrong-answers";

type Context = Pick<ExerciseContext, "model" | "data">;

/** Logit difference of a letter, mean over prompts. */
function level(
  { model, data }: Context,
  letter: Letter,
  tokens: Tokens = data.tokens,
  edits: Intervention = [],
  against: Against = "max",
) {
  const run = forward(model, tokens, { readout: letterReadout(data, [letter]), interventions: edits });
  const value = mean(logitDiffs(run, data, [letter], against).flat());
  disposeRun(run);
  return value;
}

const corrupted = ({ data, seed }: ExerciseContext) => resample(data, seed);
const otherWord = (context: ExerciseContext) => corrupt(context.data.tokens, corrupted(context), "current_word", 2);

/** What letter 3 changes by when A2 is another letter. */
export function third(context: ExerciseContext): number {
  const at = position("A2");
  const tokens = context.data.tokens.map((row, i) => row.with(at, corrupted(context)[i][at]));
  return level(context, 3, tokens) - level(context, 3);
}

/** Of letter 2, when a layer's stream comes from a run on other tokens. */
function streamed(context: ExerciseContext, layer: number, pos?: number): number {
  const hook = `blocks.${layer}.hook_resid_pre` as const;
  const run = forward(context.model, otherWord(context), { keep: [hook], readout: "none" });
  const after = level(context, 2, undefined, patch(hook, run.cache[hook], pos === undefined ? {} : { pos }));
  disposeRun(run);
  return after - level(context, 2);
}

export const whole = (context: ExerciseContext) => level(context, 2, otherWord(context)) - level(context, 2);

/** What a student's sweep does at each head. */
export interface Own {
  readonly value?: (after: number, before: number) => number;
  readonly edits?: (head: HeadId, cache: ActivationCache, all: readonly HeadId[]) => Intervention;
  readonly into?: "prompts" | "other";
  readonly reads?: Letter;
  readonly against?: Against;
}

const oneHead = (head: HeadId, cache: ActivationCache) => patchHeads([head], "z", cache);
const change = (after: number, before: number) => after - before;

/** A sweep; as it is without options, it is right. */
export const sweep =
  (
    { model }: Pick<ExerciseContext, "model">,
    { value = change, edits = oneHead, into = "prompts", reads, against }: Own = {},
  ) =>
  (prompts: AcronymDataset, other: number[][], letter: Letter) => {
    const [own, source] = into === "prompts" ? [prompts.tokens, other] : [other, prompts.tokens];
    const keep = range(model.config.n_layers).map((layer) => `blocks.${layer}.attn.hook_z` as const);
    const run = forward(model, source, { keep, readout: "none" });
    const context = { model, data: prompts };
    const before = level(context, reads ?? letter, own, [], against);
    const all = allHeads(model.config);
    const rows = all.map((head) => {
      const after = level(context, reads ?? letter, own, edits(head, run.cache, all), against);
      return { ...head, change: value(after, before) };
    });
    disposeRun(run);
    return rows;
  };

/** A sweep that gives something else than rows. */
const gives = (rows: unknown) => () => () => rows;

export const PATCHING = {
  "where-the-word-counts": [
    { says: /As if.*the whole word.*another T2 costs/s, answer: () => ["C2", "T2"] },
    { says: /As if.*it has always been.*At A1 both runs/s, answer: () => ["C2", "A1"] },
    { says: /As if.*every token helps.*At BOS, The, C1, T1 both/s, answer: () => ["BOS", "The", "C1", "T1", "C2"] },
    { says: /You leave out C2\. Of the .* logits/, answer: () => "none" },
    { says: /Give a list of positions/, answer: () => ["C4"] },
  ],
  "patch-the-last-letter": [
    { says: /As if.*information flows back.*-1\.00 for letter 2/s, answer: (context) => [0, -1, third(context)] },
    { says: /As if.*where it stands/s, answer: (context) => [0, third(context), 0] },
    { says: /As if.*only output/s, answer: () => [0, 0, 0] },
    { says: /As if.*a level is a change/s, answer: (context) => [0, 0, third(context) + level(context, 3)] },
    { says: /As if.*a matter of taste/s, answer: (context) => [0, 0, -third(context)] },
    { says: /something else than 1\.00/, answer: () => [0, 0, 1] },
    { says: /Give three numbers/, answer: () => [0, 0] },
  ],
  "nothing-and-everything": [
    {
      says: /As if.*patching is approximate.*with itself letter 2 changes by 0, not by 0\.05/s,
      answer: (context) => ({ itself: 0.05, everything: whole(context) }),
    },
    {
      says: /As if.*patching is approximate.*without any patch/s,
      answer: (context) => ({ itself: 0, everything: 0.9 * whole(context) }),
    },
    {
      says: /As if.*one position is the whole run.*only C2/s,
      answer: (context) => ({ itself: 0, everything: streamed(context, 2, position("C2")) }),
    },
    {
      says: /As if.*knows nothing/s,
      answer: (context) => ({ itself: 0, everything: -level(context, 2) }),
    },
    {
      says: /As if.*another prompt is another word/s,
      answer: (context) => ({
        itself: 0,
        everything: level(context, 2, corrupted(context)) - level(context, 2),
      }),
    },
    {
      says: /As if.*a level is a change/s,
      answer: (context) => ({ itself: 0, everything: level(context, 2, otherWord(context)) }),
    },
    { says: /As if.*a matter of taste/s, answer: (context) => ({ itself: 0, everything: -whole(context) }) },
    { says: /Give two numbers/, answer: () => ({ itself: 0 }) },
  ],
  "head-sweep": [
    { says: /As if.*into and out of/s, answer: (context) => sweep(context, { into: "other" }) },
    { says: /As if.*any contrast will do/s, answer: (context) => sweep(context, { against: "mean" }) },
    {
      says: /As if.*a layer is a head/s,
      answer: (context) =>
        sweep(context, {
          edits: (head, cache) => {
            const hook = `blocks.${head.layer}.attn.hook_z` as const;
            return patch(hook, cache[hook]);
          },
        }),
    },
    {
      says: /As if.*starts anew by itself/s,
      answer: (context) => {
        const list: Intervention[] = [];
        return sweep(context, {
          edits: (head, cache) => {
            if (head.layer + head.head === 0) list.length = 0;
            list.push(oneHead(head, cache));
            return list.flat();
          },
        });
      },
    },
    {
      says: /As if.*acts only where/s,
      answer: (context) => sweep(context, { edits: (head, cache) => patchHeads([head], "z", cache, [position("A1")]) }),
    },
    { says: /As if.*a level is a change/s, answer: (context) => sweep(context, { value: (after) => after }) },
    { says: /As if.*a matter of taste/s, answer: (context) => sweep(context, { value: (a, b) => b - a }) },
    { says: /changes letter 3 by .*is it written into/s, answer: (context) => sweep(context, { reads: 2 }) },
    {
      says: /all the notebook's prompts/,
      answer: (context) => (_: unknown, __: unknown, letter: Letter) =>
        sweep(context)(context.data, corrupt(context.data.tokens, corrupted(context), "current_word", letter), letter),
    },
    { says: /list of rows \{ layer, head, change \}/, answer: gives([[1, 2]]) },
    {
      says: /Your function gives 1 rows for .* heads.*0\.1 is missing/,
      answer: gives([{ layer: 0, head: 0, change: 0 }]),
    },
    {
      says: /stops with an error: hook_z was not kept/,
      answer: () => () => {
        throw new Error("hook_z was not kept");
      },
    },
  ],
} satisfies { [Id in ExerciseId<"patching">]: readonly WrongAnswer[] };
