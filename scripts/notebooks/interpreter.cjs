// tslab as the kernel needs it: it compiles cells so that errors can be placed, and runs them so that none is lost. Loaded before anything else of tslab.
const { CellLines } = require("./cell-lines.cjs");
const { allowCircles } = require("./circles.cjs");
const { oneTimer } = require("./watch-timers.cjs");
const { lightBuilder } = require("./light-builder.cjs");

// Before tslab loads its compiler: it compiles so that the line of a cell is known where an error happens, and while files come and go.
const lines = new CellLines();
const compiler = require.resolve("@tslab/typescript-for-tslab");
const typescript = require(compiler);
/** @type {NodeJS.Module} */ (require.cache[compiler]).exports = oneTimer(lightBuilder(lines.keepMaps(typescript)));

const converter = require("tslab/dist/converter.js");
const executor = require("tslab/dist/executor.js");
const { Cells } = require("./cells.cjs");
const { completeText } = require("./completions.cjs");
const { inLibraryWords } = require("./library-words.cjs");
const { spellOut } = require("./shorthand.cjs");

// It compiles a cell with its shorthand properties spelt out, and speaks of the cell's own lines. It completes whole texts.
const cells = new Cells(lines);
const { createConverter } = converter;
converter.createConverter = (options) => {
  const made = createConverter(options);
  return {
    ...made,
    convert: (before, cell) => {
      const spelt = spellOut(cell);
      const { output, diagnostics, ...rest } = made.convert(before, spelt);
      const compiled = output && lines.name(cells.count, cell, output);
      return { ...rest, output: compiled, diagnostics: inLibraryWords(spelt, diagnostics) };
    },
    complete: (before, cell, cursor) => completeText(cell, cursor, made.complete(before, cell, cursor)),
  };
};

allowCircles();
executor.createExecutor = cells.wrap(executor.createExecutor);

module.exports = { cells, converter, executor };
