// Tab inside a text: tslab inserts at the cursor whatever was typed before it, and can't list names with a number inside.
const ts = require("@tslab/typescript-for-tslab");
const { hooks } = require("./library-words.cjs");

/** @typedef {import("tslab/dist/converter.js").CompletionInfo} CompletionInfo */

const LAYER = /^blocks\.(0|[1-9]\d*)\./;

/**
 * The texts that begin like the one that the cursor is in, in its place; names of hooks with those of the layer that was typed, else 0.
 * @param {string} cell
 * @param {number} cursor
 * @param {CompletionInfo} found by tslab
 * @returns {CompletionInfo}
 */
function completeText(cell, cursor, found) {
  const start = textAround(cell, cursor);
  if (start === undefined) return found;
  const typed = cell.slice(start, cursor);
  const isHook = found.candidates.includes("hook_embed") && found.candidates.includes("ln_final.hook_scale");
  const all = isHook ? hookNames(LAYER.exec(typed)?.[1] ?? "0") : found.candidates;
  return { ...found, start, end: cursor, candidates: all.filter((name) => name.startsWith(typed)) };
}

/** @param {string} layer @returns {string[]} */
const hookNames = (layer) =>
  hooks()
    .hookNames(1)
    .map((/** @type {string} */ name) => name.replace(/^blocks\.0\./, `blocks.${layer}.`));

/** Where the text begins that the cursor is in; undefined if it is in none. @param {string} cell @param {number} cursor */
function textAround(cell, cursor) {
  /** @type {number | undefined} */
  let start;
  /** @param {import("@tslab/typescript-for-tslab").Node} node */
  const visit = (node) => {
    if (ts.isStringLiteral(node) && node.getStart() < cursor && (cursor < node.end || node.isUnterminated))
      start = node.getStart() + 1;
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("cell.ts", cell, ts.ScriptTarget.Latest, true));
  return start;
}

module.exports = { completeText };
