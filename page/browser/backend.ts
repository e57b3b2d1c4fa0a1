/** Starts TensorFlow.js in a browser: WebAssembly, else WebGL, else plain JavaScript. */
import * as tf from "@tensorflow/tfjs";
import { checkExamples } from "../../src/model/backend/examples";

const BROWSER_BACKENDS = ["wasm", "webgl", "cpu"] as const;
export type BrowserBackend = (typeof BROWSER_BACKENDS)[number];

const START: Record<BrowserBackend, () => Promise<unknown>> = {
  wasm: async () => {
    const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
    // one file; threads would need a page isolated from all others, which most places that serve files don't offer
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    setWasmPaths(new URL("./", document.baseURI).href);
    if (!(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"))) throw new Error("WebAssembly without SIMD");
  },
  webgl: () => import("@tensorflow/tfjs-backend-webgl"),
  cpu: () => import("@tensorflow/tfjs-backend-cpu"),
};

/**
 * Starts the first backend that loads and computes a few examples rightly.
 * Throws an Error that says why none does.
 * @param wanted the one asked for; all in turn if not given
 */
export async function startBackend(wanted?: string): Promise<BrowserBackend> {
  const failed: string[] = [];
  for (const name of BROWSER_BACKENDS) {
    if (wanted !== undefined && name !== wanted) continue;
    try {
      await START[name]();
      if (!(await tf.setBackend(name))) throw new Error("did not start");
      await tf.ready();
      checkExamples(name);
      return name;
    } catch (error) {
      failed.push(`${name}: ${(error as Error).message}`);
    }
  }
  throw new Error(`nothing here can compute the model. ${failed.join("; ")}`);
}
