import { isMainThread } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs";
import { FUSED_KERNELS } from "../ops";
import { checkExamples } from "./examples";
import { type OnnxConstant, type OnnxOperator, onnxModel } from "./onnx-model";
import { PackedWeights } from "./packed-weights";
import { MOST_THREADS, threads } from "./threads";
import { wasmBackend } from "./wasm";

/*
 * tfjs computes in WebAssembly, but hands the operations that take most of the time to onnxruntime-node, which uses all of the
 * processor's vector instructions and cores. It reads and writes tfjs's memory in place, and at once, as tfjs's kernels must.
 * Only this file and wasm.ts rely on the inner workings of the two packages; `checkExamples` checks the numbers before they are trusted.
 */

/** What is used of onnxruntime-node: its public Tensor, and the synchronous binding beneath its asynchronous interface. */
export interface OnnxRuntime {
  readonly Tensor: new (type: "float32", data: Float32Array, shape: readonly number[]) => unknown;
  readonly binding: { readonly InferenceSession: new () => OnnxSession };
  initOrt(): void;
}

export interface OnnxSession {
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: object): void;
  run(inputs: Record<string, unknown>, outputs: Record<string, unknown>, options: object): unknown;
  dispose(): void;
}

/** Packing a smaller matrix anew takes a few millionths of a second: not worth a session of its own. */
const LEAST_PACKED = 2 ** 18;

const sessionOptions = (intraOpNumThreads: number) => ({
  executionMode: "sequential",
  intraOpNumThreads,
  interOpNumThreads: 1,
  enableMemPattern: false,
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: "0" } } }, // threads that wait would take the processor from tfjs
});

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

const valuesOf = (info: tf.TensorInfo) => wasmBackend().typedArrayFromHeap(info);

interface Runtime {
  /** `apply`, with the input "B" as a weight that stays as it is. */
  readonly applyPacked: Apply;
  readonly apply: Apply;
  readonly packed: PackedWeights;
}

function start({ Tensor, binding, initOrt }: OnnxRuntime): Runtime {
  initOrt();
  const options = sessionOptions(threads());
  const newSession = (operator: OnnxOperator, constants?: Record<string, OnnxConstant>): OnnxSession => {
    const { buffer, byteOffset, byteLength } = onnxModel(operator, constants);
    const session = new binding.InferenceSession();
    session.loadModel(buffer, byteOffset, byteLength, options);
    return session;
  };
  const sessions = new Map<string, OnnxSession>();
  const sessionOf = (operator: OnnxOperator) => {
    const key = JSON.stringify(operator);
    const session = sessions.get(key) ?? newSession(operator);
    sessions.set(key, session);
    return session;
  };
  // every session has threads of its own
  const packed = new PackedWeights(newSession, Math.floor(MOST_THREADS / options.intraOpNumThreads));
  const run = (session: OnnxSession, feeds: Record<string, tf.TensorInfo>, shape: readonly number[]) => {
    const output = wasmBackend().makeOutput(shape, "float32");
    const view = (info: tf.TensorInfo) => new Tensor("float32", valuesOf(info), info.shape);
    session.run(
      Object.fromEntries(Object.entries(feeds).map(([name, info]) => [name, view(info)])),
      { Y: view(output) },
      {},
    );
    return output;
  };
  const feedsOf = ({ inputs: names }: OnnxOperator, inputs: readonly tf.TensorInfo[]) =>
    Object.fromEntries(names.filter((name) => name).map((name, i) => [name, inputs[i]]));
  const apply: Apply = (operator, inputs, shape) => run(sessionOf(operator), feedsOf(operator, inputs), shape);
  const applyPacked: Apply = (operator, inputs, shape) => {
    const { B, ...others } = feedsOf(operator, inputs);
    const session = packed.sessionOf(operator, B.dataId, { shape: B.shape, values: valuesOf(B) });
    return session ? run(session, others, shape) : apply(operator, inputs, shape);
  };
  return { apply, applyPacked, packed };
}

type Arguments = Parameters<tf.KernelFunc>[0];
/** A kernel; `plain` is tfjs's own, for what the operator can't do. */
type Kernel = (runtime: Runtime, args: Arguments, plain: tf.KernelFunc) => ReturnType<tf.KernelFunc>;

