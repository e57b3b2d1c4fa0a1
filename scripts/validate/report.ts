/** The report: report.json for programs, report.html for people. Both are whole at any time. */
import path from "node:path";
import { escapeHtml } from "../../src/numbers/text";
import type { Claim } from "../../src/show/claims";
import { toPng } from "../../src/show/picture";
import type { Step, StepResult } from "./steps";

/** One step that has been done. */
export interface Done {
  readonly title: string;
  readonly kind: Step["kind"];
  readonly seconds: number;
  readonly claims: readonly Claim[];
  readonly note?: string;
  readonly measured?: StepResult["measured"];
  /** By name, as base64. */
  readonly pictures: Readonly<Record<string, string>>;
}

export interface Report {
  readonly model: string;
  readonly backend: string;
  readonly prompts: string;
  readonly n: number;
  readonly seeds: readonly number[];
  readonly steps: readonly Done[];
  /** "running" is what an interrupted run leaves. */
  readonly state: "running" | "finished" | "stopped: the weights are not GPT-2 Small's" | "interrupted";
}

export async function pictures(drawings: StepResult["drawings"] = {}): Promise<Done["pictures"]> {
  const drawn: [string, string][] = [];
  for (const [name, figure] of Object.entries(drawings))
    drawn.push([name, (await toPng(figure, 1)).toString("base64")]);
  return Object.fromEntries(drawn);
}

/** Claims of steps and how many of them failed. */
export const failures = ({ steps }: Pick<Report, "steps">): Claim[] =>
  steps.flatMap(({ claims }) => claims.filter(({ passed }) => !passed));

/** "12 of 50 claims hold" */
export function sumText(report: Pick<Report, "steps">): string {
  const all = report.steps.flatMap(({ claims }) => claims).length;
  return `${all - failures(report).length} of ${all} claims hold`;
}

/** Writes report.json and report.html. */
export async function writeReport(folder: string, report: Report): Promise<void> {
  const { writeAtomically } = await import("../setup/stamp.mjs");
  const steps = report.steps.map(({ pictures, ...step }) => step);
  writeAtomically(path.join(folder, "report.json"), `${JSON.stringify({ ...report, steps })}\n`);
  writeAtomically(path.join(folder, "report.html"), page(report));
}

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse}td{padding:.25em .6em;vertical-align:top;border-top:1px solid #e6e6e6}
.yes{color:#1a7f37}.no{color:#b2182b;font-weight:bold}img{display:block;margin:1em 0;max-width:100%}`;

/** The report as one page that loads nothing. */
export function page(report: Report): string {
  const { model, backend, prompts, n, seeds, state, steps } = report;
  const facts = `${model} on the backend ${backend}; ${n} prompts (${path.basename(prompts)}), seeds ${seeds.join(", ")}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Validation against the paper</title><style>${STYLE}</style></head><body>
<h1>Validation against the paper</h1>
<p>${escapeHtml(facts)}</p>
<p><b>${sumText(report)}.</b> The run is ${escapeHtml(state)}.</p>
<p>A cell agrees if it is within the reading's uncertainty plus three standard errors. Identities hold for any weights: they test the program.
The other claims hold for GPT-2 Small's weights only.</p>
${steps.map(section).join("\n")}
</body></html>
`;
}

function section({ title, kind, seconds, claims, note, pictures }: Done): string {
  const rows = claims.map(({ claim, passed, evidence }) => {
    const mark = passed ? `<td class="yes">✓</td>` : `<td class="no">✗</td>`;
    return `<tr>${mark}<td>${escapeHtml(claim)}</td><td>${escapeHtml(evidence)}</td></tr>`;
  });
  const images = Object.entries(pictures).map(([name, png]) => {
    const alt = `${name}: as measured, and where the paper has it as cells, the paper's below`;
    return `<details open><summary>${escapeHtml(name)}</summary><img alt="${escapeHtml(alt)}" src="data:image/png;base64,${png}"></details>`;
  });
  return `<h2>${escapeHtml(title)}</h2>
<p>${kind}, ${seconds.toFixed(1)} s${note ? `; ${escapeHtml(note)}` : ""}</p>
<table>${rows.join("\n")}</table>
${images.join("\n")}`;
}
