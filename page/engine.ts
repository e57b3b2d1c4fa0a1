/** What the page computes, by the library alone: the same in a browser, in Node where the page is built, and in tests. */
import * as tf from "@tensorflow/tfjs";
import { activationMeans } from "../src/experiments/activation-means";
import { type AttentionRow, attentionRows } from "../src/experiments/attention";
import { behaviour, type LetterRow } from "../src/experiments/behaviour";
import { blockSite, headSite, type Site } from "../src/experiments/patch-sites";
import { patchBetween } from "../src/experiments/patching";
import type { LoadedModel } from "../src/load/from-bytes";
import { forward } from "../src/model/forward";
import { allHeads, type HeadId } from "../src/model/heads";
import type { ActivationCache, HookName, Intervention } from "../src/model/hooks";
import { disposeModel, disposeRun, type ModelConfig, type Run, type Tokens } from "../src/model/model";
import { range } from "../src/numbers/lists";
import { ACRONYMS, LETTERS, type Letter, type Position } from "../src/prompts/acronym-task";
import type { AcronymDataset } from "../src/prompts/acronyms";
import { acronymsAmong } from "../src/prompts/build-acronyms";
import { checkWordAmong } from "../src/prompts/check-word";
import { OPENING, type State, type Words } from "./state";
import { needsOf, type Sources, stepsOf } from "./steps";

/** What comes with the page beside a model. */
export interface Lists {
  /** Words of the crowd's prompts. */
  readonly crowd: readonly Words[];
  /** Where near words for a refused one are looked for. */
  readonly words: readonly string[];
}

/** What the model says before and after what the state does. */
export interface Letters {
  readonly before: readonly LetterRow[];
  readonly after: readonly LetterRow[];
  /** Each prompt's tokens as text, and its letters. */
  readonly prompt: Prompt;
  readonly other: Prompt;
}

export interface Prompt {
  readonly acronym: string;
  readonly pieces: readonly string[];
}

/** Change of a letter's logit difference by one patch alone, in logits. */
export interface Change {
  readonly letter: Letter;
  readonly change: number;
}
export interface Maps {
  readonly positions: readonly (Change & { readonly layer: number; readonly position: Position })[];
  readonly heads: readonly (Change & HeadId)[];
}

/** Why a word or a prompt can't be used, and what could be put in its place. */
export interface Refusal {
  readonly reason: string;
  readonly near: readonly string[];
}

/** A model at work. Its methods give plain data and leave no tensors behind, but the means of heads, which are kept for the next time. */
export class Engine {
  readonly config: ModelConfig;
  private means: ActivationCache | undefined;
  /** What was computed last under each name. */
  private readonly last = new Map<string, { readonly key: string; readonly rows: readonly object[] }>();

  constructor(
    readonly loaded: LoadedModel,
    private readonly lists: Lists,
  ) {
    this.config = loaded.model.config;
  }

  /** Refusals of the three words, each at its place; a fourth one if they can't stand together. Empty places are fine. */
  check(words: Words): (Refusal | undefined)[] {
    const { tokenizer } = this.loaded;
    const suggest = () => this.lists.words;
    const each = words.map((word) => {
      const { ok, reason, near } = checkWordAmong(word, tokenizer, suggest);
      return ok ? undefined : { reason, near };
    });
    if (each.some(Boolean)) return each;
    try {
      this.prompts(words);
      return each;
    } catch (error) {
      const reason = (error as Error).message.replace(/^"[^"]*": /, "");
      return [...each, { reason, near: this.together(words) }];
    }
  }

  /** Second words with which the letters are tokens of their own. */
  private together([first, second, third]: Words): string[] {
    const fits = (word: string) => {
      try {
        this.prompts([first, word, third]);
        return true;
      } catch {
        return false;
      }
    };
    const found: string[] = [];
    for (const word of this.lists.words) {
      if (found.some((one) => one[0] === word[0]) || word[0] === second[0]) continue;
      if (fits(word)) found.push(word);
      if (found.length === 5) break;
    }
    return found;
  }

  private prompts(...words: readonly Words[]): AcronymDataset {
    return acronymsAmong(words, this.loaded.tokenizer, ACRONYMS, () => []);
  }

  /** The prompts of a state: its answers, what is run, and what activations are taken from. */
  private setting(state: State): { data: AcronymDataset; into: Tokens; outOf: Tokens } {
    const [data, other] = [this.prompts(state.words), this.prompts(state.others)];
    return state.direction === "noising"
      ? { data, into: data.tokens, outOf: other.tokens }
      : { data, into: other.tokens, outOf: data.tokens };
  }

