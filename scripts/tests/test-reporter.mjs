// node --test-reporter: what the files of run-files.cjs come to, one JSON object a line, for run-tests.mjs.

/**
 * Of a case: pass, fail or skip. Of the process: note and backend. `file` says that a file has ended,
 * after how many seconds by the clock and of processors.
 * @typedef {{ kind: "pass" | "fail" | "skip" | "note" | "backend" | "file", file: string, name: string, text: string, seconds?: number, cpu?: number }} Outcome
 */
/** @typedef {{ name: string, nesting: number, message?: string, skip?: string | boolean, todo?: string | boolean, details: { type?: string, duration_ms: number, error?: any } }} Data */

/** @param {AsyncIterable<{ type: string, data: Data }>} events */
export default async function* report(events) {
  let file = "";
  const line = (/** @type {Omit<Outcome, "file">} */ outcome) => `${JSON.stringify({ ...outcome, file })}\n`;
  for await (const { type, data } of events) {
    if (type === "test:start" && data.nesting === 0) file = data.name;
    const outcome = outcomeOf(type, data);
    if (outcome) yield line(outcome);
    if (/^test:(pass|fail)$/.test(type) && data.nesting === 0)
      yield line({ kind: "file", name: "", text: "", seconds: data.details.duration_ms / 1000, cpu: cpuOf(file) });
  }
  const { _tfengine } = /** @type {{ _tfengine?: { backendName?: string } }} */ (globalThis); // tfjs keeps it there
  if (_tfengine?.backendName) yield line({ kind: "backend", name: "", text: _tfengine.backendName });
}

/** @param {string} file @returns {number | undefined} undefined of one without cases */
function cpuOf(file) {
  return /** @type {{ cpuOfTestFiles?: Map<string, number> }} */ (globalThis).cpuOfTestFiles?.get(file);
}

/**
 * @param {string} type
 * @param {Data} data
 * @returns {Omit<Outcome, "file"> | undefined} undefined for what is no case of its own, such as a suite
 */
function outcomeOf(type, { name, message = "", skip, todo, details }) {
  // what went wrong after the last test is told in no other way
  if (type === "test:diagnostic")
    return /^(Warning|Error):/.test(message) ? { kind: "note", name, text: message } : undefined;
  if (type === "test:fail") {
    // told by the suite's other cases, or by the suite itself
    if (["subtestsFailed", "cancelledByParent"].includes(details.error?.failureType)) return undefined;
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
