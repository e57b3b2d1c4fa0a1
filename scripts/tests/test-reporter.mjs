// node --test-reporter: what a test file's cases come to, one JSON object a line, for run-tests.mjs.

/** @typedef {{ kind: "pass" | "fail" | "skip" | "note" | "backend", name: string, text: string }} Outcome */
/** @typedef {{ name: string, message?: string, skip?: string | boolean, todo?: string | boolean, details: { type?: string, error?: any } }} Data */

/** @param {AsyncIterable<{ type: string, data: Data }>} events */
export default async function* report(events) {
  for await (const { type, data } of events) {
    const outcome = outcomeOf(type, data);
    if (outcome) yield `${JSON.stringify(outcome)}\n`;
  }
  const { _tfengine } = /** @type {{ _tfengine?: { backendName?: string } }} */ (globalThis); // tfjs keeps it there
  if (_tfengine?.backendName) yield `${JSON.stringify({ kind: "backend", name: "", text: _tfengine.backendName })}\n`;
}

/**
 * @param {string} type
 * @param {Data} data
 * @returns {Outcome | undefined} undefined for what is no case of its own, such as a suite
 */
function outcomeOf(type, { name, message = "", skip, todo, details }) {
  // what went wrong after the last test is told in no other way
  if (type === "test:diagnostic")
    return /^(Warning|Error):/.test(message) ? { kind: "note", name, text: message } : undefined;
  if (type === "test:fail") {
    if (details.error?.failureType === "subtestsFailed") return undefined;
    return { kind: "fail", name, text: errorText(details.error) };
  }
  if (type !== "test:pass" || details.type === "suite") return undefined;
  const reason = [skip, todo].find((value) => value !== undefined);
  if (reason === undefined) return { kind: "pass", name, text: "" };
  return { kind: "skip", name, text: typeof reason === "string" ? reason : "" };
}

/** @param {any} error */
function errorText(error) {
  const cause = error?.cause ?? error;
  const stack = typeof cause?.stack === "string" ? cause.stack : String(cause?.message ?? cause);
  const text = cause?.message && !stack.includes(cause.message) ? `${cause.message}\n${stack}` : stack;
  const isForeign = (/** @type {string} */ line) => /^\s+at .*(node:|node_modules)/.test(line);
  return text
    .split("\n")
    .filter((/** @type {string} */ line) => !isForeign(line))
    .join("\n");
}
