import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { readSettings } from "../config-file";
import { statOf } from "../files";
import { whatIsMissing } from "../folder";
import { TABLES, VOCABULARY_FILES } from "../vocabulary";
import { WEIGHTS, WEIGHTS_INDEX, weightFiles } from "../weight-files";
import {
  absenceNote,
  cachedSnapshot,
  type HubModel,
  isCommit,
  lockFile,
  putIntoSnapshot,
  repoFolder,
  snapshotFolders,
  writeRef,
} from "./cache";
import { download } from "./download";
import { pinnedDigest } from "./ids";
import { fileUrl, type Metadata, metadata, wantedFile } from "./metadata";
import { diskProblem, HubError } from "./problem";
import { checkAnswer } from "./refusal";
import { inSession, type Session, waiting } from "./session";
import { type HubSettings, hubSettings } from "./settings";

/**
 * The folder of a model of the hub. What is in Hugging Face's cache is used; the rest is fetched. A commit whose files
 * are there needs no connection; for a branch or tag the hub is asked whether it has moved, unless it can't be reached.
 * Throws HubError if it can't be had; says why and what to do.
 */
export async function fetchModel(model: HubModel, settings: HubSettings = hubSettings()): Promise<string> {
  const cached = cachedSnapshot(settings, model);
  if (settings.offline) return cached ?? offlineStandIn(model, settings);
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

/** What is in the cache in place of a pinned state that isn't. Throws HubError if nothing is. */
function offlineStandIn(model: HubModel, settings: HubSettings): string {
  const { repo, revision, offline } = model;
  const found = offline && cachedSnapshot(settings, { repo, revision: offline });
  if (!found) throw offlineProblem(model, settings);
  settings.say(
    `${repo} at ${revision}, of which the notebooks speak, is not in the cache; its ${offline}, ${path.basename(found)}, is used`,
  );
  return found;
}

function offlineProblem(model: HubModel, settings: HubSettings): HubError {
  const { repo, revision } = model;
  const begun = snapshotFolders(settings, model).find((folder) => statOf(folder)?.isDirectory());
  const what = begun
    ? `${repo} at ${revision} is not whole: ${whatIsMissing(begun)}.`
    : `${repo} at ${revision} is not in ${settings.cache}, and`;
  return new HubError(
    `${what} HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to fetch it: unset it and run npm run fetch -- ${repo}@${revision}`,
  );
}

async function commitOf(session: Session, model: HubModel): Promise<string> {
  return isCommit(model.revision) ? model.revision : (await required(session, model, "config.json")).commit;
}

/** One process fetches; others wait and find it done. */
async function fetchCommit(session: Session, model: HubModel, commit: string): Promise<string> {
  const { settings } = session;
  const exact = { ...model, revision: commit };
  const snapshot = snapshotOf(session, exact);
  const fetchAll = async (checkLock: () => void) => {
    if (!cachedSnapshot(settings, exact)) await fetchFiles({ ...session, checkLock }, exact);
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

const snapshotOf = ({ settings }: Session, { repo, revision }: HubModel) =>
  path.join(repoFolder(settings, repo), "snapshots", revision);

/** Small files first: what they say decides whether the weights are wanted. */
async function fetchFiles(session: Session, model: HubModel): Promise<void> {
  const snapshot = snapshotOf(session, model);
  const fetchIt = (file: string) => fetchFile(session, model, file);
  if (!(await fetchIt("config.json"))) throw absent(session, model, "config.json");
  checkArchitecture(snapshot, model);
  let hasTable = false;
  for (const file of VOCABULARY_FILES)
    if ((await fetchIt(file)) && TABLES.some((table) => table === file)) hasTable = true;
  if (!hasTable) throw absent(session, model, ...TABLES);
  if (await fetchIt(WEIGHTS)) return;
  if (!(await fetchIt(WEIGHTS_INDEX))) throw absent(session, model, WEIGHTS, WEIGHTS_INDEX);
  for (const part of inWords(model, () => weightFiles(snapshot)))
    if (!(await fetchIt(part))) throw absent(session, model, part);
}

/** Brings a file into the snapshot. @returns false if the repository has none of this name */
async function fetchFile(session: Session, model: HubModel, file: string): Promise<boolean> {
  const { settings } = session;
  const place = path.join(snapshotOf(session, model), file);
  if (statOf(place)) return true;
  const note = absenceNote(settings, model, file);
  if (statOf(note)) return false;
  const known = await metadata(session, model, file);
  if (known) await fetchKnown(session, model, known, place);
  else {
    mkdirSync(path.dirname(note), { recursive: true });
    writeFileSync(note, "");
  }
  return known !== undefined;
}

async function fetchKnown(session: Session, model: HubModel, known: Metadata, place: string): Promise<void> {
  const { settings } = session;
  const { file, size, digest } = known;
  const pinned = pinnedDigest(model, file);
  if (pinned !== undefined && pinned !== digest)
    throw new HubError(
      `${settings.endpoint} has another ${file} of ${model.repo}: its hash is ${digest}, not ${pinned}`,
    );
  const wanted = wantedFile(session, model, file);
  const blob = path.join(repoFolder(settings, model.repo), "blobs", digest);
  const check = (answer: Parameters<typeof checkAnswer>[0]) => checkAnswer(answer, wanted);
  await download(session, { url: fileUrl(wanted), target: blob, size, digest, label: `${model.repo} ${file}`, check });
  putIntoSnapshot(settings, blob, place);
}

async function required(session: Session, model: HubModel, file: string): Promise<Metadata> {
  const known = await metadata(session, model, file);
  if (!known) throw absent(session, model, file);
  return known;
}

const absent = ({ settings }: Session, { repo, revision }: HubModel, ...files: string[]) =>
  new HubError(
    `${repo} at ${revision} has no file ${files.join(" nor ")} (404): ${settings.endpoint}/${repo}/tree/${revision} lists its files`,
  );

/** Before half a gigabyte is fetched for nothing. Everything else is checked when the model is loaded. */
function checkArchitecture(snapshot: string, model: HubModel): void {
  const { model_type = "gpt2" } = inWords(model, () => readSettings(path.join(snapshot, "config.json")));
  if (model_type !== "gpt2")
    throw new HubError(`${model.repo} is a model of the type ${JSON.stringify(model_type)}; only "gpt2" is supported`);
}

/** Reads what came from the hub. Throws HubError if that can't be read. */
function inWords<T>({ repo }: HubModel, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new HubError(`${repo} can't be used as it is on the hub: ${(error as Error).message}`, { cause: error });
  }
}
