import { randomUUID } from "node:crypto";
import { escapeHtml } from "../numbers/text";
import { notebook } from "./output";

/** Called with how much is done; the call with the total ends the line. */
export type Progress = (done: number) => void;

export interface ProgressOptions {
  /** What is counted: bytes are shown as kB or MB, with the speed. Default: points, as they are. */
  readonly unit?: "bytes" | "%";
  /** How much was done before: no part of the speed. Default 0. */
  readonly from?: number;
}

/**
 * One line that says how far a long calculation or download is, renewed at most ten times a second. What stays is
 * "label: total of total" (or "label: 100%"), the same in every run.
 */
export function progress(total: number, label: string, { unit: counted, from = 0 }: ProgressOptions = {}): Progress {
  const write = notebook();
  const display_id = `progress-${randomUUID()}`;
  const started = Date.now();
  const bytes = counted === "bytes";
  const [size, unit] = !bytes ? [1, ""] : total < 1e6 ? [1e3, " kB"] : [1e6, " MB"];
  const far = (done: number) => (counted === "%" ? `${done}%` : `${done} of ${Math.ceil(total / size)}${unit}`);
  let shown = 0;
  let written = false;
  const say = (text: string, last: boolean) => {
    const data = { "text/html": escapeHtml(text), "text/plain": text };
    if (write) write({ data, metadata: {}, transient: { display_id } }, written);
    else if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${text}${last ? "\n" : ""}`);
    else if (last) console.log(text);
    written = true;
  };
  return (done) => {
    if (done >= total) return say(`${label}: ${far(Math.ceil(total / size))}`, true);
    const text = `${label}: ${far(Math.floor(done / size))}`;
    const now = Date.now();
    if (now - shown < 100) return;
    shown = now;
    const perSecond = (done - from) / Math.max((now - started) / 1000, 0.001);
    const speed = bytes && done > from ? `, ${(perSecond / size).toFixed(1)}${unit}/s` : "";
    const left = Math.ceil((total - done) / perSecond);
    say(done > from && left > 2 ? `${text}${speed}, about ${left} s left` : `${text}${speed}`, false);
  };
}

/** The same for what counts its own points: "label: 33%". */
export function percent(label: string): (done: number, total: number) => void {
  const report = progress(100, label, { unit: "%" });
  return (done, total) => report(Math.floor((100 * done) / total));
}
