/** One run of the benchmark: our figures, and TransformerLens's runs between them. */
import { cpus } from "node:os";
import path from "node:path";
import { dataFolder } from "../../src/load/resolve";
import { gpt2Tokenizer } from "../../src/load/tokenizer";
import { initBackend } from "../../src/model/backend/choose";
import { loadAcronyms } from "../../src/prompts/dataset";
import { SHAPES } from "../checkpoint/shapes";
import { compare, comparisonText } from "./comparison";
import { FIGURES, type Figure, type Material, material, type RunSeconds } from "./figures";
import { countKernels, type KernelUses } from "./kernels";
import { measureFigure, measureForward, measureRates, peakMemory, type Work } from "./measure";
import { fastModel } from "./model";
import type { Options } from "./options";
import { type Peer, startPeer } from "./peer";
import { type FigureRow, figureRow, figureTable, kernelTable } from "./report";

/** What the numbers were measured on. */
export const machine = () => ({
  cpu: cpus()[0].model,
  cores: cpus().length,
  platform: process.platform,
  node: process.version,
});

interface Setting {
  readonly plain: Work;
  readonly takeUses: () => KernelUses;
  readonly peer?: Peer;
}

/**
 * Every figure, and a round of the peer's before the first and after each, so that noise meets both.
 * What was measured before something failed, or was interrupted, is given all the same.
 */
export async function measureFigures(figures: readonly Figure[], from: Material, { plain, takeUses, peer }: Setting) {
  const rows: FigureRow[] = [];
  const rounds: RunSeconds[] = [];
  const ask = async () => peer && rounds.push(await peer.measure());
  await ask();
  try {
    for (const figure of figures) {
      const row = figureRow(figure, await measureFigure(figure, from, takeUses), plain);
      rows.push(row);
      console.error(`figure ${row.id}: ${row.seconds.toFixed(1)} s`);
      await ask();
    }
    return { rows, rounds };
  } catch (error) {
    return { rows, rounds, stopped: (error as Error).message };
  }
}

function sumRows(rows: readonly FigureRow[]) {
  const sum = (key: "seconds" | "points" | "flop" | "naive_flop") => rows.reduce((all, row) => all + row[key], 0);
  return {
    seconds: sum("seconds"),
    points: sum("points"),
    flop: sum("flop"),
    naive_flop: sum("naive_flop"),
    peak_mb: peakMemory(),
  };
}

/** The higher of two measurements of the same products. */
const fastest = (a: Record<string, number>, b: Record<string, number>) =>
  Object.fromEntries(Object.keys(a).map((size) => [size, Math.max(a[size], b[size])]));

/**
 * Runs the figures asked for and prints tables.
 * @returns what goes into the JSON file
 */
export async function bench({ figures: ids, n: [n], shape, backend: wanted, peer: python }: Options) {
  if (wanted) process.env.ACRONYM_BACKEND = wanted;
  const backend = await initBackend();
  const tokenizer = gpt2Tokenizer();
  const data = loadAcronyms(path.join(dataFolder, "acronyms", "held-out.txt"), tokenizer, { n });
  const peer = python ? await startPeer(python, SHAPES[shape], data) : undefined;
  try {
    const from = material(fastModel(SHAPES[shape]), tokenizer, data);
    const before = measureRates(from);
    const takeUses = countKernels();
    const plain = await measureForward(from, takeUses);
    const chosen = FIGURES.filter(({ id }) => ids.includes(id));
    const measured = await measureFigures(chosen, from, { plain, takeUses, peer });
    const rates = fastest(before, measureRates(from));
    const { rows, comparison } = peer
      ? compare(measured.rows, measured.rounds, { backend: backend.name, shape })
      : { rows: measured.rows };
    const total = sumRows(rows.filter(({ extra }) => !extra));

    console.log(`${shape}, ${n} prompts, ${backend.name}: ${backend.why}`);
    console.log(forwardText(plain, rates));
    console.log(`\n${figureTable(rows, Math.max(...Object.values(rates)))}`);
    const share = ((100 * total.flop) / total.naive_flop).toFixed(1);
    console.log(
      `all but path: ${total.seconds.toFixed(1)} s, ${total.points} runs, ${share}% of a naive loop's FLOP\n\n${kernelTable(rows)}`,
    );
    if (comparison) console.log(`\n${comparisonText(comparison)}`);
    const { stopped } = measured;
    if (stopped) console.error(`\nstopped after ${rows.length} of ${chosen.length} figures: ${stopped}`);
    const facts = { machine: machine(), backend, shape, n, matrix_gflops: rates, forward: plain };
    return {
      ...facts,
      stopped,
      figures: rows,
      total,
      ...(comparison && { peer: { ...peer!.versions, ...comparison } }),
    };
  } finally {
    await peer?.close();
  }
}

function forwardText({ seconds, flop }: Work, rates: Readonly<Record<string, number>>): string {
  const products = Object.entries(rates).map(([size, rate]) => `${size}: ${rate.toFixed(0)}`);
  return [
    `matrix products, GFLOP/s: ${products.join(", ")}`,
    `a plain forward: ${seconds.toFixed(3)} s, ${(flop / 1e9).toFixed(1)} GFLOP, ${(flop / seconds / 1e9).toFixed(0)} GFLOP/s`,
  ].join("\n");
}
