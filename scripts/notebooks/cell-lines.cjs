// Where in its cells an error happened: tslab compiles a cell twice and keeps no map of the way.
const { SourceMap } = require("node:module");

/** @typedef {{ cell: number, line: number, text: string }} Place a line of a cell, counted from 1, and what it says */

/** How a stack names compiled cells: `cell-5:12:7`. */
const COMPILED = /\bcell-(\d+):(\d+):(\d+)\)?$/;
const MAP = /\n?\/\/# sourceMappingURL=(?:data:application\/json;base64,)?(\S*)\s*$/;
const LONGEST = 100;

class CellLines {
  /** By compiled text, until its cell is known: from TypeScript to modules, and from those to what runs. @type {Map<string, SourceMap[]>} */
  #maps = new Map();
  /** @type {Map<number, { source: string, lines: number, maps: SourceMap[] }>} */
  #cells = new Map();

  /**
   * The compiler, which keeps maps of what tslab compiles with it. Of global types it reads Node's: all that lie in node_modules/@types
   * would be 130 files more for every kernel; those of a package are found when it is imported.
   * @param {typeof import("@tslab/typescript-for-tslab")} ts
   */
  keepMaps(ts) {
    // one of two overloads
    const createWatchCompilerHost = (
      /** @type {any} */ files,
      /** @type {any} */ options,
      /** @type {any[]} */ ...rest
    ) =>
      /** @type {any} */ (ts.createWatchCompilerHost)(
        files,
        { ...options, inlineSourceMap: true, types: ["node"] },
        ...rest,
      );
    /** @type {typeof ts.transpileModule} */
    const transpileModule = (input, options) => {
      const compilerOptions = { ...options.compilerOptions, sourceMap: true };
      const made = ts.transpileModule(input.replace(MAP, ""), { ...options, compilerOptions });
      const outputText = made.outputText.replace(MAP, "");
      const first = Buffer.from(MAP.exec(input)?.[1] ?? "", "base64").toString();
      this.#maps.set(
        outputText,
        [made.sourceMapText ?? "", first].filter(Boolean).map((map) => new SourceMap(JSON.parse(map))),
      );
      return { ...made, outputText };
    };
    const own = {
      createWatchCompilerHost: { value: createWatchCompilerHost, enumerable: true },
      transpileModule: { value: transpileModule, enumerable: true },
    };
    return Object.create(null, { ...Object.getOwnPropertyDescriptors(ts), ...own });
  }

  /**
   * The compiled text under the name by which stacks will call it.
   * @param {number} cell its execution count
   * @param {string} source
   * @param {string} compiled
   */
  name(cell, source, compiled) {
    this.#cells.set(cell, { source, lines: compiled.split("\n").length, maps: this.#maps.get(compiled) ?? [] });
    this.#maps.clear();
    return `${compiled}\n//# sourceURL=cell-${cell}`;
  }

  /**
   * The line of a cell that a frame of a stack means; undefined if it is none of a cell.
   * @param {string} frame
   * @returns {Place | undefined}
   */
  place(frame) {
    const [, cell, line, column] = (COMPILED.exec(frame) ?? []).map(Number);
    const compiled = this.#cells.get(cell);
    if (!compiled || line > compiled.lines) return undefined; // below is only tslab's call of the cell
    const { source, maps } = compiled;
    let at = { line: line - 1, column: column - 1 };
    for (const map of maps) {
      const { originalLine, originalColumn } = /** @type {any} */ (map.findEntry(at.line, at.column));
      if (originalLine === undefined) return undefined;
      at = { line: originalLine, column: originalColumn };
    }
    // tslab puts a line before the cell: what is counted from 0 there is counted from 1 here
    return { cell, line: at.line, text: lineOf(source, at.line) };
  }
}

/** @param {string} source @param {number} line from 1 */
function lineOf(source, line) {
  const text = source.split("\n")[line - 1]?.trim() ?? "";
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

module.exports = { CellLines, lineOf };
