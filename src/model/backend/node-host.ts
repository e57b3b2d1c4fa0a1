import { spawnSync } from "node:child_process";
import { freemem, totalmem } from "node:os";
import { percent } from "../../show/progress";
import type { Host, Memory } from "../host";

function memory(): Memory {
  const limit = process.constrainedMemory?.() ?? 0; // of a container; 0 or beyond the machine's memory if there is none
  const total = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return { total, available: Math.min(total, availableOnMac() ?? available()) };
}

/** Node 20.13 and later know what a container may still take. On Linux `freemem` is what can be had, not what is unused. */
const available = (): number => (process as { availableMemory?: () => number }).availableMemory?.() ?? freemem();

/** On macOS `freemem` counts wholly unused pages only, of which a healthy system has hardly any. */
function availableOnMac(): number | undefined {
  return process.platform === "darwin"
    ? pagesAvailable(spawnSync("vm_stat", { encoding: "utf8" }).stdout ?? "")
    : undefined;
}

/** Bytes that the output of macOS's `vm_stat` calls free, or kept only as long as nobody wants them. */
export function pagesAvailable(output: string): number | undefined {
  const size = Number(/page size of (\d+) bytes/.exec(output)?.[1]);
  const kinds = ["free", "inactive", "speculative", "purgeable"];
  const pages = kinds.map((kind) => Number(new RegExp(`^Pages ${kind}: +(\\d+)`, "m").exec(output)?.[1] ?? 0));
  const bytes = size * pages.reduce((a, b) => a + b);
  return bytes > 0 ? bytes : undefined;
}

/** Node, in a notebook's kernel or a program. */
export const nodeHost: Host = {
  memory,
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
  onInterrupt: (stop) => {
    process.on("SIGINT", stop);
    return () => process.off("SIGINT", stop);
  },
  progress: percent,
  get plan() {
    return process.env.ACRONYM_PLAN !== "off";
  },
};
