/** What is used of tfjs's WebAssembly backend beside its kernels, and a kernel in place of one of them. */
import * as tf from "@tensorflow/tfjs";

interface WasmBackend {
  /** A tensor's values where they lie. For at once: making another tensor can move the memory. */
  typedArrayFromHeap(info: tf.TensorInfo): Float32Array;
  makeOutput(shape: readonly number[], dtype: "float32"): tf.TensorInfo;
  /** Says whether the data is gone: it stays while other tensors share it. */
  disposeData(dataId: object, force?: boolean): boolean;
}

export const wasmBackend = () => tf.backend() as unknown as WasmBackend;

const SLICE = "Slice";

/** Rows of a matrix, or parts of them. tfjs's own kernel first copies the whole matrix out of WebAssembly's memory. */
const sliceInPlace =
  (plain: tf.KernelFunc): tf.KernelFunc =>
  (args) => {
    const x = args.inputs.x as tf.Tensor;
    const { begin, size } = args.attrs as unknown as Record<"begin" | "size", number | number[]>;
    if (x.dtype !== "float32" || x.shape.length !== 2) return plain(args);
    const [[row, column], [rows, columns]] = tf.slice_util.parseSliceParams(x, begin, size);
    const output = wasmBackend().makeOutput([rows, columns], "float32");
    const [from, to] = [x, output].map((each) => wasmBackend().typedArrayFromHeap(each));
    const width = x.shape[1];
    const [times, part] = columns === width ? [1, rows * columns] : [rows, columns];
    for (let i = 0; i < times; i++) {
      const start = (row + i) * width + column;
      to.set(from.subarray(start, start + part), i * part);
    }
    return output;
  };

/** Puts the quicker slice in place of tfjs's, where the WebAssembly backend is loaded. */
export function useSliceInPlace(): void {
  const own = tf.getKernel(SLICE, "wasm");
  tf.unregisterKernel(SLICE, "wasm");
  tf.registerKernel({ ...own, kernelFunc: sliceInPlace(own.kernelFunc) });
}
