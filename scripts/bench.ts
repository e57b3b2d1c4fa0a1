/** `npm run bench`: seconds, floating-point operations and memory of every figure of the paper; with `--peer` against TransformerLens. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import path from "node:path";
import { initBackend } from "../src/backend";
import { loadAcronyms } from "../src/dataset";
import { dataFolder } from "../src/hub";
import { mean } from "../src/metrics";
import { gpt2Tokenizer } from "../src/tokenizer";
import { FIGURES, type Figure, type Material, material } from "./bench/figures";
import { countKernels, type KernelUses } from "./bench/kernels";
import { measureFigure, measureForward, measureRates, peakMemory, type Work } from "./bench/measure";
import { fastModel, SHAPES } from "./bench/model";
import { type Options, readOptions, USAGE, UsageError } from "./bench/options";
import { type Peer, type Round, startPeer } from "./bench/peer";
import { ratios, reaches, required, runSeconds } from "./bench/ratios";
import { type FigureRow, figureRow, figureTable, kernelTable, ruleLines, scalingTable } from "./bench/report";
import { measureSizes, scalingRules } from "./bench/scaling";

/** Of each kind of run, before, amid and after ours. */
const PEER_REPEATS = 3;

function writeJson(file: string, content: unknown): void {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

const machine = () => ({
  cpu: cpus()[0].model,
  cores: cpus().length,
  platform: process.platform,
  node: process.version,
});

/** Every figure, and the peer before, amid and after them. */
async function measureAll(
  figures: readonly Figure[],
  from: Material,
  { plain, takeUses, peer }: { plain: Work; takeUses: () => KernelUses; peer?: Peer },
): Promise<{ rows: FigureRow[]; rounds: Round[] }> {
  const rows: FigureRow[] = [];
  const rounds: Round[] = [];
  const ask = async () => peer && rounds.push(await peer.measure(PEER_REPEATS));
  await ask();
  for (const [i, figure] of figures.entries()) {
    rows.push(figureRow(figure, await measureFigure(figure, from, takeUses), plain));
    console.error(`figure ${figure.id}: ${rows[i].seconds.toFixed(1)} s`);
    if (i + 1 === Math.ceil(figures.length / 2)) await ask();
  }
  await ask();
  return { rows, rounds };
}

/** Rows with their ratios, the ratios of all, and whether these are enough. */
function compare(rows: readonly FigureRow[], rounds: readonly Round[], backend: string) {
  const each = runSeconds(rounds);
  const counted = rows.filter(({ extra }) => !extra);
  const [overall, wanted] = [ratios(counted, each), required(backend)];
  const all = FIGURES.every(({ id, extra }) => extra || counted.some((row) => row.id === id));
  const passed = all && counted.length > 0 ? reaches(overall, wanted) : null;
  return { rows: rows.map((row) => ({ ...row, ratios: ratios([row], each) })), each, overall, wanted, passed };
}

function sumRows(rows: readonly FigureRow[]) {
  const sum = (key: "seconds" | "points" | "flop" | "naive_flop") => rows.reduce((all, row) => all + row[key], 0);
  const peak_mb = Math.max(peakMemory(), ...rows.map((row) => row.peak_mb));
  return { seconds: sum("seconds"), points: sum("points"), flop: sum("flop"), naive_flop: sum("naive_flop"), peak_mb };
}

async function bench({ figures: ids, n: [n], shape, backend: wanted, json, peer: python }: Options): Promise<void> {
  if (wanted) process.env.ACRONYM_BACKEND = wanted;
  const backend = await initBackend();
  const tokenizer = gpt2Tokenizer();
  const data = loadAcronyms(path.join(dataFolder, "acronyms", "held-out.txt"), tokenizer, { n });
  const peer = python ? await startPeer(python, SHAPES[shape], data) : undefined;
  const from = material(fastModel(SHAPES[shape]), tokenizer, data);
  const takeUses = countKernels();
  const rates = measureRates(from);
  const rate = Math.max(...Object.values(rates));
  const plain = await measureForward(from, takeUses);
  console.log(`${shape}, ${n} prompts, ${backend.name}: ${backend.why}`);
  console.log(
    `matrix products: ${Object.entries(rates)
      .map(([size, r]) => `${size}: ${r.toFixed(1)}`)
      .join(", ")} GFLOP/s`,
  );
  console.log(
    `a plain forward: ${plain.seconds.toFixed(3)} s, ${(plain.flop / plain.seconds / 1e9).toFixed(1)} GFLOP/s`,
  );

  const chosen = FIGURES.filter(({ id }) => ids.includes(id));
  const { rows, rounds } = await measureAll(chosen, from, { plain, takeUses, peer });
  await peer?.close();
  const comparison = rounds.length > 0 ? compare(rows, rounds, backend.name) : undefined;
  const total = sumRows(rows.filter(({ extra }) => !extra));
  const lines = comparison?.rows ?? rows;
  console.log(`\n${figureTable(lines, rate)}`);
  console.log(
    `all but path: ${total.seconds.toFixed(1)} s, ${total.points} runs, ${(total.flop / total.naive_flop).toFixed(3)} of a naive loop's FLOP`,
  );
  console.log(`\n${kernelTable(rows)}`);
  if (comparison) console.log(`\n${comparisonLines(comparison, rounds)}`);
  const facts = { machine: machine(), backend, shape, n, matrix_gflops: rates, forward: plain };
  writeJson(json, {
    ...facts,
    figures: lines,
    total,
    ...(comparison && { peer: { versions: peer!.versions, rounds }, ...outcome(comparison) }),
  });
  if (comparison?.passed === false) process.exitCode = 1;
}

type Comparison = ReturnType<typeof compare>;
const outcome = ({ each, overall, wanted, passed }: Comparison) => ({
  peer_seconds: each,
  ratios: overall,
  required: wanted,
  passed,
});

function comparisonLines({ overall, wanted, passed, each }: Comparison, rounds: readonly Round[]): string {
  const seconds = rounds.map((round) =>
    Object.entries(round)
      .map(([kind, all]) => `${kind} ${mean(all).toFixed(3)}`)
      .join(", "),
  );
  const verdict = passed === null ? "not all figures ran: nothing is required" : passed ? "reached" : "NOT REACHED";
  return [
    `TransformerLens, seconds a run: ${Object.entries(each)
      .map(([kind, s]) => `${kind} ${s.toFixed(3)}`)
      .join(", ")}`,
    ...seconds.map((text, i) => `  round ${i + 1}: ${text}`),
    `times faster than the official scripts' runs: ${overall.official.toFixed(1)}, required ${wanted.official}`,
    `times faster than the runs that the figures need: ${overall.needed.toFixed(1)}, required ${wanted.needed}`,
    verdict,
  ].join("\n");
}

async function scaling(options: Options): Promise<void> {
  const sizes = await measureSizes(options, ({ n, seconds }) => console.error(`n = ${n}: ${seconds.toFixed(1)} s`));
  const rules = scalingRules(sizes);
  console.log(
    `${options.shape}, figures ${options.figures.join(", ")}\n\n${scalingTable(sizes)}\n\n${ruleLines(rules)}`,
  );
  writeJson(options.json, { machine: machine(), shape: options.shape, figures: options.figures, sizes, rules });
  if (rules.some(({ holds }) => !holds)) process.exitCode = 1;
}

async function main(): Promise<void> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options.help) console.log(USAGE);
    else await (options.scaling ? scaling(options) : bench(options));
  } catch (error) {
    console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : (error as Error).message);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

main();
