/** All that computes, in one chunk that is loaded after the first paint. */
import * as tf from "@tensorflow/tfjs";
import { modelFromBytes } from "../../src/load/from-bytes";
import { useHost } from "../../src/model/host";
import { Engine, type Lists } from "../engine";
import { MODEL_FILES } from "../model-files";
import { type BrowserBackend, startBackend } from "./backend";
import { browserHost } from "./host";

export { modelFromBytes } from "../../src/load/from-bytes";
export { Engine } from "../engine";
export { startBackend } from "./backend";

async function fetched(address: string): Promise<Uint8Array> {
  const answer = await fetch(new URL(address, document.baseURI));
  if (!answer.ok) throw new Error(`${address} could not be loaded (${answer.status}); reload the page`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** The model that comes with the page, and what computes it. Throws an Error if a file can't be had. */
export async function start(lists: Lists): Promise<{ engine: Engine; backend: BrowserBackend }> {
  useHost(browserHost);
  const wanted = new URLSearchParams(location.search).getAll("backend");
  const [backend, ...files] = await Promise.all([
    startBackend(...wanted),
    ...MODEL_FILES.map(async (name) => [name, await fetched(`model/${name}`)] as const),
  ]);
  return { engine: new Engine(modelFromBytes("embedded", new Map(files)), lists), backend };
}

/** Tensors that are held, for whoever wonders whether any are left behind. */
export const tensors = (): number => tf.memory().numTensors;
