import { availableParallelism } from "node:os";
import { isMainThread } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs";
import { FUSED_KERNELS } from "../ops";
import { checkExamples } from "./examples";
import { type OnnxOperator, onnxModel } from "./onnx-model";

/*
 * tfjs computes in WebAssembly, but hands the operations that take most of the time to onnxruntime-node, which uses all of the
 * processor's vector instructions and cores. It reads and writes tfjs's memory in place, and at once, as tfjs's kernels must.
 * Only this file relies on the inner workings of the two packages; `checkExamples` checks the numbers before they are trusted.
 */

/** What is used of onnxruntime-node: its public Tensor, and the synchronous binding beneath its asynchronous interface. */
export interface OnnxRuntime {
  readonly Tensor: new (type: "float32", data: Float32Array, shape: readonly number[]) => unknown;
  readonly binding: { readonly InferenceSession: new () => OnnxSession };
  initOrt(): void;
}

interface OnnxSession {
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: object): void;
  run(inputs: Record<string, unknown>, outputs: Record<string, unknown>, options: object): unknown;
}

/** What is used of tfjs's WebAssembly backend. */
interface WasmBackend {
  readonly wasm: { readonly HEAPU8: Uint8Array };
  readonly dataIdMap: { get(id: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: "float32"): tf.TensorInfo;
}

export const ONNX_THREADS = availableParallelism();

const SESSION_OPTIONS = {
  executionMode: "sequential",
  intraOpNumThreads: ONNX_THREADS,
  interOpNumThreads: 1,
  enableMemPattern: false,
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: "0" } } }, // threads that wait would take the processor from tfjs
};

/** onnxruntime's native code reads this when it is loaded; else it writes a device's id below the home folder and reports its use. */
const NO_TELEMETRY = "ORT_DISABLE_TELEMETRY";

/**
 * onnxruntime-node, which reports nothing to anyone.
 * Throws if it is not installed, or not for this system, or in a worker thread where that can't be held.
 */
export function loadRuntime(): OnnxRuntime {
  // a worker thread's environment is a copy, which native code doesn't see
  if (isMainThread) process.env[NO_TELEMETRY] = "1";
  else if (process.env[NO_TELEMETRY] !== "1")
    throw new Error(`in a worker thread onnxruntime-node is used only where the main thread has set ${NO_TELEMETRY}=1`);
  const { Tensor } = require("onnxruntime-node") as Pick<OnnxRuntime, "Tensor">;
  const inner = require("onnxruntime-node/dist/binding.js") as Omit<OnnxRuntime, "Tensor">;
  return { Tensor, ...inner };
}

/** Applies an operator to tensors of the WebAssembly backend; the result has the given shape. */
type Apply = (operator: OnnxOperator, inputs: readonly tf.TensorInfo[], shape: readonly number[]) => tf.TensorInfo;

function makeApply({ Tensor, binding, initOrt }: OnnxRuntime): Apply {
  initOrt();
  const sessions = new Map<string, OnnxSession>();
  const sessionOf = (operator: OnnxOperator) => {
    const key = JSON.stringify(operator);
    const made = sessions.get(key);
    if (made) return made;
    const { buffer, byteOffset, byteLength } = onnxModel(operator);
    const session = new binding.InferenceSession();
    session.loadModel(buffer, byteOffset, byteLength, SESSION_OPTIONS);
    sessions.set(key, session);
    return session;
  };
  return (operator, inputs, shape) => {
    const { wasm, dataIdMap, makeOutput } = tf.backend() as unknown as WasmBackend;
    const output = makeOutput.call(tf.backend(), shape, "float32");
    // views of the memory are taken only now: making a tensor can move it
    const view = ({ dataId, shape: dims }: tf.TensorInfo) => {
      const { memoryOffset } = dataIdMap.get(dataId);
      return new Tensor(
        "float32",
        new Float32Array(wasm.HEAPU8.buffer, memoryOffset, tf.util.sizeFromShape(dims)),
        dims,
      );
    };
    const feeds = Object.fromEntries(operator.inputs.map((name, i) => [name, view(inputs[i])]));
    sessionOf(operator).run(feeds, { Y: view(output) }, {});
    return output;
  };
}

type Arguments = Parameters<tf.KernelFunc>[0];
/** A kernel; `plain` is tfjs's own, for what the operator can't do. */
type Kernel = (apply: Apply, args: Arguments, plain: tf.KernelFunc) => ReturnType<tf.KernelFunc>;

const matMul: Kernel = (apply, args, plain) => {
  const { a, b } = args.inputs as Record<string, tf.TensorInfo>;
  if (a.dtype !== "float32" || b.dtype !== "float32") return plain(args);
  const { transposeA, transposeB } = args.attrs as unknown as { transposeA: boolean; transposeB: boolean };
  const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...outer, a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
  return apply({ type: "FusedMatMul", domain: "com.microsoft", inputs: ["A", "B"], attributes }, [a, b], shape);
};

const fusedLinear: Kernel = (apply, { inputs }) => {
  const { x, W, b } = inputs as Record<string, tf.TensorInfo>;
  return apply({ type: "Gemm", domain: "", inputs: ["A", "B", "C"] }, [x, W, b], [x.shape[0], W.shape[1]]);
};

const fusedGelu: Kernel = (apply, { inputs }) => {
  const { x } = inputs as Record<string, tf.TensorInfo>;
  return apply({ type: "FastGelu", domain: "com.microsoft", inputs: ["X"] }, [x], x.shape);
};

const KERNELS = { BatchMatMul: matMul, [FUSED_KERNELS.linear]: fusedLinear, [FUSED_KERNELS.gelu]: fusedGelu };

/** Registers the kernels on tfjs's WebAssembly backend. @returns what puts tfjs's own back */
function register(apply: Apply): () => void {
  const undo = Object.entries(KERNELS).map(([kernelName, kernel]) => {
    const own = tf.getKernel(kernelName, "wasm");
    if (own) tf.unregisterKernel(kernelName, "wasm");
    const kernelFunc: tf.KernelFunc = (args) => kernel(apply, args, own?.kernelFunc);
    tf.registerKernel({ ...own, kernelName, backendName: "wasm", kernelFunc });
    return () => {
      tf.unregisterKernel(kernelName, "wasm");
      if (own) tf.registerKernel(own);
    };
  });
  return () => {
    for (const each of undo) each();
  };
}

/**
 * Lets tfjs's WebAssembly backend, which has to be the running one, use onnxruntime-node.
 * Throws if onnxruntime-node is missing, doesn't load or computes wrong numbers; then tfjs is left as it was.
 */
export function useOnnxKernels(runtime = loadRuntime()): void {
  const restore = register(makeApply(runtime));
  try {
    checkExamples("onnxruntime-node");
  } catch (error) {
    restore();
    throw error;
  }
}
