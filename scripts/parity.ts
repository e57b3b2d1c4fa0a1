/** `npm run parity -- DIR`: our numbers against TransformerLens's in a fixture folder, tensor by tensor. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { initBackend } from "../src/backend";
import { forward } from "../src/forward";
import type { HookName } from "../src/hooks";
import { loadWeights, readConfig } from "../src/load";
import { letterLogitDiff, mean } from "../src/metrics";
import { disposeModel, type Model } from "../src/model";
import { openSafetensors } from "../src/safetensors";
import { range } from "../src/sweep";
import { headWeights } from "../src/weights";

/** inputs.json of a fixture, as far as it is used. */
interface Inputs {
  readonly clean_tokens: number[][];
  readonly answer_tokens: number[][];
  readonly corrupted_tokens: number[][];
  readonly letters: number[];
  readonly end_position: number;
  readonly n_cached_prompts: number;
}

interface Fixture {
  readonly raw: Model;
  readonly proc: Model;
  readonly inputs: Inputs;
}

export interface ParityRow {
  readonly name: string;
  /** "not comparable": TransformerLens leaves the signs of factorised weights free, so its values there are arbitrary. */
  readonly status: "equal" | "failed" | "not covered" | "not comparable";
  /** Worst |difference|; null where nothing was compared. */
  readonly worst: number | null;
  readonly tol: number;
  readonly why?: string;
}

/** Our value of a fixture's tensor. The match holds the name's variable parts. */
type Compute = (fixture: Fixture, match: RegExpExecArray) => tf.Tensor | readonly number[];

const processedOr = (fixture: Fixture, which: string) => (which === "raw" ? fixture.raw : fixture.proc);
const logits = (model: Model, tokens: number[][]) => forward(model, tokens).logits;

function cached(model: Model, { clean_tokens, n_cached_prompts }: Inputs, name: HookName): tf.Tensor {
  return forward(model, clean_tokens.slice(0, n_cached_prompts), { keep: [name], readout: "none" }).cache[name];
}

function headOutputs(fixture: Fixture, which: string, layer: number): tf.Tensor {
  const model = processedOr(fixture, which);
  const z = cached(model, fixture.inputs, `blocks.${layer}.attn.hook_z`);
  const outputs = range(model.config.n_heads).map((head) => {
    const { W_O } = headWeights(model, { layer, head });
    const [batch, pos, , d_head] = z.shape;
    const zHead = z.slice([0, 0, head, 0], [-1, -1, 1, -1]).reshape([batch! * pos!, d_head!]);
    return tf.matMul(zHead, W_O).reshape([batch!, pos!, 1, -1]);
  });
  return tf.concat(outputs, 2);
}

function logitDiff({ proc, inputs }: Fixture, which: string, against: "max" | "mean"): number[][] {
  const tokens = which === "corrupted" ? inputs.corrupted_tokens : inputs.clean_tokens;
  const positions = range(3).map((i) => inputs.end_position + i);
  const run = forward(proc, tokens, { readout: { positions, vocab: inputs.letters } });
  const answers = inputs.answer_tokens.map((row) => row.map((id) => inputs.letters.indexOf(id)));
  return letterLogitDiff(run.logits, answers, against);
}

const augmented = (W: tf.Tensor2D, b: tf.Tensor1D) => tf.concat([W, b.expandDims(0)], 0) as tf.Tensor2D;

const blockWeight = (model: Model, layer: string, name: string): tf.Tensor =>
  model.blocks[Number(layer)][name.replace(/^.*\./, "") as "b_O"];

