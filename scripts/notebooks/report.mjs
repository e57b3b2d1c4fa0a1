/** @typedef {import("./notebooks.mjs").Result} Result */

/**
 * One line that tells what runs now: kept up to date on a terminal, absent elsewhere.
 * @param {{ write(text: string): unknown, isTTY?: boolean }} stream
 */
export function progressLine(stream = process.stdout) {
  let text = "";
  let since = 0;
  const draw = () => stream.write(`\r\x1b[K${text}  ${Math.round((performance.now() - since) / 1000)} s`);
  const timer = stream.isTTY ? setInterval(() => text && draw(), 1000).unref() : undefined;
  return {
    /** @param {string} what @param {number} [start] when it began, by `performance.now()`; with the process, if not given */
    show(what, start = 0) {
      text = what;
      since = start;
      if (stream.isTTY) draw();
    },
    /**
     * Leaves one finished line behind.
     * @param {string} line
     */
    leave(line) {
      text = "";
      stream.write(stream.isTTY ? `\r\x1b[K${line}\n` : `${line}\n`);
    },
    end() {
      clearInterval(timer);
      if (stream.isTTY) stream.write("\r\x1b[K");
    },
  };
}

/** @param {readonly Result[]} results */
export function table(results) {
  const failed = (/** @type {Result} */ { claims }) => claims.filter((claim) => claim.passed !== true).length;
  const header = ["notebook", "seconds", "figures", "claims checked", "claims failed", ""];
  const rows = results.map((result) => [
    result.name,
    result.seconds.toFixed(1),
    String(result.figures),
    String(result.claims.length),
    String(failed(result)),
    result.problems.length === 0 ? "" : "FAILED",
  ]);
  return alignColumns([header, ...rows]);
}

/**
 * First column to the left, the others to the right.
 * @param {string[][]} rows
 */
function alignColumns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (/** @type {string[]} */ row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))).join("  ");
  const [header, ...body] = rows.map((row) => line(row).trimEnd());
  return [header, "-".repeat(Math.max(...[header, ...body].map((text) => text.length))), ...body].join("\n");
}

/** @param {readonly Result[]} results */
export function problemText(results) {
  return results
    .flatMap(({ name, executed, fault, problems }) =>
      problems.map(
        (text) => `${name}: ${text}${fault?.cell ? `\n\n  The notebook as far as it got: ${executed}` : ""}`,
      ),
    )
    .join("\n\n");
}
