/** What really runs: every kernel of the active backend is wrapped, and each use of it counted. */
import * as tf from "@tensorflow/tfjs";
import { FUSED_KERNELS } from "../../src/model/ops";

export interface KernelUse {
  calls: number;
  seconds: number;
  /** Of matrix products: 2 · batch · rows · columns · summed; 0 of all others. */
  flop: number;
}
/** By the kernel's name. */
export type KernelUses = Readonly<Record<string, KernelUse>>;

type Use = Parameters<tf.KernelFunc>[0];

const sizeOf = ({ shape }: tf.TensorInfo) => shape.reduce((a, b) => a * b, 1);

/** Floating-point operations of one matrix product. */
function productFlop({ inputs, attrs }: Use, output: tf.TensorInfo): number {
  const { shape } = (inputs.a ?? inputs.x) as tf.TensorInfo;
  const summed = shape[shape.length - (attrs?.transposeA ? 2 : 1)];
  return 2 * summed * sizeOf(output);
}

/** Of attention's two products, queries with keys and patterns with values: `[batch, query, d]` with `[batch, key, d]`. */
const attentionFlop = ({ inputs }: Use, output: tf.TensorInfo): number =>
  2 * 2 * (inputs.k as tf.TensorInfo).shape[1] * sizeOf(output);

/** What counts the operations of a kernel that is made of matrix products. */
function flopCounter(kernelName: string): typeof productFlop | undefined {
  if (kernelName === FUSED_KERNELS.attention) return attentionFlop;
  return /MatMul$/.test(kernelName) || kernelName === FUSED_KERNELS.linear ? productFlop : undefined;
}

/**
 * Counts the uses of every kernel from now on. The cost is that of two looks at the clock for each.
 * @returns gives the uses since it was last called
 */
export function countKernels(): () => KernelUses {
  let uses: Record<string, KernelUse> = {};
  let depth = 0; // kernels that call kernels are counted once, as the outer one
  const wrap = (kernel: tf.KernelConfig): tf.KernelConfig => ({
    ...kernel,
    kernelFunc: (params) => {
      if (depth > 0) return kernel.kernelFunc(params);
      depth = 1;
      const start = performance.now();
      try {
        const output = kernel.kernelFunc(params);
        uses[kernel.kernelName] ??= { calls: 0, seconds: 0, flop: 0 };
        const use = uses[kernel.kernelName];
        use.calls += 1;
        use.seconds += (performance.now() - start) / 1000;
        use.flop += flopCounter(kernel.kernelName)?.(params, output as tf.TensorInfo) ?? 0;
        return output;
      } finally {
        depth = 0;
      }
    },
  });
  for (const kernel of tf.getKernelsForBackend(tf.getBackend())) {
    tf.unregisterKernel(kernel.kernelName, kernel.backendName);
    tf.registerKernel(wrap(kernel));
  }
  return () => {
    const taken = uses;
    uses = {};
    return taken;
  };
}

export const totalFlop = (uses: KernelUses): number => Object.values(uses).reduce((sum, { flop }) => sum + flop, 0);