  /** Calls `use` with what the state does to its run, and frees what that needed. */
  private async intervened<T>(state: State, use: (interventions: Intervention) => Promise<T>): Promise<T> {
    const { model } = this.loaded;
    const { into, outOf } = this.setting(state);
    const steps = stepsOf(state);
    const { needs, taken } = needsOf(steps);
    const runs: Run[] = [];
    const keepRun = (run: Run) => {
      runs.push(run);
      return run;
    };
    const isPattern = (name: HookName) => name.endsWith("hook_pattern");
    let interventions: Intervention = [];
    try {
      const sources: Partial<Sources> = {
        model,
        ...(needs.has("source") && { source: keepRun(forward(model, outOf, { keep: taken, readout: "none" })) }),
        ...(needs.has("clean") && { clean: keepRun(forward(model, into, { keep: isPattern, readout: "none" })) }),
        ...(needs.has("means") && { means: await this.crowdMeans() }),
      };
      const make = () => steps.flatMap((step) => step.make(sources as Sources)) as tf.TensorContainer;
      interventions = tf.tidy(make) as unknown as Intervention;
      return await use(interventions);
    } finally {
      disposeRun(...runs);
      const kept = new Set<unknown>(Object.values(this.means ?? {}));
      tf.dispose(interventions.flatMap(({ source }) => (source && !kept.has(source) ? source : [])));
    }
  }

  private async crowdMeans(): Promise<ActivationCache> {
    const { model } = this.loaded;
    const hooks = range(model.config.n_layers).map((layer) => `blocks.${layer}.attn.hook_z` as const);
    this.means ??= await activationMeans(model, this.prompts(...this.lists.crowd).tokens, hooks);
    return this.means;
  }

  /** Rows that were computed last under this name, if it was for the same prompts; what a state does changes nothing in them. */
  private async kept<R extends object>(
    name: string,
    { words, others, direction }: State,
    compute: () => Promise<readonly R[]>,
  ): Promise<readonly R[]> {
    const key = [...words, ...others, direction].join(" ");
    const last = this.last.get(name);
    if (last?.key === key) return last.rows as readonly R[];
    const rows = await compute();
    this.last.set(name, { key, rows });
    return rows;
  }

  /** What the model says, letter by letter, before and after. Throws an Error if words can't be used. */
  async letters(state: State): Promise<Letters> {
    const { model, tokenizer } = this.loaded;
    const { data, into } = this.setting(state);
    const read = (interventions: Intervention) => behaviour(model, data, tokenizer, { tokens: into, interventions });
    const before = await this.kept("letters", state, () => read([]));
    const after = stepsOf(state).length > 0 ? await this.intervened(state, read) : before;
    const prompt = (words: Words): Prompt => {
      const { acronyms, tokens } = this.prompts(words);
      return { acronym: acronyms[0], pieces: ["", ...tokenizer.pieces(tokens[0].slice(1))] };
    };
    return { before, after, prompt: prompt(state.words), other: prompt(state.others) };
  }

  /** Each patch alone, for every letter. Throws an Error if words can't be used. */
  async maps(state: State): Promise<Maps> {
    const { model } = this.loaded;
    const { data, into, outOf } = this.setting(state);
    const between = LETTERS.map((letter) => ({ letter, into, outOf }));
    const changes = <P extends object>(name: string, site: Site<P>): Promise<readonly (P & Change)[]> =>
      this.kept(name, state, async () => {
        const points = site.points(model.config, data.task);
        const found = await patchBetween(model, data, between, { site });
        return found.flatMap(({ base, values }, i) =>
          points.map((point, p) => ({ ...point, letter: LETTERS[i], change: values[p][0][0] - base[0][0] })),
        );
      });
    return {
      positions: await changes(state.activation, blockSite(state.activation)),
      heads: await changes("heads", headSite()),
    };
  }

  /** Attention of every head under what the state does. Throws an Error if words can't be used. */
  async attention(state: State): Promise<AttentionRow[]> {
    const { model } = this.loaded;
    const { data, into } = this.setting(state);
    return this.intervened(state, (interventions) =>
      attentionRows(model, { ...data, tokens: [...into.map((row) => [...row])] }, allHeads(model.config), {
        intervene: () => interventions,
      }),
    );
  }

  /** Computes all of it anew when it is asked for. */
  forget(): void {
    this.last.clear();
  }

  /** Frees the model. */
  dispose(): void {
    if (this.means) tf.dispose(Object.values(this.means));
    disposeModel(this.loaded.model);
  }
}

/** All that is shown before anybody has done anything. */
export async function opening(engine: Engine) {
  return {
    letters: await engine.letters(OPENING),
    maps: await engine.maps(OPENING),
    attention: await engine.attention(OPENING),
  };
}
export type Opening = Awaited<ReturnType<typeof opening>>;
