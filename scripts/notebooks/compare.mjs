// Whether a committed notebook shows what its code prints now. Everything has to be equal, except that numbers may
// differ as much as tfjs backends do, and that pictures are not compared: the figure's data, which they show, are.

/** Numbers may differ by this much, relative above 1 and absolute below. */
export const TOLERANCE = 1e-3;

/** Cells with this tag report on the machine (backend, versions): only the kinds of their outputs are compared. */
export const MACHINE_TAG = "machine";

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** @typedef {{ cell_type: string, source: string | string[], outputs?: any[], metadata?: { tags?: string[] } }} Cell */

/**
 * @param {{ cells: Cell[] }} saved
 * @param {{ cells: Cell[] }} fresh
 * @returns {string[]} what differs, one line each; empty if nothing does
 */
export function compareNotebooks(saved, fresh) {
  if (saved.cells.length !== fresh.cells.length) {
    return [`${saved.cells.length} cells are saved, ${fresh.cells.length} were executed`];
  }
  let number = 0;
  return saved.cells.flatMap((cell, index) => {
    if (cell.cell_type !== "code" || joined(cell.source).trim() === "") return [];
    number += 1;
    const onlyKinds = cell.metadata?.tags?.includes(MACHINE_TAG) ?? false;
    return compareOutputs(cell.outputs ?? [], fresh.cells[index].outputs ?? [], onlyKinds).map(
      (difference) => `cell ${number}: ${difference}`,
    );
  });
}

/**
 * @param {any[]} saved
 * @param {any[]} fresh
 * @param {boolean} onlyKinds
 */
function compareOutputs(saved, fresh, onlyKinds) {
  const [savedKinds, freshKinds] = [saved, fresh].map((outputs) => outputs.map(kindOf).join("; "));
  if (savedKinds !== freshKinds) return [`saved outputs: ${savedKinds || "none"}, now: ${freshKinds || "none"}`];
  if (onlyKinds) return [];
  return saved.flatMap((output, index) => compareOutput(output, fresh[index], `output ${index + 1}`));
}

/** @param {any} output */
function kindOf(output) {
  if (output.output_type === "stream") return output.name;
  return Object.keys(output.data ?? {})
    .sort()
    .join(" + ");
}

/**
 * @param {any} saved
 * @param {any} fresh
 * @param {string} where
 */
function compareOutput(saved, fresh, where) {
  if (saved.output_type === "stream") return compareText(joined(saved.text), joined(fresh.text), where);
  return Object.keys(saved.data ?? {})
    .filter((mime) => !mime.startsWith("image/"))
    .flatMap((mime) =>
      compareValues(saved.data[mime], fresh.data[mime], `${where}, ${mime}`, mime.startsWith("text/")),
    );
}

/**
 * @param {any} saved
 * @param {any} fresh
 * @param {string} where
 * @param {boolean} isText whether a list is the lines of one text
 * @returns {string[]}
 */
function compareValues(saved, fresh, where, isText = false) {
  if (isText) return compareText(joined(saved), joined(fresh), where);
  if (typeof saved === "number" && typeof fresh === "number") {
    return areClose(saved, fresh) ? [] : [`${where}: ${saved} is saved, now ${fresh}`];
  }
  if (typeof saved === "string" && typeof fresh === "string") return compareText(saved, fresh, where);
  if (saved === null || fresh === null || typeof saved !== "object" || typeof fresh !== "object") {
    return saved === fresh ? [] : [`${where}: ${JSON.stringify(saved)} is saved, now ${JSON.stringify(fresh)}`];
  }
  const [savedKeys, freshKeys] = [saved, fresh].map((value) => Object.keys(value).sort().join(", "));
  if (savedKeys !== freshKeys) return [`${where}: entries ${shorten(savedKeys)} are saved, now ${shorten(freshKeys)}`];
  return Object.keys(saved).flatMap((key) => compareValues(saved[key], fresh[key], `${where}.${key}`));
}

/**
 * Texts whose words are equal and whose numbers are close. Two whole numbers count something and have to be equal (one
 * alone can be 1 where the other backend has 0.9999999); one with a point may also differ by one in its last place,
 * because it was rounded to it.
 * @param {string} saved
 * @param {string} fresh
 * @param {string} where
 */
function compareText(saved, fresh, where) {
  if (saved === fresh) return [];
  const differs = [`${where}: ${shorten(JSON.stringify(saved))} is saved, now ${shorten(JSON.stringify(fresh))}`];
  if (saved.replace(NUMBER, "#") !== fresh.replace(NUMBER, "#")) return differs;
  const [savedNumbers, freshNumbers] = [saved, fresh].map((text) => text.match(NUMBER) ?? []);
  return savedNumbers.every((text, index) => areCloseTexts(text, freshNumbers[index])) ? [] : differs;
}

/**
 * @param {string} saved
 * @param {string} fresh
 */
function areCloseTexts(saved, fresh) {
  if (saved === fresh) return true;
  if ([saved, fresh].every((text) => /^-?\d+$/.test(text))) return false;
  const places = [saved, fresh].map((text) => /\.(\d+)/.exec(text)?.[1].length ?? 0);
  const isRounded = !places.includes(0) && !/e/i.test(saved + fresh);
  const lastPlace = isRounded ? 10 ** -Math.min(...places) : 0;
  return areClose(Number(saved), Number(fresh)) || Math.abs(Number(saved) - Number(fresh)) <= lastPlace * 1.0001;
}

/**
 * @param {number} a
 * @param {number} b
 */
function areClose(a, b) {
  return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
}

/**
 * Notebooks keep a text as a string or as its lines.
 * @param {string | string[]} text
 */
function joined(text) {
  return Array.isArray(text) ? text.join("") : text;
}

/** @param {string} text */
function shorten(text) {
  return text.length > 200 ? `${text.slice(0, 200)} …` : text;
}
