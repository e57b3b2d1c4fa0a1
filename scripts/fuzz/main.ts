/** `npm run fuzz`: damages checkpoint files at random and holds that the reader refuses them properly or accepts what is consistent. */
import { parseArgs } from "node:util";
import { random } from "../../src/numbers/random";
import { parseSafetensors } from "../checkpoint/parse";
import { mutatedFile } from "./mutate";
import { checkAccepted } from "./oracle";

const PREFIX = "safetensors is not a valid safetensors file: ";

/** The kind of a refusal: its message without names and numbers. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || error.constructor !== Error || !error.message.startsWith(PREFIX)) throw error;
  return error.message
    .slice(PREFIX.length)
    .replace(/ \("__metadata__".*?\)| \(".*?"\) (?=expected)/, " ")
    .replace(/; found .*|; the format has .*| for \[.*|: \[.*|, not ".*/s, "")
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, "…")
    .replaceAll(/(?<![\w-])-?\d+/g, "n")
    .replaceAll(/ +/g, " ");
}

export interface FuzzCounts {
  accepted: number;
  /** How many files each kind of refusal had. */
  readonly refused: Map<string, number>;
  /** Longest time one file took, in milliseconds. */
  slowest: number;
}

/**
 * Reads so many damaged files, the same for the same seed.
 * Throws whatever isn't a proper refusal: a crash, or an inconsistent file that was accepted; `cause` tells which, the message gives the file.
 */
export function fuzz(mutations: number, seed: number, report: (done: number) => void = () => {}): FuzzCounts {
  const source = random(seed);
  const counts: FuzzCounts = { accepted: 0, refused: new Map(), slowest: 0 };
  for (let i = 0; i < mutations; i++) {
    const bytes = mutatedFile(source);
    const start = performance.now();
    try {
      readOne(bytes, counts);
    } catch (error) {
      throw new Error(`file ${i} of seed ${seed}, base64 ${Buffer.from(bytes).toString("base64")}: ${error}`, {
        cause: error,
      });
    }
    counts.slowest = Math.max(counts.slowest, performance.now() - start);
    if ((i + 1) % 50_000 === 0) report(i + 1);
  }
  return counts;
}

function readOne(bytes: Uint8Array, counts: FuzzCounts): void {
  let checkpoint: ReturnType<typeof parseSafetensors>;
  try {
    checkpoint = parseSafetensors(bytes);
  } catch (error) {
    const reason = reasonOf(error);
    counts.refused.set(reason, (counts.refused.get(reason) ?? 0) + 1);
    return;
  }
  checkAccepted(bytes, checkpoint);
  counts.accepted += 1;
}

function main(): void {
  const { values } = parseArgs({
    options: { mutations: { type: "string", default: "1000000" }, seed: { type: "string", default: "0" } },
  });
  const mutations = Number(values.mutations);
  if (!Number.isSafeInteger(mutations) || mutations < 1)
    throw new Error(`--mutations is ${values.mutations}; a positive whole number is needed`);
  const { accepted, refused, slowest } = fuzz(mutations, Number(values.seed), (done) =>
    process.stderr.write(`${done} files\r`),
  );
  const rows = [...refused].sort(([, a], [, b]) => b - a);
  const total = rows.reduce((sum, [, n]) => sum + n, 0);
  console.log(
    `seed ${values.seed}: ${accepted + total} files; ${accepted} accepted, all consistent; ${total} refused:`,
  );
  for (const [reason, n] of rows) console.log(`${`${n}`.padStart(8)}  ${reason}`);
  console.log(`slowest file: ${Math.round(slowest)} ms`);
}

if (require.main === module) main();
