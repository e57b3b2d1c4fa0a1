/** Hugging Face's cache on disk, laid out as its Python tools do: refs/main → snapshots/COMMIT/FILE → blobs/HASH. */
import { mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import { writeWhole } from "../../show/whole-file";
import { LIMIT, readText, statOf, uniqueBeside } from "../files";
import { whatIsMissing } from "../folder";
import { namesOf } from "./ids";
import type { HubSettings } from "./settings";

/** A model on the hub. */
export interface HubModel {
  /** `org/name` */
  readonly repo: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** The revision that will do where this one isn't in the cache and nothing may be fetched. */
  readonly offline?: string;
}

/** Whether a revision names one state for ever: a whole commit. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

const folderName = (repo: string) => `models--${repo.replaceAll("/", "--")}`;
export const repoFolder = ({ cache }: HubSettings, repo: string): string => path.join(cache, folderName(repo));
/** Beside the locks of the Python tools, which only they can take. */
export const lockFile = ({ cache }: HubSettings, repo: string): string =>
  path.join(cache, ".locks", folderName(repo), "acronym-circuit.lock");

/** The folders where a revision's files are, or would be: Python's tools know some repositories by an older name, too. */
export function snapshotFolders(settings: HubSettings, { repo, revision }: HubModel): string[] {
  return namesOf(repo).flatMap((name) => {
    const folder = repoFolder(settings, name);
    const commit = isCommit(revision) ? revision : readRef(path.join(folder, "refs", revision));
    return commit === undefined ? [] : [path.join(folder, "snapshots", commit)];
  });
}

function readRef(file: string): string | undefined {
  if (!statOf(file)?.isFile()) return undefined;
  const commit = readText(file, LIMIT.line).trim();
  return isCommit(commit) ? commit : undefined;
}

/** The folder of a model all of whose files are in the cache. */
export const cachedSnapshot = (settings: HubSettings, model: HubModel): string | undefined =>
  snapshotFolders(settings, model).find(isWholeModel);

function isWholeModel(folder: string): boolean {
  try {
    return whatIsMissing(folder) === undefined;
  } catch {
    return false; // a damaged index: whoever fetches its parts says so
  }
}

/** Where it is noted, as Python's tools do, that a commit has no file of this name. */
export const absenceNote = (settings: HubSettings, { repo, revision }: HubModel, file: string): string =>
  path.join(repoFolder(settings, repo), ".no_exist", revision, file);

/** Notes which commit a branch or tag stands for. */
export function writeRef(settings: HubSettings, { repo, revision }: HubModel, commit: string): void {
  const ref = path.join(repoFolder(settings, repo), "refs", revision);
  if (isCommit(revision) || readRef(ref) === commit) return;
  mkdirSync(path.dirname(ref), { recursive: true });
  writeWhole(ref, commit); // a half left beside it would be another ref to Python's tools
}

/** Makes a blob visible as a file of a snapshot: a relative link, or the file itself where links aren't allowed. */
export function putIntoSnapshot({ symlink }: HubSettings, blob: string, file: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const link = uniqueBeside(file, "part");
  try {
    symlink(path.relative(path.dirname(file), blob), link);
    renameSync(link, file);
  } catch {
    renameSync(blob, file); // as the Python tools do: half a gigabyte is not kept twice
  }
}
