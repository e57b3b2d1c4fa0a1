/** Our figures beside TransformerLens's runs: the ratios, and whether they are enough. */
import { FIGURES, RUN_KINDS, type RunSeconds } from "./figures";
import { median } from "./measure";
import { overRounds, type Ratios, ratios, reaches, required } from "./ratios";
import { alignTable, type FigureRow } from "./report";

interface Comparison {
  readonly rounds: readonly RunSeconds[];
  /** The least that a run took TransformerLens. On a busy machine short runs suffer many times over, and a median would flatter us. */
  readonly least: RunSeconds;
  readonly median: RunSeconds;
  /** By the least seconds: what counts. */
  readonly ratios: Ratios;
  /** By the median seconds. */
  readonly ratios_median: Ratios;
  readonly required: Ratios;
  /** `null` if not everything ran that the requirement is about. */
  readonly passed: boolean | null;
}

/** `rows` with their ratios, and the comparison of all that count. */
export function compare(
  rows: readonly FigureRow[],
  rounds: readonly RunSeconds[],
  { backend, shape }: { backend: string; shape: string },
): { rows: FigureRow[]; comparison: Comparison } {
  const least = overRounds(rounds, (values) => Math.min(...values));
  const middle = overRounds(rounds, median);
  const counted = rows.filter(({ extra }) => !extra);
  const whole = shape === "gpt2-small" && counted.length === FIGURES.filter(({ extra }) => !extra).length;
  const [found, wanted] = [ratios(counted, least), required(backend)];
  const comparison = {
    rounds,
    least,
    median: middle,
    ratios: found,
    ratios_median: ratios(counted, middle),
    required: wanted,
    passed: whole ? reaches(found, wanted) : null,
  };
  return { rows: rows.map((row) => ({ ...row, ratios: ratios([row], least) })), comparison };
}

/** How much longer than the least a run may take in the middle before the machine counts as busy. */
const BUSY = 1.3;

export function comparisonText(comparison: Comparison): string {
  const { rounds, least, median, ratios, ratios_median, required, passed } = comparison;
  const runs = RUN_KINDS.map((kind) => [kind, least[kind].toFixed(3), median[kind].toFixed(3)]);
  const ratio = (what: string, key: keyof Ratios) => [
    what,
    ratios[key].toFixed(1),
    ratios_median[key].toFixed(1),
    `${required[key]}`,
  ];
  const busy = RUN_KINDS.some((kind) => median[kind] > BUSY * least[kind]);
  const verdict =
    passed === null ? "not all figures of GPT-2's shape ran: nothing is required" : passed ? "reached" : "NOT REACHED";
  return [
    alignTable([[`TransformerLens, seconds a run, ${rounds.length} rounds`, "least", "median"], ...runs]),
    "",
    alignTable([
      ["times faster than", "by the least", "by the median", "required by the least"],
      ratio("the official scripts' runs", "official"),
      ratio("the runs that the figures need", "needed"),
    ]),
    verdict,
    ...(busy
      ? [
          "the machine was busy with other things, which makes the ratios by the least too low and those by the median wrong: run again when it is idle",
        ]
      : []),
  ].join("\n");
}
