/** Time and memory by number of prompts. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Options } from "./options";

export interface Size {
  readonly n: number;
  /** Of all figures asked for. */
  readonly seconds: number;
  /** Largest resident memory of the whole process. */
  readonly peak_mb: number;
}

export interface Rule {
  readonly rule: string;
  readonly found: number;
  readonly limit: number;
  readonly holds: boolean;
}

/** One size in a process of its own, so that its peak is its own. Throws naming the size and what the process said last. */
async function measureSize({ figures, shape, backend }: Options, n: number, json: string): Promise<Size> {
  const script = path.join(__dirname, "main.ts");
  const own = ["--n", `${n}`, "--figures", figures.join(","), "--shape", shape, "--json", json];
  const args = ["--require", "tsx/cjs", script, ...own, ...(backend ? ["--backend", backend] : [])];
  try {
    await promisify(execFile)(process.execPath, args, { cwd: path.join(__dirname, "..", "..") });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
    throw new Error(`the process with n = ${n} failed: ${said || (error as Error).message}`, { cause: error });
  }
  const { total } = JSON.parse(readFileSync(json, "utf8"));
  return { n, seconds: total.seconds, peak_mb: total.peak_mb };
}

/** Every size of `options.n`, one after another. */
export async function measureSizes(options: Options, onSize: (size: Size) => void): Promise<Size[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "bench-"));
  try {
    const sizes: Size[] = [];
    for (const n of options.n) {
      sizes.push(await measureSize(options, n, path.join(folder, `${n}.json`)));
      onSize(sizes.at(-1)!);
    }
    return sizes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Limit of the GPT-2 shape's memory, in MB. */
const MOST_MB = 2.5 * 1024;
/** How much more than the smallest size the largest may take, in seconds a prompt and in memory. */
const MOST_MORE = 1.2;

/** Linear time, flat memory, and not too much of it; the smallest size comes first. */
export function scalingRules(sizes: readonly Size[]): Rule[] {
  const [first, last] = [sizes[0], sizes.at(-1)!];
  const perPrompt = ({ seconds, n }: Size) => seconds / n;
  const rule = (text: string, found: number, limit: number) => ({ rule: text, found, limit, holds: found <= limit });
  return [
    rule(`seconds a prompt, n = ${last.n} over n = ${first.n}`, perPrompt(last) / perPrompt(first), MOST_MORE),
    rule(`peak memory, n = ${last.n} over n = ${first.n}`, last.peak_mb / first.peak_mb, MOST_MORE),
    rule("largest peak memory, MB", Math.max(...sizes.map(({ peak_mb }) => peak_mb)), MOST_MB),
  ];
}
