/** `npm run parity -- DIR`: our numbers against TransformerLens's and the official scripts' in a fixture folder, tensor by tensor. */
import { existsSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { openSafetensors } from "../../src/load/safetensors-file";
import { initBackend } from "../../src/model/backend/choose";
import { disposeModel } from "../../src/model/model";
import { Problem } from "../setup/problem.mjs";
import { EDGE_TENSORS } from "./edges";
import { EXPERIMENT_TENSORS } from "./experiments";
import { type Fixture, readFixture, readJson } from "./fixture";
import { MODEL_TENSORS } from "./model";

export interface ParityRow {
  readonly name: string;
  /** "not comparable": TransformerLens leaves the signs of factorised weights free, so its values there are arbitrary. */
  readonly status: "equal" | "failed" | "not covered" | "not comparable";
  /** Worst |difference|; null where nothing was compared. */
  readonly worst: number | null;
  readonly tol: number;
  readonly why?: string;
}

type Values = tf.Tensor | readonly number[];
/** Names of tensors, and our value of one; the match holds the name's variable parts. */
export type Counterpart = readonly [RegExp, (fixture: Fixture, match: RegExpExecArray) => Values | Promise<Values>];

/** What matches none is listed as not covered, never as passed. */
const COUNTERPARTS: readonly Counterpart[] = [...MODEL_TENSORS, ...EXPERIMENT_TENSORS, ...EDGE_TENSORS];

interface Tolerance {
  readonly tol: number;
  readonly gauge_dependent: boolean;
}

/** Worst |difference|; infinities must be the same, and NaN is worse than anything. */
function worstDifference(ours: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = ours[i] === expected[i] ? 0 : Math.abs(ours[i] - expected[i]);
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return worst;
}

/** Compares every tensor of a fixture folder, experiments in batches of so many prompts (not all at once, unless said). Throws a Problem that names what the folder lacks. */
export async function parity(dir: string, batch?: number): Promise<ParityRow[]> {
  const lacking = NEEDED.filter((name) => !existsSync(path.join(dir, name)));
  if (lacking.length > 0) throw new Problem(`${dir} is no fixture folder: it lacks ${lacking.join(", ")}.\n\n${USAGE}`);
  await initBackend();
  const fixture = readFixture(dir, batch);
  const rows: ParityRow[] = [];
  for (const [values, tolerances] of FILES)
    if (existsSync(path.join(dir, values))) rows.push(...(await compareFile(fixture, dir, { values, tolerances })));
  disposeModel(fixture.raw);
  disposeModel(fixture.proc);
  return rows;
}

/** What was expected; the edges (made by edges.py) may be missing. */
const FILES = [
  ["expected.safetensors", "tolerances.json"],
  ["edges.safetensors", "edges.tolerances.json"],
] as const;

/** What a folder must have beside a checkpoint. */
const NEEDED = ["inputs.json", ...FILES[0]];

const USAGE = `usage: npm run parity -- DIR
DIR is a fixture folder: a checkpoint (config.json, model.safetensors) with ${NEEDED.join(", ")}`;

async function compareFile(
  fixture: Fixture,
  dir: string,
  files: { readonly values: string; readonly tolerances: string },
): Promise<ParityRow[]> {
  const tolerances = readJson<Record<string, Tolerance>>(dir, files.tolerances);
  const expected = openSafetensors(path.join(dir, files.values));
  const rows: ParityRow[] = [];
  for (const name of expected.names) {
    const { tol, gauge_dependent } = tolerances[name];
    const [pattern, counterpart] = COUNTERPARTS.find(([regexp]) => regexp.test(name)) ?? [];
    if (gauge_dependent) rows.push({ name, status: "not comparable", worst: null, tol });
    else if (!pattern || !counterpart) rows.push({ name, status: "not covered", worst: null, tol });
    else
      rows.push(
        compare(name, tol, await numbers(() => counterpart(fixture, pattern.exec(name)!)), expected.read(name).values),
      );
  }
  expected.close();
  return rows;
}

async function numbers(compute: () => Values | Promise<Values>): Promise<ArrayLike<number>> {
  tf.engine().startScope();
  try {
    const values = await compute();
    return values instanceof tf.Tensor ? values.dataSync().slice() : values;
  } finally {
    tf.engine().endScope();
  }
}

function compare(name: string, tol: number, ours: ArrayLike<number>, expected: ArrayLike<number>): ParityRow {
  if (ours.length !== expected.length)
    return { name, status: "failed", worst: null, tol, why: `${ours.length} values, expected ${expected.length}` };
  const worst = worstDifference(ours, expected);
  return { name, status: worst <= tol ? "equal" : "failed", worst, tol };
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
    `${count("equal") + count("failed")} compared, ${count("failed")} failed, ${count("not covered")} not yet covered, ` +
      `${count("not comparable")} not comparable (depend on the gauge of TransformerLens's factorisation)`,
  ].join("\n");
}

if (require.main === module) {
  const [dir] = process.argv.slice(2);
  const isHelp = ["--help", "-h"].includes(dir);
  if (!dir || isHelp) {
    (isHelp ? console.log : console.error)(USAGE);
    process.exit(isHelp ? 0 : 2);
  }
  parity(path.resolve(process.env.INIT_CWD ?? process.cwd(), dir)).then(
    (rows) => {
      console.log(report(rows));
      process.exitCode = rows.some(({ status }) => status === "failed") ? 1 : 0;
    },
    (error) => {
      if (!(error instanceof Problem)) throw error;
      console.error(error.message);
      process.exitCode = 2;
    },
  );
}
