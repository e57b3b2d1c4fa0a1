import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  cachedSnapshot,
  type HubModel,
  isCommit,
  lockFile,
  MODEL_FILES,
  putIntoSnapshot,
  repoFolder,
  writeRef,
} from "./cache";
import { download } from "./download";
import { pinnedDigest } from "./ids";
import { fileUrl, metadata, wantedFile } from "./metadata";
import { diskProblem, HubError } from "./problem";
import { checkAnswer } from "./refusal";
import { inSession, type Session, waiting } from "./session";
import { type HubSettings, hubSettings } from "./settings";

/**
 * The folder of a model of the hub. What is in Hugging Face's cache is used; the rest is fetched. A commit whose files
 * are there needs no connection; for a branch or tag the hub is asked whether it has moved, unless it can't be reached.
 * @throws HubError if it can't be had; says why and what to do
 */
export async function fetchModel(model: HubModel, settings: HubSettings = hubSettings()): Promise<string> {
  const cached = cachedSnapshot(settings, model);
  if (settings.offline) {
    if (cached) return cached;
    throw offlineProblem(model, settings);
  }
  return inSession(settings, async (session) => {
    try {
      const commit = await commitOf(session, model);
      return cached && path.basename(cached) === commit ? cached : await fetchCommit(session, model, commit);
    } catch (error) {
      if (!cached || !(error instanceof HubError) || !error.transient) throw error;
      settings.say(`${error.message}. The ${model.repo} that was ${model.revision} when it was fetched is used`);
      return cached;
    }
  });
}

const offlineProblem = ({ repo, revision }: HubModel, { cache }: HubSettings) =>
  new HubError(
    `${repo} at ${revision} is not in ${cache}, and HF_HUB_OFFLINE forbids to fetch it: unset it and run npm run fetch -- ${repo}@${revision}`,
  );

async function commitOf(session: Session, model: HubModel): Promise<string> {
  return isCommit(model.revision) ? model.revision : (await metadata(session, model, MODEL_FILES[0])).commit;
}

/** One process fetches; others wait and find it done. */
async function fetchCommit(session: Session, model: HubModel, commit: string): Promise<string> {
  const { settings } = session;
  const exact = { ...model, revision: commit };
  const snapshot = path.join(repoFolder(settings, model.repo), "snapshots", commit);
  const fetchAll = async () => {
    if (!cachedSnapshot(settings, exact)) for (const names of MODEL_FILES) await fetchFile(session, exact, names);
    writeRef(settings, model, commit);
  };
  const { withLock } = await import("../lock.mjs");
  try {
    await withLock(lockFile(settings, model.repo), fetchAll, waiting(session, `fetching ${model.repo}`));
    return snapshot;
  } catch (error) {
    throw diskProblem(error, settings.cache, "let HF_HOME name another folder");
  }
}

/** Brings the first of these files that the repository has into the snapshot. */
async function fetchFile(session: Session, model: HubModel, names: readonly string[]): Promise<void> {
  const { settings } = session;
  const snapshot = path.join(repoFolder(settings, model.repo), "snapshots", model.revision);
  if (names.some((name) => existsSync(path.join(snapshot, name)))) return;
  const { file, size, digest } = await metadata(session, model, names);
  const pinned = pinnedDigest(model, file);
  if (pinned !== undefined && pinned !== digest)
    throw new HubError(
      `${settings.endpoint} has another ${file} of ${model.repo}: its hash is ${digest}, not ${pinned}`,
    );
  const wanted = wantedFile(session, model, file);
  const blob = path.join(repoFolder(settings, model.repo), "blobs", digest);
  const check = (answer: Parameters<typeof checkAnswer>[0]) => checkAnswer(answer, wanted);
  await download(session, { url: fileUrl(wanted), target: blob, size, digest, label: `${model.repo} ${file}`, check });
  if (file === "config.json") checkArchitecture(blob, model);
  putIntoSnapshot(settings, blob, path.join(snapshot, file));
}

/** Before half a gigabyte is fetched for nothing. Everything else is checked when the model is loaded. */
function checkArchitecture(config: string, { repo }: HubModel): void {
  const { model_type = "gpt2" } = JSON.parse(readFileSync(config, "utf8"));
  if (model_type !== "gpt2")
    throw new HubError(`${repo} is a model of the type ${JSON.stringify(model_type)}; only "gpt2" is supported`);
}
