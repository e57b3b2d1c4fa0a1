import { HubError } from "./problem";
import type { Answer } from "./request";

/** What was asked for: `file` of `repo` at `revision`. */
export interface Wanted {
  readonly endpoint: string;
  readonly repo: string;
  readonly revision: string;
  readonly file: string;
  /** Whether a token was sent. */
  readonly hasToken: boolean;
}

/** Throws HubError in words, unless the answer is a good one. */
export function checkAnswer({ status, headers, origin }: Answer, wanted: Wanted): void {
  const { endpoint, repo, revision, file, hasToken } = wanted;
  const page = `${endpoint}/${repo}`;
  if (status === 200 || status === 206) checkKind(headers["content-type"], wanted);
  if (status < 400) return;
  if (origin !== new URL(endpoint).origin)
    throw new HubError(`${origin}, to which ${endpoint} sends for ${file} of ${repo}, answered ${status}`);
  const code = headers["x-error-code"];
  if (code === "GatedRepo" || status === 403)
    throw new HubError(
      hasToken
        ? `${repo} may not be read with this token (${status}): accept its conditions on ${page}, and use a token that may read it`
        : `${repo} is gated (${status}): accept its conditions on ${page}, and set HF_TOKEN`,
    );
  if (status === 401)
    throw new HubError(
      hasToken
        ? `${endpoint} does not accept the token (401), or ${repo} is private or does not exist: check HF_TOKEN, or the token that \`hf auth login\` has stored`
        : `${repo} is private or does not exist (401): check its name, or set HF_TOKEN`,
    );
  if (status === 404 && code === "RevisionNotFound")
    throw new HubError(`${repo} has no revision "${revision}" (404); ${page} lists its branches, tags and commits`);
  if (status === 404 && code === "EntryNotFound")
    throw new HubError(`${repo} at ${revision} has no file ${file} (404): ${page}/tree/${revision} lists its files`);
  if (status === 404)
    throw new HubError(
      `${endpoint} has no model "${repo}", or none with ${file} at ${revision} (404): check the name; a local folder needs a config.json`,
    );
  throw new HubError(`${endpoint} answered ${status} when asked for ${file} of ${repo} at ${revision}`);
}

/** A login page of a network, or a web server that is no hub, answers 200 to everything. */
function checkKind(type: string | undefined, { endpoint, file }: Wanted): void {
  if (type?.startsWith("text/html"))
    throw new HubError(
      `a web page came instead of ${file}: ${endpoint} is no hub, or something stands before it, such as a proxy or a network that asks to log in`,
    );
}

/** Whether the repository has no such file, though it is there itself. A mirror may not say which of both is missing. */
export const isNoEntry = ({ status, headers }: Answer, isRepoKnown: boolean): boolean =>
  status === 404 && (headers["x-error-code"] === "EntryNotFound" || (isRepoKnown && !headers["x-error-code"]));
