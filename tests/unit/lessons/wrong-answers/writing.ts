import * as tf from "@tensorflow/tfjs";
import type { ExerciseContext } from "../../../../src/lessons/exercise";
import { forward } from "../../../../src/model/forward";
import { headWeights } from "../../../../src/model/head-weights";
import { readoutPosition } from "../../../../src/prompts/positions";
import type { WrongAnswer } from "../wrong-answers";

const head = { layer: 2, head: 0 };

/** z · W_O · (a direction of W_U), and the scale that it should be divided by: as a student would go about it. */
function byHand({ model, data }: ExerciseContext, rival: "largest" | "none" | "mean" = "largest") {
  return tf.tidy(() => {
    const n = data.prompts.length;
    const keep = [`blocks.${head.layer}.attn.hook_z`, "ln_final.hook_scale"] as const;
    const pos = readoutPosition(3);
    const run = forward(model, data.tokens, { keep, readout: { positions: [pos], vocab: data.letters } });
    const z = run.cache[keep[0]].slice([0, pos, head.head], [-1, 1, 1]).reshape([n, -1]);
    const written = tf.matMul(z as tf.Tensor2D, headWeights(model, head).W_O);
    const capitals = tf.matMul(written as tf.Tensor2D, tf.gather(model.W_U, data.letters as number[], 1));
    const own = capitals.arraySync() as number[][];
    const said = run.logits.arraySync().map(([row]) => row);
    const scale = Array.from(run.cache[keep[1]].slice([0, pos], [-1, 1]).dataSync());
    const differences = own.map((row, i) => {
      const right = data.answerLetters[i][2];
      const wrong = said[i].map((logit, letter) => (letter === right ? Number.NEGATIVE_INFINITY : logit));
      const others = row.reduce((a, b) => a + b, 0) - row[right];
      const less = { largest: row[wrong.indexOf(Math.max(...wrong))], none: 0, mean: others / (row.length - 1) };
      return row[right] - less[rival];
    });
    return { differences, scale };
  });
}

const scaled = ({ differences, scale }: ReturnType<typeof byHand>) => differences.map((x, i) => x / scale[i]);
const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

export const WRITING = {
  "attribute-by-hand": [
    {
      says: /As if.*layer norm can be ignored.*its logit difference is/s,
      answer: (context) => ({ head, written: tf.tensor(byHand(context).differences) }),
    },
    {
      says: /As if.*one scale serves all/s,
      answer: (context) => {
        const { differences, scale } = byHand(context);
        return { head, written: differences.map((x) => x / average(scale)) };
      },
    },
    {
      says: /As if.*multiplies by its scale/s,
      answer: (context) => {
        const { differences, scale } = byHand(context);
        return { head: "2.0", written: Float32Array.from(differences, (x, i) => x * scale[i]) };
      },
    },
    {
      says: /As if.*a logit alone/s,
      answer: (context) => ({ head, written: scaled(byHand(context, "none")) }),
    },
    {
      says: /As if.*any contrast/s,
      answer: (context) => ({ head, written: scaled(byHand(context, "mean")) }),
    },
    {
      says: /As if.*a matter of taste/s,
      answer: (context) => ({ head, written: scaled(byHand(context)).map((x) => -x) }),
    },
    {
      says: /the numbers of head 2\.0; yours is 2\.1/,
      answer: (context) => ({ head: { layer: 2, head: 1 }, written: scaled(byHand(context)) }),
    },
    {
      says: /That is the mean, and it is right/,
      answer: (context) => ({ head, written: average(scaled(byHand(context))) }),
    },
    { says: /one number for each of the 20 prompts/, answer: () => ({ head, written: [1, 2] }) },
    {
      says: /For prompt 0 you have 7; head 2\.0 writes/,
      answer: ({ data }) => ({ head, written: data.prompts.map(() => 7) }),
    },
    { says: /head must be one of the model's/, answer: () => ({ head: { layer: 9, head: 0 }, written: [1] }) },
  ],
  "noising-or-denoising": [
    { says: /As if.*effects add up.*both sums would be 1/s, answer: () => ({ larger: "neither" }) },
    { says: /As if.*breaks most must repair most/s, answer: () => ({ larger: "noising", left: 0.3, why: "measure" }) },
    { says: /Now measure the same against the mean/, answer: () => ({ larger: "denoising" }) },
    { says: /another cost, too/, answer: () => ({ larger: "denoising", left: 5, why: "measure" }) },
    { says: /left must be a number/, answer: () => ({ larger: "denoising", left: "half", why: "measure" }) },
    { says: /larger must be/, answer: () => ({ larger: "both" }) },
  ],
  "matters-but-hardly-writes": [
    { says: /As if.*important = writes.*no surprise/s, answer: () => ({ head: "2.1", costs: 1, writes: 1 }) },
    { says: /As if.*important = writes.*There is one/s, answer: () => ({ head: "none" }) },
    { says: /As if.*quiet = important/s, answer: () => ({ head: { layer: 0, head: 0 } }) },
    { says: /The head is right\. Now say.*costs/s, answer: () => ({ head: "1.2" }) },
    { says: /costs is 99\.00/, answer: () => ({ head: "1.2", costs: 99, writes: 0 }) },
    { says: /head must be one of the model's/, answer: () => ({ head: "9.9" }) },
  ],
} as const satisfies Record<string, readonly WrongAnswer[]>;
