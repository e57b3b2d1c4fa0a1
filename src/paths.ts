import { LETTERS, type Letter } from "./dataset";
import {
  type Batch,
  checkCorrupted,
  columnMean,
  type Effect,
  effect,
  letterReadout,
  logitDiffs,
  type Measurement,
  measureAll,
  type Prompts,
  type StreamOptions,
} from "./experiment";
import { forward } from "./forward";
import type { HeadId, HookName, Intervention } from "./hooks";
import { freezeHeads, freezeMlps, patchHeads } from "./interventions";
import { disposeRun, type Model, type Run, type Tokens } from "./model";
import { reusable } from "./plan";
import { allHeads } from "./sweep";

/** What a sender's change is followed to: the logits, or what some heads take in. */
export type Receiver = "logits" | { readonly heads: readonly HeadId[]; readonly input: "q" | "k" | "v" };

export interface PathOptions extends StreamOptions {
  /** Other prompts' tokens, one row per prompt: see `resample`. */
  readonly corrupted: Tokens;
  readonly receiver: Receiver;
  /** `"live"` (default, as the official code): the path may pass MLPs. `"frozen"`: only the direct path remains. */
  readonly mlps?: "live" | "frozen";
}

export interface PathRow extends HeadId, Effect {
  readonly letter: Letter;
  /** Official score: 0 unchanged, −1 as bad as the corrupted run; with the mean of the wrong letters. */
  readonly score: number;
}

const endOf = (receiver: Receiver, n_layers: number) =>
  receiver === "logits" ? n_layers : Math.max(...receiver.heads.map(({ layer }) => layer));

/** Every head that can reach the receiver. */
export const sendersTo = (model: Model, receiver: Receiver): HeadId[] =>
  allHeads(model.config).filter(({ layer }) => layer < endOf(receiver, model.config.n_layers));

/** Where a sender's change arrives: `sent` is a run in which only the path from the sender is open. */
const receivedBy = ({ heads, input }: Exclude<Receiver, "logits">): HookName[] =>
  [...new Set(heads.map(({ layer }) => layer))].map((layer) => `blocks.${layer}.attn.hook_${input}` as const);

/** Senders take their corrupted output, every other head its clean one. */
function send(senders: readonly HeadId[], clean: Run, corrupted: Run, mlps: "live" | "frozen"): Intervention {
  const heads = [...freezeHeads(clean, { except: senders }), ...patchHeads(senders, "z", corrupted.cache)];
  return mlps === "frozen" ? [...heads, ...freezeMlps(clean)] : heads;
}

/**
 * Path patching: the change of each letter's logit difference when one head's corrupted output reaches the receiver and nothing else.
 * Every other head's output is frozen to its clean value on the way (so the change passes the residual stream and MLPs only); into
 * heads, what arrives at their input is then patched into an ordinary clean run.
 * @returns a row per letter and sender
 * @throws if there are not as many corrupted rows as prompts
 */
export async function pathPatch(model: Model, data: Prompts, options: PathOptions): Promise<PathRow[]> {
  const { corrupted, receiver, mlps = "live", ...stream } = options;
  checkCorrupted(data, corrupted);
  const readout = letterReadout(data);
  const columns = (run: Run, prompts: Prompts) => {
    const mean = logitDiffs(run, prompts, LETTERS, "mean");
    return logitDiffs(run, prompts).map((row, i) => [...row, ...mean[i]]);
  };
  const open = ({ prompts, rows }: Batch): Measurement<HeadId | "clean" | "corrupted"> => {
    const keep = (name: HookName) =>
      name.endsWith("hook_z") || name.endsWith("mlp_out") || reusable(model.config).includes(name);
    const cleanRun = forward(model, prompts.tokens, { keep, readout });
    const corruptedRun = forward(model, rows(corrupted), { keep, readout });
    const measure = (sender: HeadId | "clean" | "corrupted") => {
      if (sender === "clean") return columns(cleanRun, prompts);
      if (sender === "corrupted") return columns(corruptedRun, prompts);
      const interventions = send([sender], cleanRun, corruptedRun, mlps);
      if (receiver === "logits")
        return columns(forward(model, prompts.tokens, { interventions, from: cleanRun, readout }), prompts);
      const { cache } = forward(model, prompts.tokens, {
        interventions,
        from: cleanRun,
        keep: receivedBy(receiver),
        readout: "none",
      });
      const received = patchHeads(receiver.heads, receiver.input, cache);
      return columns(forward(model, prompts.tokens, { interventions: received, from: cleanRun, readout }), prompts);
    };
    return { measure, close: () => disposeRun(cleanRun, corruptedRun) };
  };
  const senders = sendersTo(model, receiver);
  const points: readonly (HeadId | "clean" | "corrupted")[] = ["clean", "corrupted", ...senders];
  const [clean, bad, ...values] = await measureAll(data, points, open, stream);
  return LETTERS.flatMap((letter, i) =>
    senders.map((sender, s) => {
      const damage = columnMean(values[s], 3 + i) - columnMean(clean, 3 + i);
      const whole = columnMean(bad, 3 + i) - columnMean(clean, 3 + i);
      return { ...sender, letter, ...effect(values[s], clean, i), score: -damage / whole };
    }),
  );
}

/**
 * A clean run of one batch in which only what `senders` write, from their corrupted output, reaches the receivers' input.
 * The caller disposes it.
 */
export function sendPaths(
  model: Model,
  clean: Tokens,
  corrupted: Tokens,
  {
    senders,
    receiver,
    keep,
  }: { senders: readonly HeadId[]; receiver: Exclude<Receiver, "logits">; keep: readonly HookName[] },
): Run {
  const all = (name: HookName) => name.endsWith("hook_z");
  const cleanRun = forward(model, clean, { keep: all, readout: "none" });
  const corruptedRun = forward(model, corrupted, { keep: all, readout: "none" });
  const interventions = send(senders, cleanRun, corruptedRun, "live");
  const sent = forward(model, clean, { interventions, keep: receivedBy(receiver), readout: "none" });
  const run = forward(model, clean, { interventions: patchHeads(receiver.heads, receiver.input, sent.cache), keep });
  disposeRun(cleanRun, corruptedRun, sent);
  return run;
}
