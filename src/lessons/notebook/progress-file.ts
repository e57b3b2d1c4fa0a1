import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { isTable } from "../../load/json";
import { writeWhole } from "../../show/whole-file";

/** What was done of one exercise. */
export interface Done {
  /** Answers that were checked; an unanswered exercise is none. */
  readonly tries: number;
  /** Whether one of them was right. */
  readonly done: boolean;
}

/** Where progress is kept: beside the notebook, unless ACRONYM_PROGRESS names another file. */
export const progressFile = (): string => resolve(process.env.ACRONYM_PROGRESS || "progress.json");

/** By exercise; empty if there is no file yet. Throws Error naming the file if it can't be read as progress. */
export function readProgress(file: string): Record<string, Done> {
  if (!existsSync(file)) return {};
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw unreadable(file, (error as Error).message);
  }
  if (!isTable(found)) throw unreadable(file, "it is no table");
  for (const [id, one] of Object.entries(found as Record<string, Partial<Done> | null>))
    if (!Number.isSafeInteger(one?.tries) || typeof one?.done !== "boolean")
      throw unreadable(file, `"${id}" has no tries and done`);
  return found as Record<string, Done>;
}

const unreadable = (file: string, why: string) =>
  new Error(`progress can't be read from ${file} (${why}): mend it, or delete it to begin anew`);

/** Counts an answer; what is done stays done. The file is written whole. Throws Error as `readProgress` does. */
export function noteTry(file: string, id: string, isRight: boolean): void {
  const all = readProgress(file); // again each time: another notebook may have written to it
  const { tries, done } = all[id] ?? { tries: 0, done: false };
  const next = { ...all, [id]: { tries: tries + 1, done: done || isRight } };
  writeWhole(file, `${JSON.stringify(next, null, 1)}\n`);
}
