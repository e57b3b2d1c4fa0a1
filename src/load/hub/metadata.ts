import type { HubModel } from "./cache";
import { isCommit } from "./cache";
import { isDigest } from "./digest";
import { HubError } from "./problem";
import { checkAnswer, isNoEntry, type Wanted } from "./refusal";
import { type Answer, ask } from "./request";
import { retrying, type Session } from "./session";

/** What the hub says about a file before it is fetched. */
export interface Metadata {
  readonly file: string;
  /** The commit that the revision stands for. */
  readonly commit: string;
  /** Bytes. */
  readonly size: number;
  /** sha256 or git's sha1. */
  readonly digest: string;
}

/** A file's address. */
export const fileUrl = ({ endpoint, repo, revision, file }: Wanted): string =>
  `${endpoint}/${repo}/resolve/${encodeURIComponent(revision)}/${file}`;

export const wantedFile = ({ settings }: Session, { repo, revision }: HubModel, file: string): Wanted => ({
  endpoint: settings.endpoint,
  repo,
  revision,
  file,
  hasToken: settings.token !== undefined,
});

/**
 * Asks the hub about a file.
 * Throws HubError if the hub refuses, or answers unlike a hub.
 * @returns undefined if the repository, which is known to be there, has no such file
 */
export async function metadata(session: Session, model: HubModel, file: string): Promise<Metadata | undefined> {
  const wanted = wantedFile(session, model, file);
  const answer = await retrying(session, () => ask(session, { method: "HEAD", url: fileUrl(wanted) }));
  answer.body.resume();
  if (isNoEntry(answer, file !== "config.json")) return undefined; // config.json is asked for first
  checkAnswer(answer, wanted);
  return readHeaders(answer, wanted);
}

function readHeaders({ status, headers }: Answer, { endpoint, repo, revision, file }: Wanted): Metadata {
  const commit = headers["x-repo-commit"] ?? "";
  // the size of a redirect's own text is not the file's
  const size = Number(headers["x-linked-size"] ?? (status === 200 ? headers["content-length"] : undefined));
  const digest = (headers["x-linked-etag"] ?? headers.etag ?? "").replace(/^W\//, "").replaceAll('"', "");
  if (!isCommit(commit) || !Number.isSafeInteger(size) || !isDigest(digest))
    throw new HubError(
      `${endpoint} does not answer as a model hub does (no commit, size and hash of ${file} in ${repo}): check HF_ENDPOINT and the proxy`,
    );
  if (isCommit(revision) && commit !== revision)
    throw new HubError(`${endpoint} answered with commit ${commit} of ${repo} when asked for ${revision}`);
  return { file, commit, size, digest };
}
