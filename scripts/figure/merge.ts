/** Parts → the values of the whole → rows. */
import type { Span } from "../../src/experiments/measure";
import { range } from "../../src/numbers/lists";
import { type Box, boxOfWhole, boxText, difference, experimentOf, type Part, sizeOf, type Whole } from "./parts";

/** A part with the name of its file, for messages. */
export interface NamedPart extends Part {
  readonly name: string;
}

/**
 * The rows of all seeds, each with its seed: those of the undivided run.
 * Throws Error naming the part, or what is missing, if parts are not of one whole, overlap, or don't make it up.
 */
export function mergeParts(parts: readonly NamedPart[]): { readonly whole: Whole; readonly rows: object[] } {
  checkBelong(parts);
  const [{ whole }] = parts;
  checkApart(parts);
  checkComplete(parts, whole);
  const rows = range(whole.seeds).flatMap((seed) => {
    const experiment = experimentOf(whole, seed);
    if (experiment.points.length !== whole.points)
      throw new Error(
        `figure ${whole.figure} has ${experiment.points.length} points here, ${whole.points} in the parts`,
      );
    return experiment.rows(valuesOf(parts, whole, seed)).map((row) => ({ seed, ...row }));
  });
  return { whole, rows };
}

function checkBelong(parts: readonly NamedPart[]): void {
  const [first, ...others] = parts;
  for (const part of others) {
    const columns = part.columns === first.columns ? "" : `columns: ${part.columns}, not ${first.columns}`;
    const differs = difference(part.whole, first.whole) || columns;
    if (differs) throw new Error(`${part.name} does not belong together with ${first.name}: ${differs}`);
  }
}

const AXES = ["seeds", "prompts", "points"] as const;

const meet = ([a, b]: Span, [c, d]: Span): Span => [Math.max(a, c), Math.min(b, d)];

function checkApart(parts: readonly NamedPart[]): void {
  for (const [i, a] of parts.entries())
    for (const b of parts.slice(0, i)) {
      const [seeds, prompts, points] = AXES.map((axis) => meet(a.box[axis], b.box[axis]));
      if ([seeds, prompts, points].every(([first, end]) => first < end))
        throw new Error(`${b.name} and ${a.name} both have ${boxText({ seeds, prompts, points })}; give one of them`);
    }
}

/** Parts that don't overlap are complete if they have as many values as the whole. */
function checkComplete(parts: readonly NamedPart[], whole: Whole): void {
  const all = sizeOf(boxOfWhole(whole));
  const there = parts.reduce((sum, { box }) => sum + sizeOf(box), 0);
  if (there === all) return;
  throw new Error(
    `${all - there} of ${all} measurements are missing, first ${boxText(firstMissing(parts, whole))}; measure them with npm run figure -- ${whole.figure} … --seed, --prompts, --points`,
  );
}

/** The first seed's, of its first prompts' (by batches), that no part has: points in a row. */
function firstMissing(parts: readonly NamedPart[], { seeds, batch, points, prompts: { tokens } }: Whole): Box {
  for (const seed of range(seeds))
    for (let prompt = 0; prompt < tokens.length; prompt += batch) {
      const has = new Uint8Array(points);
      for (const { box } of parts)
        if (box.seeds[0] <= seed && seed < box.seeds[1] && box.prompts[0] <= prompt && prompt < box.prompts[1])
          has.fill(1, ...box.points);
      const first = has.indexOf(0);
      if (first < 0) continue;
      const end = has.indexOf(1, first);
      return {
        seeds: [seed, seed + 1],
        prompts: [prompt, Math.min(prompt + batch, tokens.length)],
        points: [first, end < 0 ? points : end],
      };
    }
  throw new Error("nothing is missing"); // asked only if something is
}

/** `[point][prompt][column]` */
function valuesOf(parts: readonly NamedPart[], whole: Whole, seed: number): number[][][] {
  const values = range(whole.points).map(() => new Array<number[]>(whole.prompts.tokens.length));
  for (const { box, columns, values: flat } of parts) {
    const [[first, end], [prompt, lastPrompt], [point, lastPoint]] = AXES.map((axis) => box[axis]);
    if (seed < first || seed >= end) continue;
    let at = (seed - first) * (lastPoint - point) * (lastPrompt - prompt) * columns;
    for (let p = point; p < lastPoint; p++)
      for (let i = prompt; i < lastPrompt; i++) {
        values[p][i] = flat.slice(at, at + columns);
        at += columns;
      }
  }
  return values;
}
