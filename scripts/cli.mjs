// The one entry of the project's commands: node scripts/cli.mjs setup | start | save | lab | lessons | slides | fetch | validate | test | native | sweep.
// It runs before anything is installed, so it imports nothing but Node's own modules, and the commands
// only once the Node version is known to be able to read them.
import { checkNode } from "./setup/node-version.mjs";

/** @type {Record<string, string>} */
const commands = {
  setup: "./commands/setup.mjs",
  start: "./commands/start.mjs",
  save: "./commands/save.mjs",
  lab: "./commands/lab.mjs",
  lessons: "./commands/lessons.mjs",
  slides: "./commands/slides.mjs",
  fetch: "./commands/fetch.mjs",
  validate: "./commands/validate.mjs",
  test: "./commands/test.mjs",
  native: "./commands/native.mjs",
  sweep: "./commands/sweep.mjs",
};

const tooOld = checkNode(process.versions.node);
if (tooOld) {
  console.error(tooOld);
  process.exit(1);
}

const [name, ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, name ?? "")) {
  console.error(`There is no command "${name ?? ""}". Commands: ${Object.keys(commands).join(", ")}.`);
  process.exit(2);
}

try {
  const { endWithNpm } = await import("./setup/with-npm.mjs");
  endWithNpm();
  const { main } = await import(commands[name]);
  process.exitCode = await main(args);
} catch (error) {
  const { inWords } = await import("./setup/problem.mjs");
  console.error(inWords(error));
  process.exitCode = 1;
}
