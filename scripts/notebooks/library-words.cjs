// tslab checks types before a cell runs, so the compiler speaks where the library would say more: these are the library's words.
const { join } = require("node:path");
const ts = require("@tslab/typescript-for-tslab");

/** @typedef {import("tslab/dist/converter.js").Diagnostic} Diagnostic */
/** @typedef {import("@tslab/typescript-for-tslab").Node} Node */

const NO_HOOK = /type '"([^']*)"' is not assignable to (?:parameter of )?type 'HookName'/i;
const NO_INDEX = /is not assignable to type '(?:Index|number)'/;
const NO_AXIS = /'(\w+)' does not exist in type/;

/** The library's table of hooks, once it is compiled. @returns {any} */
const hooks = () => require(join(__dirname, "..", "..", "dist", "model", "hooks.js"));

/**
 * The compiler's messages, those at one place together, in the library's words where it has some.
 * @param {string} cell as it was compiled
 * @param {readonly Diagnostic[]} diagnostics
 * @returns {Diagnostic[]}
 */
function inLibraryWords(cell, diagnostics) {
  const file = ts.createSourceFile("cell.ts", cell, ts.ScriptTarget.Latest, true);
  /** @type {Map<string, Diagnostic[]>} */
  const places = new Map();
  for (const one of diagnostics) {
    const key = `${one.fileName ?? ""}:${one.start.offset}`;
    places.set(key, [...(places.get(key) ?? []), one]);
  }
  return [...places.values()].map((there) => {
    const compiler = there.map(({ messageText }) => messageText).join("\n  ");
    const words = there[0].fileName ? undefined : libraryWords(file, there[0].start.offset, compiler);
    return { ...there[0], messageText: words ?? compiler };
  });
}

/** @param {import("@tslab/typescript-for-tslab").SourceFile} file @param {number} at @param {string} message */
function libraryWords(file, at, message) {
  const hook = NO_HOOK.exec(message)?.[1];
  if (hook !== undefined) return refusal(() => hooks().axesOf(hook));
  const axis = NO_AXIS.exec(message)?.[1];
  if (axis === undefined && !NO_INDEX.test(message)) return undefined;
  const property = propertyAt(file, at);
  const name = property && firstArgument(property);
  if (!property || !name || (!ts.isStringLiteralLike(name) && axis !== undefined)) return undefined;
  const shown = ts.isStringLiteralLike(name) ? name.text : name.getText();
  if (axis !== undefined) return refusal(() => hooks().sliceAxis(shown, axis));
  if (!isAxis(property.name.getText())) return undefined;
  const given = literal(property.initializer);
  return given === undefined ? undefined : refusal(() => hooks().indexList(shown, property.name.getText(), given));
}

/** @param {() => unknown} act @returns {string | undefined} */
function refusal(act) {
  try {
    act();
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== "MODULE_NOT_FOUND") return message;
  }
  return undefined;
}

/** @param {string} name */
const isAxis = (name) => ["pos", "query_pos", "key_pos", "head"].includes(name);

/** @param {Node} file @param {number} at @returns {import("@tslab/typescript-for-tslab").PropertyAssignment | undefined} */
function propertyAt(file, at) {
  let found;
  /** @param {Node} node */
  const visit = (node) => {
    if (at < node.getStart() || at >= node.end) return;
    // the innermost literal of an edit: what it holds deeper inside is not its axis
    if (ts.isPropertyAssignment(node) && firstArgument(node)) found = node;
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
  return found;
}

/** The hook of `patch(hook, …, { axis })` or `edit(…)` of whose slice this is a property. @param {Node} property */
function firstArgument(property) {
  const call = property.parent.parent;
  const isEdit = ts.isCallExpression(call) && /^(patch|edit)$/.test(call.expression.getText());
  return isEdit ? call.arguments[0] : undefined;
}

/** A text, or a list that holds one. @param {Node} node @returns {unknown} */
function literal(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (ts.isArrayLiteralExpression(node)) return node.elements.map(literal);
  return undefined;
}

module.exports = { inLibraryWords, hooks };
