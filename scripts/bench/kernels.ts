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

/** Kernels that are matrix products. */
const isProduct = (kernelName: string) => /MatMul$/.test(kernelName) || kernelName === FUSED_KERNELS.linear;

/** Floating-point operations of one matrix product. */
function productFlop({ inputs, attrs }: Parameters<tf.KernelFunc>[0], output: tf.TensorInfo): number {
  const { shape } = (inputs.a ?? inputs.x) as tf.TensorInfo;
  const summed = shape[shape.length - (attrs?.transposeA ? 2 : 1)];
  return 2 * summed * output.shape.reduce((a, b) => a * b, 1);
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
        if (isProduct(kernel.kernelName)) use.flop += productFlop(params, output as tf.TensorInfo);
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
