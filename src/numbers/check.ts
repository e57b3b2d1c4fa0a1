/** Checks of what a caller gives: a refusal names the value and what is allowed, before anything is computed with it. */

/** A value as a message shows it: text in quotes, objects by what they are. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" && value !== null ? (value.constructor?.name ?? "an object") : String(value);
}

const isWhole = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least;

/** Whether the value is one of the whole numbers 0 … n − 1. */
export const isIndex = (value: unknown, n: number): boolean => isWhole(value, 0) && (value as number) < n;

/** Throws a RangeError if the value is not one of the whole numbers 0 … n − 1. */
export function checkIndex(name: string, value: unknown, n: number): void {
  if (!isIndex(value, n)) throw new RangeError(`${name} ${shown(value)} is not one of 0 … ${n - 1}`);
}

/**
 * An empty list passes; see `checkSome`. A typed array doesn't: it would be taken for a list here and for something else there.
 * Throws a TypeError if it isn't a plain list; RangeError naming the first entry (a hole, too) that is not one of 0 … n − 1.
 */
export function checkIndices(name: string, values: unknown, n: number): void {
  if (!Array.isArray(values))
    throw new TypeError(`${name}: a plain list of numbers is needed (Array.from makes one), not ${shown(values)}`);
  for (let i = 0; i < values.length; i++) checkIndex(name, values[i], n); // by index: `forEach` passes over holes
}

/** Throws a RangeError if the value is not a whole number, or less than `least`. */
export function checkCount(name: string, value: unknown, least = 1): void {
  if (!isWhole(value, least))
    throw new RangeError(`${name} must be a whole number from ${least} on, not ${shown(value)}`);
}

/** Throws a RangeError naming what may be chosen, if the value is none of it. */
export function checkOneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (!allowed.includes(value))
    throw new RangeError(`${name} ${shown(value)} is not one of ${allowed.map(shown).join(", ")}`);
}

/** Throws a RangeError if the value is NaN, infinite or no number. */
export function checkFinite(name: string, value: unknown): void {
  if (!Number.isFinite(value)) throw new RangeError(`${name} is ${shown(value)}, not a finite number`);
}

/** Throws a RangeError naming the first value of a list that is NaN, infinite or no number (a hole, too). */
export function checkAllFinite(name: string, values: readonly unknown[]): void {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) checkFinite(`${name} ${i}`, values[i]);
}

/** Throws a RangeError if the list is empty. */
export function checkSome(name: string, list: readonly unknown[]): void {
  if (list.length === 0) throw new RangeError(`there are no ${name}; give at least one`);
}
