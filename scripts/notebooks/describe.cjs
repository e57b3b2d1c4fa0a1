// An error as a notebook's reader needs it.
const { inspect } = require("node:util");

/** A frame that is not the reader's own code: of Node, a package, or the kernel's call of the cell. */
const FOREIGN_FRAME =
  /\n *(at .*(node_modules[/\\]|\(node:|at node:|at async node:|scripts[/\\](kernel|lib[/\\]cells)\.cjs).*?|\.\.\. \d+ lines matching .*?)(?= \{$|$)/gm;
/** The line of compiled code that Node puts before the message. */
const EXCERPT = /^[^\n]*:\d+\n[^\n]*\n *\^+\n(.*\n)?\n/;
/** Where the cell was when it was interrupted helps nobody. */
const INTERRUPTED = /^SweepInterrupted |^Error Interrupted asynchronously$|^Error Script execution was interrupted/;

/**
 * The message first, then what of the stack is the reader's.
 * @param {unknown} error
 * @returns {string}
 */
function describe(error) {
  if (error instanceof Error && INTERRUPTED.test(`${error.name} ${error.message}`)) return `${error.message}.`;
  return inspect(error).replace(EXCERPT, "").replace(FOREIGN_FRAME, "");
}

module.exports = { describe };
