// Test files in one process, one after the other, each as a suite of its name: node --require tsx/cjs run-files.cjs FILE …
const { readFileSync } = require("node:fs");
const { after, describe } = require("node:test");
const { resolve } = require("node:path");

/** Seconds of processors that each file took, for the reporter: others at work on the machine hardly change them. Starting up is the first file's. */
const cpu = new Map();
Object.assign(globalThis, { cpuOfTestFiles: cpu });
let spent = 0;

for (const file of process.argv.slice(2))
  describe(file, () => {
    require(resolve(file));
    after(() => {
      const until = cpuSeconds();
      cpu.set(file, until - spent);
      spent = until;
    });
  });

/** Of this process and, on Linux, of those that it started and that have ended, with theirs. */
function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + ofChildren();
}

function ofChildren() {
  try {
    // behind the name in brackets, which may hold anything, begins the third field
    const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return (Number(fields[13]) + Number(fields[14])) / 100; // cutime and cstime, in ticks of a hundredth
  } catch {
    return 0;
  }
}
