// tslab compiles with a builder that works out anew for every cell which of hundreds of declaration files knows which: nearly half of a cell's compiling. What it asks for is less.

/** @typedef {typeof import("@tslab/typescript-for-tslab")} Compiler */

/**
 * The compiler, whose watching keeps no such book: a file's dependencies are looked up when they are asked for.
 * @param {Compiler} ts
 * @returns {Compiler}
 */
function lightBuilder(ts) {
  const { bindSourceFile } = /** @type {any} */ (ts); // internal
  const createProgram = (/** @type {any[]} */ ...given) => {
    const builder = /** @type {any} */ (ts.createAbstractBuilder)(...given);
    const program = builder.getProgram();
    // finds out which names a cell declares; for that alone tslab has a program made, which needs no type checker
    for (const name of program.getRootFileNames())
      bindSourceFile(program.getSourceFile(name), program.getCompilerOptions());
    builder.getAllDependencies = (/** @type {object} */ file) => dependencies(builder.getProgram(), file);
    return builder;
  };
  const createWatchCompilerHost = (
    /** @type {any[]} */ files,
    /** @type {any[]} */ options,
    /** @type {any[]} */ sys,
    /** @type {any[]} */ _,
    /** @type {any[]} */ ...rest
  ) => /** @type {any} */ (ts.createWatchCompilerHost)(files, options, sys, createProgram, ...rest);
  const own = { createWatchCompilerHost: { value: createWatchCompilerHost, enumerable: true } };
  return Object.create(null, { ...Object.getOwnPropertyDescriptors(ts), ...own });
}

/**
 * A file and the source files that it imports, and these; not what declarations import, which is neither checked nor compiled.
 * @param {any} program
 * @param {any} file
 * @returns {string[]} their names
 */
function dependencies(program, file) {
  const checker = program.getTypeChecker();
  const found = new Set([file]);
  for (const { isDeclarationFile, imports } of found) {
    if (isDeclarationFile) continue;
    for (const name of imports ?? [])
      for (const declaration of checker.getSymbolAtLocation(name)?.declarations ?? [])
        found.add(declaration.getSourceFile());
  }
  return [...found].map(({ fileName }) => fileName);
}

module.exports = { lightBuilder };
