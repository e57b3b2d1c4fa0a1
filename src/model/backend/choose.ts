import { cpus, homedir } from "node:os";
import path from "node:path";
import util from "node:util";
import * as tf from "@tensorflow/tfjs";
import { useHost } from "../host";
import { checkExamples } from "./examples";
import { nodeHost } from "./node-host";
import { useOnnxKernels } from "./onnx-kernels";
import { threads } from "./threads";
import { useSliceInPlace } from "./wasm";

export type BackendName = "native" | "onnx" | "wasm" | "cpu";

/** Which tfjs backend runs, and why that one. */
export interface Backend {
  readonly name: BackendName;
  readonly why: string;
}

const CHOICES: readonly BackendName[] = ["native", "onnx", "wasm", "cpu"];

/** An absolute path up to its last part, where it begins a word. (A package's name and an address in the web are none.) */
const FOLDERS = /(?<=^|[\s'"`(=])(?:file:\/\/|\\\\\?\\)?(?:[A-Za-z]:)?[\\/]+(?:[^\\/\s'"`:]+[\\/]+)*(?=\S)/g;

/**
 * Why something failed, in one line: an error's first, without the folders of the files that it names. They tell a reader nothing,
 * and a notebook's outputs are passed on.
 */
export function reasonOf(error: unknown): string {
  const line = String(error instanceof Error ? error.message : error).split("\n", 1)[0];
  // known ones first: they may hold blanks
  const known = [path.resolve(__dirname, "../../.."), process.cwd(), homedir()].filter(
    (folder) => folder !== path.dirname(folder),
  );
  return known
    .reduce((text, folder) => text.replaceAll(folder + path.sep, path.sep), line)
    .replace(FOLDERS, "")
    .trim();
}

/** The part of tfjs-node that is in no registry. */
const NATIVE_ADDON = "tfjs-node-native/lib/napi-v8/tfjs_binding.node";

function isThere(file: string): boolean {
  try {
    return require.resolve(file) !== "";
  } catch {
    return false;
  }
}

/** tfjs-node's own package, installed as an optional dependency under this alias. Throws if it is not built, doesn't load or computes wrong numbers. */
async function startNative(): Promise<string> {
  if (!isThere(NATIVE_ADDON)) throw new Error("not built here (on Linux x64: npm run native)");
  // tfjs-node 4.22 still calls these two, which Node 23 removed
  const old = util as unknown as Record<string, unknown>;
  old.isNullOrUndefined ??= (x: unknown) => x === null || x === undefined;
  old.isArray ??= Array.isArray;
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2"; // else TensorFlow tells of its processor in every output
  process.env.TF_ENABLE_ONEDNN_OPTS ??= "0"; // its products are slower, small ones four times (docs/performance.md)
  process.env.TF_NUM_INTRAOP_THREADS ??= `${threads()}`;
  const { version } = require("tfjs-node-native") as { version: Record<string, string> };
  if (!(await tf.setBackend("tensorflow"))) throw new Error("its backend did not start");
  checkExamples("tfjs-node");
  return `@tensorflow/tfjs-node ${version["tfjs-node"] ?? version.tfjs}`;
}

async function startWasm(): Promise<string> {
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = events.map((event) => process.listeners(event as "uncaughtException"));
  require("@tensorflow/tfjs-backend-wasm");
  if (!(await tf.setBackend("wasm"))) throw new Error("WebAssembly with SIMD is not available");
  // its loader leaves listeners that end the process, a notebook's kernel, on any stray error
  events.forEach((event, i) => {
    for (const listener of process.listeners(event as "uncaughtException"))
      if (!before[i].includes(listener)) process.off(event, listener);
  });
  useSliceInPlace();
  checkExamples("WebAssembly");
  return "WebAssembly, one thread";
}

/** WebAssembly whose matrix products onnxruntime-node computes. Throws if that is missing or doesn't do what it should. */
async function startOnnx(): Promise<string> {
  await startWasm();
  useOnnxKernels();
  const { version } = require("onnxruntime-node/package.json") as { version: string };
  return `WebAssembly with matrix products of onnxruntime-node ${version}, threads: ${threads()}`;
}

async function startCpu(): Promise<string> {
  await tf.setBackend("cpu");
  return "plain JavaScript, slow";
}

const START: Record<BackendName, () => Promise<string>> = {
  native: startNative,
  onnx: startOnnx,
  wasm: startWasm,
  cpu: startCpu,
};

let current: Promise<Backend> | undefined;

/**
 * Makes Node the library's host and starts the fastest tfjs backend that loads and computes a few examples rightly: native tfjs-node, else WebAssembly with onnxruntime's matrix products, else WebAssembly
 * alone, else plain JavaScript. Later calls return the same answer: tensors of two backends don't mix.
 * The environment variable ACRONYM_BACKEND (native, onnx, wasm or cpu) asks for one; ACRONYM_THREADS says how many threads it may use.
 * Throws if the one asked for doesn't exist or doesn't load, or the threads are no whole number from 1 to 512.
 */
export function initBackend(): Promise<Backend> {
  useHost(nodeHost);
  current ??= choose(process.env.ACRONYM_BACKEND);
  return current;
}

async function choose(wanted: string | undefined): Promise<Backend> {
  if (wanted && !CHOICES.includes(wanted as BackendName))
    throw new Error(`ACRONYM_BACKEND is "${wanted}"; it can be ${CHOICES.join(", ")}, or unset for the fastest`);
  threads(); // a wrong number of them is no backend's fault
  const failed: string[] = [];
  for (const name of wanted ? [wanted as BackendName] : CHOICES) {
    try {
      const what = await START[name]();
      await tf.ready();
      const why = wanted ? "asked for by ACRONYM_BACKEND" : ["the fastest that loads here", ...failed].join("; ");
      return { name, why: `${what} (${why})` };
    } catch (error) {
      failed.push(`${name}: ${reasonOf(error)}`);
    }
  }
  throw new Error(`no tfjs backend starts on Node ${process.version}, ${cpus().length} cores. ${failed.join("; ")}`);
}
