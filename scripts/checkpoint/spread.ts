/** How random weights of that name are spread. `scale`: standard deviation of matrices times √(their rows). */
export function randomSpread(name: string, shape: readonly number[], scale = 1.2): { mean: number; std: number } {
  const mean = /ln_\w+\.weight$/.test(name) ? 1 : 0;
  const std = shape.length === 1 ? 0.15 : /^w[tp]e/.test(name) ? 0.5 : scale / Math.sqrt(shape[0]);
  return { mean, std };
}
