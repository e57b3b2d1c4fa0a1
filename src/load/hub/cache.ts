/** Hugging Face's cache on disk, laid out as its Python tools do: refs/main → snapshots/COMMIT/FILE → blobs/HASH. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { HubSettings } from "./settings";

/** A model on the hub. */
export interface HubModel {
  /** `org/name` */
  readonly repo: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

/** The files of a model; of several names the first that the repository has. */
export const MODEL_FILES: readonly (readonly string[])[] = [
  ["config.json"],
  ["vocab.json", "tokenizer.json"],
  ["model.safetensors"],
];

/** Whether a revision names one state for ever: a whole commit. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

const folderName = (repo: string) => `models--${repo.replaceAll("/", "--")}`;
export const repoFolder = ({ cache }: HubSettings, repo: string): string => path.join(cache, folderName(repo));
/** Beside the locks of the Python tools, which only they can take. */
export const lockFile = ({ cache }: HubSettings, repo: string): string =>
  path.join(cache, ".locks", folderName(repo), "acronym-circuit.lock");

/** The folder of a model all of whose files are in the cache. */
export function cachedSnapshot(settings: HubSettings, { repo, revision }: HubModel): string | undefined {
  const folder = repoFolder(settings, repo);
  const ref = path.join(folder, "refs", revision);
  const commit = isCommit(revision) ? revision : existsSync(ref) ? readFileSync(ref, "utf8").trim() : "";
  const snapshot = path.join(folder, "snapshots", commit);
  const isThere = (names: readonly string[]) => names.some((name) => existsSync(path.join(snapshot, name)));
  return commit && MODEL_FILES.every(isThere) ? snapshot : undefined;
}

/** Notes which commit a branch or tag stands for. */
export function writeRef(settings: HubSettings, { repo, revision }: HubModel, commit: string): void {
  const ref = path.join(repoFolder(settings, repo), "refs", revision);
  if (isCommit(revision) || (existsSync(ref) && readFileSync(ref, "utf8") === commit)) return;
  mkdirSync(path.dirname(ref), { recursive: true });
  const part = `${ref}.${process.pid}.part`;
  writeFileSync(part, commit);
  renameSync(part, ref);
}

/** Makes a blob visible as a file of a snapshot: a relative link, or the file itself where links aren't allowed. */
export function putIntoSnapshot({ symlink }: HubSettings, blob: string, file: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const link = `${file}.${process.pid}.part`;
  rmSync(link, { force: true });
  try {
    symlink(path.relative(path.dirname(file), blob), link);
    renameSync(link, file);
  } catch {
    renameSync(blob, file); // as the Python tools do: half a gigabyte is not kept twice
  }
}
