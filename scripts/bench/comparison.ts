/** Our figures beside TransformerLens's runs: the ratios by both clocks, and whether they are enough. */
import { FIGURES, RUN_KINDS, type RunSeconds } from "./figures";
import type { Round } from "./peer";
import { type Ratios, ratios, reaches, required, runSeconds } from "./ratios";
import { alignTable, type FigureRow } from "./report";

export interface Comparison {
  readonly rounds: readonly Round[];
  /** What a run takes TransformerLens: medians. */
  readonly each: RunSeconds;
  readonly overall: Ratios;
  /** In seconds of all cores together, which other work on the machine changes less. */
  readonly overall_cpu: Ratios;
  readonly required: Ratios;
  /** By the clock; `null` if not everything ran that the requirement is about. */
  readonly passed: boolean | null;
}

/** `rows` with their ratios, and the comparison of all that count. */
export function compare(
  rows: readonly FigureRow[],
  rounds: readonly Round[],
  { backend, shape }: { backend: string; shape: string },
): { rows: FigureRow[]; comparison: Comparison } {
  const [each, eachCpu] = [runSeconds(rounds, "seconds"), runSeconds(rounds, "cpu_seconds")];
  const counted = rows.filter(({ extra }) => !extra);
  const overall = ratios(counted, each);
  const onCores = counted.map((row) => ({ ...row, seconds: row.cpu_seconds }));
  const whole = shape === "gpt2-small" && counted.length === FIGURES.filter(({ extra }) => !extra).length;
  const wanted = required(backend);
  const comparison = {
    rounds,
    each,
    overall,
    overall_cpu: ratios(onCores, eachCpu),
    required: wanted,
    passed: whole ? reaches(overall, wanted) : null,
  };
  return { rows: rows.map((row) => ({ ...row, ratios: ratios([row], each) })), comparison };
}

export function comparisonText({ rounds, each, overall, overall_cpu, required, passed }: Comparison): string {
  const among = (pick: (...values: number[]) => number, kind: keyof RunSeconds) =>
    pick(...rounds.map(({ seconds }) => seconds[kind])).toFixed(3);
  const runs = RUN_KINDS.map((kind) => [kind, each[kind].toFixed(3), among(Math.min, kind), among(Math.max, kind)]);
  const ratio = (what: string, key: keyof Ratios) => [
    what,
    overall[key].toFixed(1),
    overall_cpu[key].toFixed(1),
    `${required[key]}`,
  ];
  const verdict =
    passed === null ? "not all figures of GPT-2's shape ran: nothing is required" : passed ? "reached" : "NOT REACHED";
  return [
    alignTable([[`TransformerLens, seconds a run (${rounds.length} rounds)`, "median", "least", "most"], ...runs]),
    "",
    alignTable([
      ["times faster than", "by the clock", "in CPU seconds", "required"],
      ratio("the official scripts' runs", "official"),
      ratio("the runs that the figures need", "needed"),
    ]),
    verdict,
  ].join("\n");
}
