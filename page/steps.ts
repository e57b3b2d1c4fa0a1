/** What a state does to a run: each step as the library's own value, and as the code that makes the same value in a notebook. */
import * as tf from "@tensorflow/tfjs";
import { swap } from "../src/experiments/word-swaps";
import { allHeads, headsByLayer } from "../src/model/heads";
import { type ActivationCache, edit, type HookName, type Intervention, patch } from "../src/model/hooks";
import { equalPositions, patchHeads } from "../src/model/interventions";
import type { Model, Run } from "../src/model/model";
import { position } from "../src/prompts/positions";
import { isExchange, type Patch, type State } from "./state";

/** Runs that steps take activations from; each is made only if a step asks for it. */
export interface Sources {
  readonly model: Model;
  /** Of the other prompt, with what `taken` names. */
  readonly source: Run;
  /** Means of every head's output over the crowd. */
  readonly means: ActivationCache;
  /** Of the prompt that is run, untouched, with its attention patterns. */
  readonly clean: Run;
}

export interface Step {
  readonly needs?: keyof Sources;
  /** Of the other prompt. */
  readonly taken?: HookName;
  /** What the code takes from the library. */
  readonly uses: readonly string[];
  /** An expression whose value is that of `make`. */
  readonly code: string;
  make(sources: Sources): Intervention;
}

export const stepsOf = (state: State): Step[] => [
  ...(state.alike ? [ALIKE] : []),
  ...(isExchange(state.exchange) ? [exchangeStep(state.exchange)] : []),
  ...state.patches.map(patchStep),
  ...offSteps(state),
];

/** All that steps need, each once: the runs, and what of the other prompt's. */
export const needsOf = (steps: readonly Step[]): { needs: ReadonlySet<keyof Sources>; taken: HookName[] } => ({
  needs: new Set(steps.flatMap(({ needs }) => needs ?? [])),
  taken: [...new Set(steps.flatMap(({ taken }) => taken ?? []))],
});

const ALIKE: Step = { uses: ["equalPositions"], code: "equalPositions()", make: equalPositions };

function exchangeStep({ pair, embeddings, clock }: NonNullable<State["exchange"]>): Step {
  const parts = [
    `pair: ["${pair.join('", "')}"]`,
    ...(embeddings ? ["positions: true"] : []),
    ...(clock ? ["bosHeads: allHeads(model.config)"] : []),
  ];
  return {
    needs: "clean",
    uses: ["swap", ...(clock ? ["allHeads"] : [])],
    code: `swap({ ${parts.join(", ")} })(clean)`,
    make: ({ model, clean }) =>
      swap({ pair, positions: embeddings, bosHeads: clock ? allHeads(model.config) : [] })(clean),
  };
}

function patchStep(one: Patch): Step {
  if (one.activation === "z") {
    const { layer, head } = one;
    return {
      needs: "source",
      taken: `blocks.${layer}.attn.hook_z`,
      uses: ["patchHeads"],
      code: `patchHeads([{ layer: ${layer}, head: ${head} }], "z", source.cache)`,
      make: ({ source }) => patchHeads([{ layer, head }], "z", source.cache),
    };
  }
  const at = `blocks.${one.layer}.${one.activation}` as const;
  return {
    needs: "source",
    taken: at,
    uses: ["patch", "position"],
    code: `patch("${at}", source.cache["${at}"], { pos: position("${one.position}") })`,
    make: ({ source }) => patch(at, source.cache[at], { pos: position(one.position) }),
  };
}

function offSteps({ off, ablation }: State): Step[] {
  if (off.length === 0) return [];
  if (ablation === "mean") {
    const list = off.map(({ layer, head }) => `{ layer: ${layer}, head: ${head} }`).join(", ");
    return [
      {
        needs: "means",
        uses: ["patchHeads"],
        code: `patchHeads([${list}], "z", means)`,
        make: ({ means }) => patchHeads(off, "z", means),
      },
    ];
  }
  return [...headsByLayer(off)].map(([layer, head]) => {
    const at = `blocks.${layer}.attn.hook_z` as const;
    return {
      uses: ["edit", "tf"],
      code: `edit("${at}", (z) => tf.zerosLike(z), { head: [${head.join(", ")}] })`,
      make: () => edit(at, (z) => tf.zerosLike(z), { head }),
    };
  });
}