const matMul: Kernel = ({ apply }, args, plain) => {
  const { a, b } = args.inputs as Record<string, tf.TensorInfo>;
  if (a.dtype !== "float32" || b.dtype !== "float32") return plain(args);
  const { transposeA, transposeB } = args.attrs as unknown as { transposeA: boolean; transposeB: boolean };
  const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...outer, a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
  return apply({ type: "FusedMatMul", domain: "com.microsoft", inputs: ["A", "B"], attributes }, [a, b], shape);
};

const GEMM: OnnxOperator = { type: "Gemm", domain: "", inputs: ["A", "B", "C"] };

const fusedLinear: Kernel = ({ apply, applyPacked }, { inputs, attrs }) => {
  const { x, W, b } = inputs as Record<string, tf.TensorInfo>;
  const [summed, columns] = W.shape;
  const rows = { ...x, shape: [tf.util.sizeFromShape(x.shape) / summed, summed] };
  const isPacked = attrs?.lasting === true && tf.util.sizeFromShape(W.shape) >= LEAST_PACKED;
  const product = (isPacked ? applyPacked : apply)(GEMM, [rows, W, b], [rows.shape[0], columns]);
  return { ...product, shape: [...x.shape.slice(0, -1), columns] };
};

const fusedGelu: Kernel = ({ apply }, { inputs }) => {
  const { x } = inputs as Record<string, tf.TensorInfo>;
  return apply({ type: "FastGelu", domain: "com.microsoft", inputs: ["X"] }, [x], x.shape);
};

const fusedLayerNorm: Kernel = ({ apply }, { inputs, attrs }) => {
  const { x, w, b } = inputs as Record<string, tf.TensorInfo>;
  const { eps: epsilon } = attrs as unknown as { eps: number };
  return apply(
    { type: "LayerNormalization", domain: "", inputs: ["X", "W", "B"], floats: { epsilon } },
    [x, w, b],
    x.shape,
  );
};

/** Without bias and padding, which come before the mask. */
const ATTENTION_INPUTS = ["Q", "K", "V", "", "", "M"];

const fusedAttention: Kernel = ({ apply }, { inputs, attrs }) => {
  const { q, k, v, mask } = inputs as Record<string, tf.TensorInfo>;
  const { heads: num_heads } = attrs as unknown as { heads: number };
  const attributes = { num_heads };
  return apply(
    { type: "MultiHeadAttention", domain: "com.microsoft", inputs: ATTENTION_INPUTS, attributes },
    [q, k, v, mask],
    q.shape,
  );
};

const KERNELS = {
  BatchMatMul: matMul,
  [FUSED_KERNELS.linear]: fusedLinear,
  [FUSED_KERNELS.gelu]: fusedGelu,
  [FUSED_KERNELS.layerNorm]: fusedLayerNorm,
  [FUSED_KERNELS.attention]: fusedAttention,
};

/** Registers the kernels on tfjs's WebAssembly backend. @returns what puts tfjs's own back */
function register(runtime: Runtime): () => void {
  const undo = Object.entries(KERNELS).map(([kernelName, kernel]) => {
    const own = tf.getKernel(kernelName, "wasm");
    if (own) tf.unregisterKernel(kernelName, "wasm");
    const kernelFunc: tf.KernelFunc = (args) => kernel(runtime, args, own?.kernelFunc);
    tf.registerKernel({ ...own, kernelName, backendName: "wasm", kernelFunc });
    return () => {
      tf.unregisterKernel(kernelName, "wasm");
      if (own) tf.registerKernel(own);
    };
  });
  const backend = wasmBackend();
  const { disposeData } = backend;
  backend.disposeData = (dataId, force) => {
    const isGone = disposeData.call(backend, dataId, force);
    if (isGone) runtime.packed.drop(dataId);
    return isGone;
  };
  return () => {
    for (const each of undo) each();
    backend.disposeData = disposeData;
  };
}

/**
 * Lets tfjs's WebAssembly backend, which has to be the running one, use onnxruntime-node.
 * Throws if onnxruntime-node is missing, doesn't load or computes wrong numbers; then tfjs is left as it was.
 */
export function useOnnxKernels(runtime = loadRuntime()): void {
  const restore = register(start(runtime));
  try {
    checkExamples("onnxruntime-node");
  } catch (error) {
    restore();
    throw error;
  }
}
