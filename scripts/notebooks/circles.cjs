// Modules of one's own may import each other in a circle. tslab keeps a module only once it has run: without this it would begin both anew for ever.
const Module = /** @type {any} */ (require("node:module"));

/** As Node does it: who imports a module that is still running gets what it has exported so far. */
function allowCircles() {
  const { _compile: compile } = Module.prototype;
  /** @type {Map<string, NodeJS.Module>} those of tslab that are running */
  const running = new Map();
  Module.prototype._compile = function (
    /** @type {string} */ code,
    /** @type {string} */ file,
    /** @type {any[]} */ ...rest
  ) {
    const isOwn = Object.hasOwn(this, "require"); // tslab gives its modules one of their own
    if (!isOwn) return compile.call(this, code, file, ...rest);
    const earlier = running.get(file);
    if (earlier) {
      this.exports = earlier.exports;
      return undefined;
    }
    running.set(file, this);
    try {
      return compile.call(this, code, file, ...rest);
    } finally {
      running.delete(file);
    }
  };
}

module.exports = { allowCircles };
