import { readFileSync } from "node:fs";
import path from "node:path";
import { statOf } from "../files";
import { sha256 as hashOf } from "../sha256";
import { download } from "./download";
import { diskProblem, HubError } from "./problem";
import type { Answer } from "./request";
import { inSession, type Session, waiting } from "./session";
import { type HubSettings, hubSettings } from "./settings";

/** In place of a file's path: the prompts of the paper's own repository. */
export const OFFICIAL_PROMPTS = "official";

/** One state of a file of the paper's repository. */
interface PublishedFile {
  readonly commit: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

const PROMPTS: PublishedFile = {
  commit: "3b5802be97a0a763b6cd40fe4be02df15a38e24a",
  name: "acronyms_2_common.txt",
  bytes: 344_790,
  sha256: "6b546d116e347fb653af3f325d73048629190caffd34e7e6440455ad4ff3711a",
};

/** Where the official prompts lie once they are fetched: beside Hugging Face's cache, which has no place for them. */
const pathOf = ({ home }: HubSettings, { commit, name }: PublishedFile) =>
  path.join(home, "acronym-circuit", commit, name);

/**
 * Fetches the official prompts (11,000 lines, 345 kB) unless they are there.
 * Throws HubError if they can't be had; says why and what to do.
 * @returns their path
 */
export async function fetchOfficialPrompts(settings = hubSettings(), prompts = PROMPTS): Promise<string> {
  const target = pathOf(settings, prompts);
  if (isWhole(target, prompts)) return target;
  if (settings.offline)
    throw notThere(target, "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to fetch them: unset it and ");
  const url = `${settings.promptsEndpoint}/${prompts.commit}/${prompts.name}`;
  const { name: label, bytes: size, sha256: digest } = prompts;
  const check = (answer: Answer) => checkKind(answer, url);
  const fetchIt = (session: Session) => download(session, { url, target, size, digest, label, check });
  const { withLock } = await import("../lock.mjs");
  try {
    await inSession(settings, (session) =>
      withLock(
        `${target}.lock`,
        (checkLock) => fetchIt({ ...session, checkLock }),
        waiting(session, "fetching the official prompts"),
      ),
    );
    return target;
  } catch (error) {
    throw diskProblem(error, settings.home, "let HF_HOME name another folder");
  }
}

/** The official prompts' text. Throws HubError if they haven't been fetched; says how to. */
export function readOfficialPrompts(settings = hubSettings(), prompts = PROMPTS): string {
  const file = pathOf(settings, prompts);
  if (!isWhole(file, prompts)) throw notThere(file, "");
  return readFileSync(file, "utf8");
}

/** The same rows from another one on; past the end it goes on at the beginning. */
export function startingAt<T>(rows: readonly T[], start: number): T[] {
  const from = ((start % rows.length) + rows.length) % rows.length;
  return [...rows.slice(from), ...rows.slice(0, from)];
}

const isWhole = (file: string, { bytes, sha256 }: PublishedFile) =>
  statOf(file)?.isFile() === true && statOf(file)?.size === bytes && hashOf(readFileSync(file)) === sha256;

const notThere = (file: string, reason: string) =>
  new HubError(
    `the official prompts are not at ${file}, or not as they were published; ${reason}run npm run fetch -- official-prompts`,
  );

function checkKind({ status, headers }: Answer, url: string): void {
  const type = headers["content-type"] ?? "";
  if (![200, 206].includes(status) || type.startsWith("text/html"))
    throw new HubError(
      `${url} answered ${status} (${type}) and not with the prompts: check ACRONYM_PROMPTS_ENDPOINT and the proxy`,
    );
}
