import { existsSync, readFileSync } from "node:fs";
import { Problem } from "../../src/load/problem.mjs";

export { Problem };

/** @typedef {"debian" | "fedora" | "mac" | "windows"} System */

/** @type {Record<System, string>} */
const SYSTEM_NAMES = { debian: "Debian/Ubuntu", fedora: "Fedora", mac: "macOS", windows: "Windows" };

/**
 * The systems whose advice fits this machine: one, or both Linux families where the family is unknown.
 * @returns {System[]}
 */
export function systems(platform = process.platform, osRelease = readOsRelease()) {
  if (platform === "darwin") return ["mac"];
  if (platform === "win32") return ["windows"];
  const family = osRelease.match(/^ID(?:_LIKE)?=.*$/gm)?.join(" ") ?? "";
  if (/debian|ubuntu/.test(family)) return ["debian"];
  if (/fedora|rhel|centos/.test(family)) return ["fedora"];
  return ["debian", "fedora"];
}

function readOsRelease() {
  return existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
}

/**
 * @param {string} what the fault, in one sentence
 * @param {Record<System, string>} advice what to do, per system
 * @param {System[]} [here]
 */
export function problem(what, advice, here = systems()) {
  const lines = here.map((system) => `  ${SYSTEM_NAMES[system]}:  ${advice[system]}`);
  return new Problem([what, ...lines, "Then run the command again; it goes on where it stopped."].join("\n"));
}

/**
 * A command's options as `parse` reads them; what is wrong with them is said with how the command is called.
 * @template T
 * @param {string} usage
 * @param {() => T} parse
 * @returns {T}
 */
export function orUsage(usage, parse) {
  try {
    return parse();
  } catch (error) {
    throw new Problem(`${/** @type {Error} */ (error).message}\n\n${usage}`);
  }
}

/** Why a file can't be written, by the code of the system's error. @type {Record<string, string>} */
const WRITE_FAULTS = {
  EACCES: "this user may not do that",
  EPERM: "this user may not do that",
  EROFS: "it lies on something that can only be read",
  ENOSPC: "the disk is full",
  EDQUOT: "this user's share of the disk is full",
};

/**
 * What a command says when it fails: a problem's own message, words for a place that can't be written, else all there is.
 * @param {unknown} error
 */
export function inWords(error) {
  if (error instanceof Problem) return `\n${error.message}`;
  const { code = "", path, dest, syscall } = /** @type {NodeJS.ErrnoException & { dest?: string }} */ (error ?? {});
  if (!Object.hasOwn(WRITE_FAULTS, code) || !(path ?? syscall)) return error;
  return `\n${dest ?? path ?? "A file"} can not be ${syscall === "open" || syscall === "read" ? "opened" : "written"}: ${WRITE_FAULTS[code]} (${code}). The project writes into its own folder, and results to out/ or --out: give this user the right to, or copy the project to where they have it.`;
}

/** Faults that installers report in their output, the first match tells. */
const KNOWN_FAULTS = [
  {
    sign: /^ended after .* minutes$/m,
    say: "It took too long and was ended. If the network is slow or a server does not answer, try again later.",
  },
  {
    sign: /^ended from outside by SIG/m,
    say: "Something ended it from outside: somebody, or the system because memory ran out. Run the command again.",
  },
  {
    sign: /ENOSPC|No space left on device|not enough space on the disk/i,
    say: "The disk is full. Free about 2 GB (for example `npm cache clean --force`, `pip cache purge`), then run the command again.",
  },
  {
    sign: /EUSAGE|can only install packages when your package\.json and package-lock\.json/,
    say: "package.json and package-lock.json do not fit together. Undo local changes to them (`git checkout package.json package-lock.json`), or, if a package was added on purpose, run `npm install` to bring the lockfile up to date.",
  },
  {
    sign: /EINTEGRITY|do not match the hashes/,
    say: "A downloaded package is not the one that the lockfile names. Clear the cache (`npm cache clean --force`, `pip cache purge`) and run the command again; if it stays, something between here and the registry changes files.",
  },
  {
    sign: /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|NewConnectionError|Temporary failure in name resolution|Failed to establish a new connection|ReadTimeoutError|ConnectTimeoutError|Network is unreachable/,
    say: "The package registry can not be reached. Check the network and, behind a proxy, `npm config get proxy`, `https-proxy` and the HTTPS_PROXY variable. Then run the command again; what is in the caches is not downloaded twice.",
  },
  {
    sign: /SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT|CERTIFICATE_VERIFY_FAILED/,
    say: "The registry's certificate is not trusted here (often a company proxy). Point npm at its certificate (`npm config set cafile FILE`) and pip too (`PIP_CERT=FILE`), then run the command again.",
  },
  {
    sign: /No matching distribution found|Could not find a version that satisfies/,
    say: "A pinned Python package is not to be had for this Python. Use a released CPython from 3.9 to 3.14 (`PYTHON=python3.12 npm start`).",
  },
  {
    sign: /EACCES|EPERM|Permission denied/,
    say: "A file can not be written. Check who owns the project's folder and the npm cache (`npm config get cache`), and that no other program holds them open.",
  },
];

/**
 * @param {string} what which step failed
 * @param {string} output what the installer printed
 * @param {string} log where all of it can be read
 */
export function installFault(what, output, log) {
  const known = KNOWN_FAULTS.find(({ sign }) => sign.test(output));
  const tail = output.trimEnd().split("\n").slice(-12).join("\n  ");
  const advice = known?.say ?? "The last lines below say why. Run the command again once that is mended.";
  return new Problem(`${what} failed. ${advice}\n\n  ${tail}\n\nAll of its output: ${log}`);
}
