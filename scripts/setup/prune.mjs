import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

// Nothing that could run here is taken away: other systems' binaries, and the source maps of bundles that Node never loads
// (those of *.node.js stay, by them an error inside tfjs names its line).

/** Folders that hold PLATFORM/ARCH/, and a scope of which only some source maps are of use. */
export const RULES = {
  binaries: ["onnxruntime-node/bin/napi-v6", "zeromq/build"],
  maps: { scope: "@tensorflow", kept: ".node.js.map" },
};

/**
 * Takes away what is installed for other systems and browsers.
 * @param {string} nodeModules
 * @param {{ platform?: string, arch?: string }} [here]
 */
export function prune(nodeModules, { platform = process.platform, arch = process.arch } = {}) {
  for (const binaries of RULES.binaries.map((folder) => join(nodeModules, folder))) {
    for (const other of foldersIn(binaries)) {
      if (other !== platform) remove(join(binaries, other));
      else for (const kind of foldersIn(join(binaries, other))) if (kind !== arch) remove(join(binaries, other, kind));
    }
  }
  const { scope, kept } = RULES.maps;
  for (const name of foldersIn(join(nodeModules, scope))) {
    const dist = join(nodeModules, scope, name, "dist");
    const files = existsSync(dist) ? readdirSync(dist, { recursive: true, encoding: "utf8" }) : [];
    for (const file of files) if (file.endsWith(".map") && !file.endsWith(kept)) remove(join(dist, file));
  }
}

/** Real folders only: what a link points to is not npm's. @param {string} folder */
function foldersIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** @param {string} path */
function remove(path) {
  rmSync(path, { recursive: true, force: true });
}
