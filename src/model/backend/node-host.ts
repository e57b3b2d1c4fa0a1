import { freemem } from "node:os";
import { percent } from "../../show/progress";
import type { Host } from "../host";

/** Node, in a notebook's kernel or a program. */
export const nodeHost: Host = {
  freeMemory: freemem,
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
