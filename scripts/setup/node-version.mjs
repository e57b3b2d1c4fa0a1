// Must parse on any Node that knows ES modules: no recent syntax here.

/** The oldest Node that can run the project (`--import`, module hooks). */
const OLDEST_NODE = "20.10.0";

/**
 * @param {string} version as in `process.versions.node`
 * @returns {string | undefined} what to tell the user if it is too old
 */
export function checkNode(version) {
  const here = version.split(".").map(Number);
  const oldest = OLDEST_NODE.split(".").map(Number);
  const enough = here[0] > oldest[0] || (here[0] === oldest[0] && here[1] >= oldest[1]);
  if (enough) return undefined;
  return [
    `Node ${version} is too old: Node ${OLDEST_NODE} or later is needed (20, 22 and 24 are tested).`,
    "  any system:     https://nodejs.org (LTS), or with nvm:  nvm install 22 && nvm use 22",
    "  macOS:          brew install node@22",
    "  Windows:        winget install OpenJS.NodeJS.LTS",
    "Then run the command again.",
  ].join("\n");
}
