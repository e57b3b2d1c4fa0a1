/** Figures: pure functions from rows to Plotly JSON. No tensors, no files, no browser. */
export { above, type BesideOptions, beside, type Part } from "./beside";
export { circuitGraph, type GraphEdge, type GraphNode, type GraphOptions } from "./circuit-graph";
export { type HeatmapOptions, heatmap } from "./heatmap";
export type { Figure, Layout, Trace } from "./panels";
export type { Column } from "./rows";
export {
  type BarOptions,
  bars,
  type LineOptions,
  lines,
  type ScatterOptions,
  type SeriesOptions,
  scatter,
} from "./series";
export { type SpreadOptions, spread } from "./spread";
export { PAPER_MODEL, THIS_MODEL } from "./style";
export { type AttentionOptions, attentionPattern, type TokenStripOptions, tokenStrip } from "./tokens";
