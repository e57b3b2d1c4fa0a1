/** TransformerLens's side: a process that times its kinds of runs when it is asked to, and else sleeps. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { ModelConfig } from "../../src/model/model";
import type { AcronymDataset } from "../../src/prompts/acronyms";
import type { RunSeconds } from "./figures";

export interface Peer {
  readonly versions: { readonly torch: string; readonly threads: number };
  /** Makes one run of each kind. */
  measure(): Promise<RunSeconds>;
  close(): Promise<void>;
}

/**
 * Starts TransformerLens on a random model of the same shape and the same prompts.
 * Throws if it doesn't start or ends, with its last line.
 * @param python a Python with scripts/bench/peer-requirements.txt
 */
export async function startPeer(python: string, config: ModelConfig, data: AcronymDataset): Promise<Peer> {
  const child = spawn(python, [path.join(__dirname, "peer.py")], { stdio: "pipe" });
  let complaint = "";
  child.stderr.on("data", (text) => {
    complaint = `${complaint}${text}`.slice(-4000);
  });
  child.stdin.on("error", () => {}); // of a child that has ended: `ended` says why
  const ended = new Promise<never>((_, failed) => {
    const why = (what: string) => failed(new Error(`${python} ${what}; it needs scripts/bench/peer-requirements.txt`));
    child.on("error", (error) => why(`does not start: ${error.message}`));
    child.on("close", (code) => why(`ended with ${code}: ${complaint.trim().split("\n").at(-1)}`));
  });
  ended.catch(() => {}); // expected after `close`
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (message: object) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await Promise.race([lines.next(), ended]);
    return done ? ended : JSON.parse(value);
  };
  const { name: _, ...shape } = config;
  return {
    versions: await ask({ config: shape, tokens: data.tokens, answers: data.answers }),
    measure: () => ask({}),
    close: async () => {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, "close");
    },
  };
}
