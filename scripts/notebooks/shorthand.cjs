// tslab can't find `q` in `{ q }` if an earlier cell declares it: "ReferenceError: q is not defined". It can in `{ q: q }`.
const ts = require("@tslab/typescript-for-tslab");

/**
 * The cell with every shorthand property spelt out, which means the same.
 * @param {string} cell
 * @returns {string}
 */
function spellOut(cell) {
  /** @type {import("@tslab/typescript-for-tslab").Identifier[]} */
  const names = [];
  /** @param {import("@tslab/typescript-for-tslab").Node} node */
  const visit = (node) => {
    if (ts.isShorthandPropertyAssignment(node)) names.push(node.name);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("cell.ts", cell, ts.ScriptTarget.Latest, true));
  // the last one first: those before stay where they are
  return names.reduceRight((text, name) => {
    const at = name.getStart();
    return `${text.slice(0, at)}${name.text}: ${text.slice(at)}`;
  }, cell);
}

module.exports = { spellOut };
