import { constants, mkdirSync, renameSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { progress } from "../../show/progress";
import { digestOf, isWhole } from "./digest";
import { HubError } from "./problem";
import { type Answer, ask, pieces } from "./request";
import { retrying, type Session } from "./session";

/** A file to fetch, known by its content. */
interface Download {
  readonly url: string;
  /** Where it goes. What has arrived so far is beside it, see `partialOf`. */
  readonly target: string;
  /** Bytes. */
  readonly size: number;
  /** sha256, or git's sha1: 64 or 40 hexadecimal digits. */
  readonly digest: string;
  /** Its name, for messages and the progress line. */
  readonly label: string;
  /** Throws HubError if the server refuses, or sends something else. */
  readonly check: (answer: Answer) => void;
}

/** What has arrived of a file. Python's tools write to `….incomplete` under a lock that Node can't take: both at once would mix their parts. */
export const partialOf = (target: string): string => `${target}.acronym-circuit.incomplete`;

/** Kept free when a file is on the disk: what else a computer needs (bytes). */
const SPARE = 64e6;

/**
 * Fetches a file unless it is there and whole. It becomes visible whole and checked or not at all; a part that an
 * earlier run has left is gone on with.
 * Throws HubError if it can't be had; SystemError of the disk.
 */
export async function download(session: Session, item: Download): Promise<void> {
  const { target, label, digest } = item;
  if (await isWhole(target, item.size, digest)) return;
  mkdirSync(path.dirname(target), { recursive: true });
  const partial = partialOf(target);
  for (let again = false; ; again = true) {
    const inParts = await receive(session, item, partial);
    session.checkLock?.();
    const found = await digestOf(partial, digest);
    session.checkLock?.();
    if (found === digest) return renameSync(partial, target);
    rmSync(partial);
    const fault = `${label} arrived damaged: its hash is ${found}, not ${digest}; the file was discarded`;
    if (!inParts || again)
      throw new HubError(`${fault}. If it happens again, something between here and the server changes it`);
    session.settings.say(`${fault}, and is fetched anew in one piece`); // parts may not have belonged together
  }
}

/** How much of a file is there, and where its last part came from. */
interface State {
  readonly handle: FileHandle;
  at: number;
  etag?: string;
  inParts: boolean;
}

/** Fills the partial file up. @returns whether it was put together from several answers */
async function receive(session: Session, item: Download, partial: string): Promise<boolean> {
  const handle = await openPartial(partial);
  try {
    const { size: at } = await handle.stat();
    const state: State = { handle, at, inParts: at > 0 };
    if (state.at > item.size) await startOver(state);
    await checkSpace(session, item, state.at);
    const report = progress(item.size, item.label, { unit: "bytes", from: state.at });
    const rest = async () => {
      if (state.at < item.size) await receiveRest(session, item, state, report);
    };
    await retrying(session, rest, () => state.at);
    await handle.sync();
    return state.inParts;
  } finally {
    await handle.close();
  }
}

/**
 * Opens what has arrived, or an empty file. Only a plain file under this one name is written to: a link or a pipe that somebody has put there
 * could lead anywhere.
 * Throws HubError if it is something else.
 */
async function openPartial(partial: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const stranger = (cause?: unknown) =>
    new HubError(`${partial} is a link, a pipe or something else that is no plain file: remove it`, { cause });
  let handle: FileHandle;
  try {
    handle = await open(partial, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o666);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    throw ["ELOOP", "EMLINK", "EISDIR", "ENXIO"].includes(code) ? stranger(error) : error;
  }
  const stat = await handle.stat();
  if (stat.isFile() && stat.nlink <= 1) return handle;
  await handle.close();
  throw stranger();
}

async function receiveRest(session: Session, item: Download, state: State, report: (done: number) => void) {
  const { url, size, label } = item;
  const headers: Record<string, string> = state.at > 0 ? { range: `bytes=${state.at}-` } : {};
  if (state.at > 0 && state.etag !== undefined) headers["if-range"] = state.etag;
  const answer = await ask(session, { url, headers });
  session.checkLock?.();
  await useAnswer(answer, item, state);
  for await (const piece of pieces(session, answer, new URL(url).host)) {
    if (state.at + piece.length > size) throw wrongSize(item, `more than ${size}`);
    session.checkLock?.();
    await append(state, piece);
    report(state.at);
  }
  if (state.at < size) throw new HubError(`${label} stopped after ${state.at} of ${size} bytes`, { transient: true });
}

/** A disk that is nearly full takes a piece in part; the next write says why. */
async function append(state: State, piece: Buffer): Promise<void> {
  for (let written = 0; written < piece.length; ) {
    const { bytesWritten } = await state.handle.write(piece, written, piece.length - written, state.at);
    written += bytesWritten;
    state.at += bytesWritten;
  }
}

/** Decides whether the answer goes on where the partial file ends, or is the whole file again. */
async function useAnswer(answer: Answer, item: Download, state: State): Promise<void> {
  const { status, headers } = answer;
  const etag = headers.etag?.startsWith("W/") ? undefined : headers.etag;
  const isSame = state.etag === undefined || etag === state.etag;
  const goesOn = status === 206 && headers["content-range"] === `bytes ${state.at}-${item.size - 1}/${item.size}`;
  if (status === 416 || (status === 206 && !(goesOn && isSame))) {
    await startOver(state);
    throw new HubError(`${item.label} has changed at the server, or it can't send a part`, { transient: true });
  }
  item.check(answer);
  if (status === 200) {
    if (state.at > 0) await startOver(state);
    const length = headers["content-length"];
    if (length !== undefined && Number(length) !== item.size) throw wrongSize(item, length);
  }
  state.inParts ||= state.at > 0;
  state.etag = etag;
}

async function startOver(state: State): Promise<void> {
  await state.handle.truncate(0);
  state.at = 0;
  state.etag = undefined;
  state.inParts = false;
}

const wrongSize = ({ label, size }: Download, found: string) =>
  new HubError(`${label} has the wrong size: ${found} bytes came, ${size} were announced. Try again later`);

async function checkSpace({ settings }: Session, { target, label, size }: Download, there: number): Promise<void> {
  const folder = path.dirname(target);
  const [needed, free] = [size - there + SPARE, await settings.freeBytes(folder)];
  if (there < size && free < needed)
    throw new HubError(
      `${label} needs ${sizeText(needed)} of free disk space, and the disk of ${folder} has ${sizeText(free)}: free some, or let HF_HOME name a folder on another disk`,
    );
}

/** "548 MB", "345 kB" */
export function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${Math.round(bytes / 1e6)} MB`;
}
