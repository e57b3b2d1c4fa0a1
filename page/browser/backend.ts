/** Starts TensorFlow.js in a browser: WebAssembly, else WebGL, else plain JavaScript; WebGPU where it is asked for. */
import * as tf from "@tensorflow/tfjs";
import { checkExamples } from "../../src/model/backend/examples";
import { useSliceInPlace } from "../../src/model/backend/wasm";

const IN_TURN = ["wasm", "webgl", "cpu"] as const;
export type BrowserBackend = (typeof IN_TURN)[number] | "webgpu";

const START: Record<BrowserBackend, () => Promise<unknown>> = {
  wasm: async () => {
    const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
    if (tf.findBackend("wasm")) return; // the path can be told only once
    // one file; threads would need a page isolated from all others, which most places that serve files don't offer
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    setWasmPaths(new URL("./", document.baseURI).href);
    useSliceInPlace();
    if (!(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"))) throw new Error("WebAssembly without SIMD");
  },
  webgl: () => import("@tensorflow/tfjs-backend-webgl"),
  webgpu: async () => {
    const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<object | null> } };
    if (!(await gpu?.requestAdapter())) throw new Error("this browser offers no graphics card");
    await import("@tensorflow/tfjs-backend-webgpu");
  },
  cpu: () => import("@tensorflow/tfjs-backend-cpu"),
};

const isBackend = (name: string): name is BrowserBackend => name in START;

/**
 * Starts the first backend that loads and computes a few examples rightly; the one that ran before stays if none does.
 * Throws an Error that says why none does.
 * @param wanted those asked for, in turn
 */
export async function startBackend(...wanted: readonly string[]): Promise<BrowserBackend> {
  const before = tf.getBackend();
  const failed: string[] = [];
  for (const name of wanted.length > 0 ? wanted : IN_TURN) {
    try {
      if (!isBackend(name)) throw new Error(`there is none of this name, only ${Object.keys(START).join(", ")}`);
      if (name !== before) await START[name]();
      if (!(await tf.setBackend(name))) throw new Error("did not start");
      await tf.ready();
      if (name !== before) checkExamples(name); // it was found right when it started
      return name;
    } catch (error) {
      failed.push(`${name}: ${(error as Error).message}`);
    }
  }
  if (before) await tf.setBackend(before);
  throw new Error(`nothing here can compute the model. ${failed.join("; ")}`);
}
