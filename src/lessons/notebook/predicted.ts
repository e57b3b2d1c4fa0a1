import { publish, table } from "../../show/display";
import { isEmpty } from "../exercise";
import { noteBundle } from "./output";

type Value = number | string | boolean | null;

/**
 * Shows what was expected before a figure beside what came out. Two tables are compared name by name, `{ "letter 1": 0, "letter 2": -6 }`.
 * Nothing is judged: to have written it down is the point.
 * @param expected what the student wrote in an earlier cell; undefined, "" or {} if nothing
 * Throws a TypeError if `actual` is nothing
 */
export function predicted(
  expected: Value | Readonly<Record<string, Value | undefined>> | undefined,
  actual: Value | Readonly<Record<string, Value>>,
): void {
  if (isEmpty(actual)) throw new TypeError("there is nothing to compare with: the second argument is what came out");
  const came = named(actual);
  const wrote = isEmpty(expected) ? {} : named(expected as Value);
  const nothing = Object.values(wrote).every(isEmpty);
  if (nothing) publish(noteBundle("You wrote nothing down; here is what comes out."));
  const names = [...new Set([...Object.keys(came), ...Object.keys(wrote)])];
  const rows = names.map((what) => ({ what, expected: wrote[what] ?? null, "came out": came[what] ?? null }));
  table(nothing ? rows.map(({ expected: _, ...row }) => row) : rows);
}

const named = (value: Value | Readonly<Record<string, Value | undefined>>) =>
  typeof value === "object" && value !== null ? value : { "": value };
