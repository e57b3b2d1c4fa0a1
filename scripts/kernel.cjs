// The tslab kernel, with two changes.
const { Worker } = require("node:worker_threads");
const converter = require("tslab/dist/converter.js");
const { spellOut } = require("./lib/shorthand.cjs");

// It ends with the program that started it: a kernel left behind by a killed runner or JupyterLab would go on computing.
// A worker watches, because a cell can keep the main thread busy for long.
const watch = `
  const { workerData: parent } = require("node:worker_threads");
  setInterval(() => {
    try {
      process.kill(parent, 0);
    } catch (error) {
      if (error.code === "ESRCH") process.kill(process.pid, "SIGKILL");
    }
  }, 1000);
`;

new Worker(watch, { eval: true, workerData: process.ppid, execArgv: [] }).unref();

// It compiles a cell with its shorthand properties spelt out.
const { createConverter } = converter;
converter.createConverter = (options) => {
  const made = createConverter(options);
  return { ...made, convert: (before, cell) => made.convert(before, spellOut(cell)) };
};
require("tslab/dist/main.js").main();
