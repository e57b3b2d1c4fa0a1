// Test files in one process, one after the other, each as a suite of its name: node --import tsx run-files.cjs FILE …
const { describe } = require("node:test");
const { resolve } = require("node:path");

for (const file of process.argv.slice(2)) describe(file, () => require(resolve(file)));
