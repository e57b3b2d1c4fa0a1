/** A model of the hub: fetched when a reader asks for it, and kept whole in the browser's cache. */
import type { Fetchable } from "../tables";

const STORE = "acronym-circuit models";

/** Whether this page may keep and check files: browsers allow neither under a plain http address of another machine. */
export const canFetch = (): boolean => globalThis.isSecureContext && "caches" in globalThis;

/** Whether all of the model is there. */
export async function isKept({ files }: Fetchable): Promise<boolean> {
  const store = await caches.open(STORE);
  const found = await Promise.all(files.map(({ url }) => store.match(url)));
  return found.every(Boolean);
}

export async function remove({ files }: Fetchable): Promise<void> {
  const store = await caches.open(STORE);
  await Promise.all(files.map(({ url }) => store.delete(url)));
}

/**
 * The model's files: those that are kept, or fetched. Nothing is kept before all of them are there and right.
 * Throws an Error that says what went wrong and what to do; an AbortError if `signal` ended it.
 * @param report is told of each piece's bytes
 * @returns the files, and why they could not be kept, if so
 */
export async function take(
  model: Fetchable,
  { signal, report }: { readonly signal: AbortSignal; readonly report: (bytes: number) => void },
): Promise<{ files: Map<string, Uint8Array<ArrayBuffer>>; notKept?: string }> {
  const store = await caches.open(STORE);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const isThere = await isKept(model);
  for (const { name, url, sha256 } of model.files) {
    const answer = isThere ? (await store.match(url))! : await ask(name, url, signal);
    const bytes = await received(name, url, answer, signal, report);
    const wrong = await difference(bytes, sha256, answer);
    signal.throwIfAborted();
    if (wrong && isThere) await remove(model);
    if (wrong)
      throw new Error(
        isThere
          ? `what was kept of ${name} is damaged and was removed: press the button again to fetch it`
          : `${name} arrived damaged (${wrong}); nothing was kept. Try again; if it happens again, something between here and the server changes it`,
      );
    files.set(name, bytes);
  }
  if (isThere) return { files };
  try {
    for (const { name, url } of model.files) await store.put(url, inPieces(files.get(name)!));
    return { files };
  } catch (error) {
    await remove(model);
    return { files, notKept: (error as Error).message };
  }
}

const PIECE = 1 << 20; // bytes

/** A file as an answer that is read piece by piece: half a gigabyte at once is more than Chromium's cache takes. */
function inPieces(bytes: Uint8Array<ArrayBuffer>): Response {
  let at = 0;
  const pieces = new ReadableStream<Uint8Array>({
    pull(on) {
      if (at >= bytes.length) return on.close();
      on.enqueue(bytes.subarray(at, at + PIECE));
      at += PIECE;
    },
  });
  return new Response(pieces);
}

async function ask(name: string, url: string, signal: AbortSignal): Promise<Response> {
  const { host } = new URL(url);
  let answer: Response;
  try {
    answer = await fetch(url, { signal, credentials: "omit", cache: "no-store" });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(
      `${host} can't be reached (${(error as Error).message}): check the network, and whether it or the browser forbids this address. Nothing was kept`,
    );
  }
  if (!answer.ok)
    throw new Error(`${host} answered ${answer.status} when asked for ${name}: try again later. Nothing was kept`);
  if (answer.headers.get("content-type")?.startsWith("text/html"))
    throw new Error(
      `a web page came instead of ${name}: something stands before ${host}, such as a network that asks to log in`,
    );
  return answer;
}

/** An answer's body, whole. Throws an Error if it is cut off. */
async function received(
  name: string,
  url: string,
  answer: Response,
  signal: AbortSignal,
  report: (bytes: number) => void,
) {
  let count = 0;
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, on) {
      count += piece.length;
      report(piece.length);
      on.enqueue(piece);
    },
  });
  try {
    return new Uint8Array(await new Response(answer.body!.pipeThrough(counting, { signal })).arrayBuffer());
  } catch {
    signal.throwIfAborted();
    throw new Error(
      `the connection to ${new URL(url).host} broke after ${(count / 1e6).toFixed(1)} MB of ${name}: check the network and try again. Nothing was kept`,
    );
  }
}

/** In which way a file is not what it should be: by its known sha256, else by git's hash, which the hub tells with it. */
async function difference(
  bytes: Uint8Array<ArrayBuffer>,
  sha256: string | undefined,
  { headers }: Response,
): Promise<string | undefined> {
  const told = (headers.get("etag") ?? "").replace(/^W\//, "").replaceAll('"', "");
  const expected = sha256 ?? (/^[0-9a-f]{40}$/.test(told) ? told : undefined);
  if (expected === undefined) return undefined;
  const prefix = new TextEncoder().encode(`blob ${bytes.length}\0`);
  const found = sha256
    ? await digest("SHA-256", bytes)
    : await digest("SHA-1", new Uint8Array(await new Blob([prefix, bytes]).arrayBuffer()));
  return found === expected ? undefined : `its hash is ${found}, not ${expected}`;
}

async function digest(kind: "SHA-256" | "SHA-1", bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest(kind, bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
