// The tslab kernel, ended with the program that started it: a kernel left behind by a killed runner or JupyterLab would
// go on computing. A worker watches, because a cell can keep the main thread busy for long.
const { Worker } = require("node:worker_threads");

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
require("tslab/dist/main.js").main();
