/*
 * Processors and backends round a matrix product by its shape. Preloaded (`node --require`) with ACRONYM_PERTURB=SEED, this makes every
 * product differ from the same numbers in another shape by about one part in 10⁶, on every backend and in its gradients; the same product
 * of the same shape stays the same to the bit. Whatever rests on two computations being equal to the bit fails under it.
 *
 * tfjs keeps its kernels in a global map. Here that map is made before tfjs loads, and wraps the products that are put into it.
 */

/** @typedef {{ dataId: object, shape: number[], dtype: string, dispose?: () => void }} Info */
/** @typedef {{ readSync(id: object): Float32Array, write(values: Float32Array, shape: number[], dtype: string): object, disposeData(id: object): unknown }} Backend */
/** @typedef {{ inputs: Record<string, Info>, backend: Backend, attrs?: object }} Arguments */
/** @typedef {{ kernelName: string, backendName: string, kernelFunc: (args: Arguments) => Info }} Kernel */

const SIZE = 1e-6; // float32's own rounding is a sixteenth of it
const PRODUCTS = new Set(["BatchMatMul", "_FusedMatMul", "FusedLinear", "Einsum", "Conv2D", "FusedConv2D"]);
const PERIOD = 2 ** 16;

/**
 * A whole number below 2³² that a text determines.
 * @param {string} text
 */
function hash(text) {
  let state = 2166136261;
  for (const character of text) state = Math.imul(state ^ character.charCodeAt(0), 16777619);
  return mixed(state);
}

/** @param {number} state */
function mixed(state) {
  let bits = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}

/** Numbers between -1 and 1. */
const noise = Float32Array.from({ length: PERIOD }, (_, i) => mixed(i + 1) / 2 ** 31 - 1);

/**
 * Each value moves by a part of itself, or of its row's level if that is larger: a small sum of large numbers is as wrong as they are.
 * An exact 0 stays: a sum of nothing but zeros is 0 in every order.
 * @param {Float32Array} values changed in place
 * @param {number} columns
 * @param {number} start where in the noise to begin
 */
function perturb(values, columns, start) {
  for (let row = 0; row < values.length; row += columns) {
    let squares = 0;
    for (let i = row; i < row + columns; i++) squares += values[i] ** 2;
    const level = Math.sqrt(squares / columns);
    for (let i = row; i < row + columns; i++) {
      if (values[i] !== 0) values[i] += SIZE * noise[(start + i) % PERIOD] * Math.max(level, Math.abs(values[i]));
    }
  }
}

/**
 * @param {Kernel} kernel
 * @param {string} seed
 * @returns {Kernel}
 */
function perturbed(kernel, seed) {
  return {
    ...kernel,
    kernelFunc(args) {
      const result = kernel.kernelFunc(args);
      if (result.dtype !== "float32") return result;
      const { backend, inputs, attrs } = args;
      const shapes = Object.values(inputs).map((input) => input?.shape);
      const values = backend.readSync(result.dataId).slice();
      perturb(values, result.shape.at(-1) ?? 1, hash(JSON.stringify([seed, kernel.kernelName, shapes, attrs])));
      const { shape, dtype, dataId } = result;
      if (result.dispose) result.dispose();
      else backend.disposeData(dataId);
      return { dataId: backend.write(values, shape, dtype), shape, dtype };
    },
  };
}

class PerturbedKernels extends Map {
  /** Kernels that were taken out and are put back. */
  wrapped = new WeakSet();

  /** @param {string} seed */
  constructor(seed) {
    super();
    this.seed = seed;
  }

  /**
   * @override
   * @param {string} key
   * @param {Kernel} kernel
   */
  set(key, kernel) {
    if (!PRODUCTS.has(kernel.kernelName) || this.wrapped.has(kernel)) return super.set(key, kernel);
    const wrapped = perturbed(kernel, this.seed);
    this.wrapped.add(wrapped);
    return super.set(key, wrapped);
  }
}

const seed = process.env.ACRONYM_PERTURB;
if (seed) {
  const globals = /** @type {{ _tfGlobals?: Map<string, unknown> }} */ (globalThis);
  if (globals._tfGlobals) throw new Error("tfjs was loaded before its products could be perturbed");
  globals._tfGlobals = new Map([["kernelRegistry", new PerturbedKernels(seed)]]);
}