/** Which tensors we can compute. What matches none is listed as not covered. */
const COMPUTE: readonly (readonly [RegExp, Compute])[] = [
  [/^logits\.(hf|raw)$/, ({ raw, inputs }) => logits(raw, inputs.clean_tokens)],
  [/^logits\.proc$/, ({ proc, inputs }) => logits(proc, inputs.clean_tokens)],
  [/^logits\.proc\.corrupted$/, ({ proc, inputs }) => logits(proc, inputs.corrupted_tokens)],
  [/^cache\.(raw|proc)\.blocks\.(\d+)\.attn\.head_out$/, (f, [, which, layer]) => headOutputs(f, which, Number(layer))],
  [/^cache\.(raw|proc)\.(.+)$/, (f, [, which, name]) => cached(processedOr(f, which), f.inputs, name as HookName)],
  [/^weights\.proc\.embed\.W_E$/, ({ proc }) => proc.W_E],
  [/^weights\.proc\.pos_embed\.W_pos$/, ({ proc }) => proc.W_pos],
  [/^weights\.proc\.unembed\.(W_U|b_U)$/, ({ proc }, [, name]) => proc[name as "W_U"]],
  [/^weights\.proc\.blocks\.(\d+)\.(attn\.b_O|mlp\..+)$/, ({ proc }, [, l, name]) => blockWeight(proc, l, name)],
  [
    /^weights\.proc\.W_OV\.(\d+)\.(\d+)$/,
    ({ proc }, [, layer, head]) => {
      const { W_V, W_O } = headWeights(proc, { layer: Number(layer), head: Number(head) });
      return tf.matMul(W_V, W_O);
    },
  ],
  [
    /^weights\.proc\.W_QK_eff\.(\d+)\.(\d+)$/,
    ({ proc }, [, layer, head]) => {
      const { W_Q, W_K, b_Q, b_K } = headWeights(proc, { layer: Number(layer), head: Number(head) });
      return tf.matMul(augmented(W_Q, b_Q), augmented(W_K, b_K), false, true);
    },
  ],
  [/^metric\.logit_diff_2\.(clean|corrupted)$/, (f, [, which]) => logitDiff(f, which, "max").flat()],
  [
    /^metric\.logit_diff_2\.clean\.mean$/,
    (f) => range(3).map((i) => mean(logitDiff(f, "clean", "max").map((r) => r[i]))),
  ],
  [/^metric\.logit_diff_1\.clean$/, (f) => logitDiff(f, "clean", "mean").flat()],
  [/^metric\.avg_logit_diff_1\.clean$/, (f) => [mean(logitDiff(f, "clean", "mean").flat())]],
];

/** Worst |difference|; infinities must be the same, and NaN is worse than anything. */
function worstDifference(ours: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = ours[i] === expected[i] ? 0 : Math.abs(ours[i] - expected[i]);
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return worst;
}

/** Compares every tensor of a fixture folder. @throws if the folder lacks a file. */
export async function parity(dir: string): Promise<ParityRow[]> {
  await initBackend();
  const read = (name: string) => JSON.parse(readFileSync(path.join(dir, name), "utf8"));
  const config = readConfig(dir);
  const tolerances = read("tolerances.json") as Record<
    string,
    { tol: number; gauge_dependent: boolean; shape: number[] }
  >;
  const fixture = {
    raw: loadWeights(dir, config, false),
    proc: loadWeights(dir, config, true),
    inputs: read("inputs.json") as Inputs,
  };
  const expected = openSafetensors(path.join(dir, "expected.safetensors"));
  const rows = expected.names.map((name): ParityRow => {
    const { tol, gauge_dependent } = tolerances[name];
    if (gauge_dependent) return { name, status: "not comparable", worst: null, tol };
    const [pattern, compute] = COMPUTE.find(([regexp]) => regexp.test(name)) ?? [];
    if (!pattern || !compute) return { name, status: "not covered", worst: null, tol };
    return tf.tidy(() => {
      const ours = compute(fixture, pattern.exec(name)!);
      const values = ours instanceof tf.Tensor ? ours.dataSync() : ours;
      const theirs = expected.read(name).values;
      if (values.length !== theirs.length)
        return {
          name,
          status: "failed",
          worst: null,
          tol,
          why: `${values.length} values, expected ${theirs.length}`,
        } as never;
      const worst = worstDifference(values, theirs);
      return { name, status: worst <= tol ? "equal" : "failed", worst, tol } as never;
    }) as ParityRow;
  });
  expected.close();
  disposeModel(fixture.raw);
  disposeModel(fixture.proc);
  return rows;
}

function report(rows: readonly ParityRow[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const number = (x: number | null) => (x === null ? "" : x.toExponential(2)).padStart(10);
  const lines = rows.map(
    ({ name, status, worst, tol, why }) =>
      `${name.padEnd(width)} ${number(worst)} ${number(tol)}  ${status}${why ? `: ${why}` : ""}`,
  );
  const count = (status: ParityRow["status"]) => rows.filter((row) => row.status === status).length;
  return [
    `${"tensor".padEnd(width)} ${"worst".padStart(10)} ${"tolerance".padStart(10)}`,
    ...lines,
    `${count("equal") + count("failed")} compared, ${count("failed")} failed, ${count("not covered")} not yet covered, ${count("not comparable")} not comparable`,
  ].join("\n");
}

if (require.main === module) {
  const dir = process.argv[2];
  if (!dir) {
    console.error(
      "usage: npm run parity -- DIR   (a fixture folder: config.json, model.safetensors, inputs.json, expected.safetensors, tolerances.json)",
    );
    process.exit(2);
  }
  parity(path.resolve(dir)).then((rows) => {
    console.log(report(rows));
    process.exitCode = rows.some(({ status }) => status === "failed") ? 1 : 0;
  });
}
