/** Figures: pure functions from rows to Plotly JSON. No tensors, no files, no browser. */
export { above, type BesideOptions, beside, type Part } from "./figures/beside";
export { circuitGraph, type GraphEdge, type GraphNode, type GraphOptions } from "./figures/graph";
export { type HeatmapOptions, heatmap } from "./figures/heatmap";
export type { Figure, Layout, Trace } from "./figures/panels";
export type { Column } from "./figures/rows";
export {
  type BarOptions,
  bars,
  type LineOptions,
  lines,
  type ScatterOptions,
  type SeriesOptions,
  scatter,
} from "./figures/series";
export { type HistogramOptions, histogram, type SpreadOptions, spread } from "./figures/spread";
export { PAPER_MODEL, THIS_MODEL } from "./figures/style";
export { type AttentionOptions, attentionPattern, type TokenStripOptions, tokenStrip } from "./figures/tokens";
