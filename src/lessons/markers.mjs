// A solution in a cell, between the two lines that nbgrader looks for, as comments of TypeScript or HTML (in markdown).
// Plain JavaScript: the commands that make students' copies read it, too.

/** What a student finds in a solution's place. nbgrader writes the same with docs/lessons.md's settings. */
export const STUB = { code: "// YOUR CODE HERE", markdown: "YOUR ANSWER HERE" };

const BEGIN = "BEGIN SOLUTION";
const END = "END SOLUTION";

/**
 * The cell's text as a student gets it: each solution replaced by `stub`, which is indented as the solution's first line.
 * @param {string} text
 * @param {string} stub
 * Throws Error if a solution doesn't end, or begins inside another
 */
export function withoutSolution(text, stub) {
  return split(text)
    .flatMap(({ begin, lines }) => (begin === undefined ? lines : [/^\s*/.exec(begin)?.[0] + stub]))
    .join("\n");
}

/**
 * The lines between the markers; "" if there are none.
 * @param {string} text
 * Throws Error as `withoutSolution` does
 */
export function solutionIn(text) {
  const parts = split(text).filter(({ begin }) => begin !== undefined);
  return parts.map(({ lines }) => lines.join("\n")).join("\n");
}

/**
 * A text in parts, in their order: those with a `begin` are solutions.
 * @param {string} text
 */
function split(text) {
  /** @type {{ begin?: string, lines: string[] }[]} */
  const parts = [{ lines: [] }];
  for (const line of text.split("\n")) {
    const inside = parts.at(-1)?.begin !== undefined;
    if (line.includes(BEGIN)) {
      if (inside) throw new Error(`a solution begins inside another: ${line.trim()}`);
      parts.push({ begin: line, lines: [] });
    } else if (line.includes(END)) {
      if (!inside) throw new Error(`a solution ends that has not begun: ${line.trim()}`);
      parts.push({ lines: [] });
    } else parts.at(-1)?.lines.push(line);
  }
  if (parts.at(-1)?.begin !== undefined) throw new Error(`a solution has no ${END}`);
  return parts;
}
