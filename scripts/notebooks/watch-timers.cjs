// tslab keeps one timer of its compiler's, that of the next compilation, and stops with "Unexpected pending rebuildTimer" at a second one.

/**
 * The compiler, which does at once what else it would set a timer for: looking again for what it has not found, after files came.
 * @param {typeof import("@tslab/typescript-for-tslab")} ts
 * @returns {typeof import("@tslab/typescript-for-tslab")}
 */
function oneTimer(ts) {
  const createWatchCompilerHost = (/** @type {any[]} */ ...given) => {
    const host = /** @type {any} */ (ts.createWatchCompilerHost)(...given);
    const { setTimeout } = host;
    host.setTimeout = (/** @type {() => void} */ callback, /** @type {any[]} */ ...rest) => {
      if (callback.name === "invalidateResolutionsOfFailedLookup") return callback();
      return setTimeout(callback, ...rest);
    };
    return host;
  };
  const own = { createWatchCompilerHost: { value: createWatchCompilerHost, enumerable: true } };
  return Object.create(null, { ...Object.getOwnPropertyDescriptors(ts), ...own });
}

module.exports = { oneTimer };
