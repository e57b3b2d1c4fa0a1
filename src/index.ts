// biome-ignore-all assist/source/organizeImports: in the order of the rooms

/** What a notebook may import, by room: `import { forward, loadModel, show } from "../dist"`. */
export * as tf from "@tensorflow/tfjs";

// numbers
export { grid, range } from "./numbers/lists";
export { meanBy } from "./numbers/mean-by";
export { random } from "./numbers/random";
export { groupBy, strongest, where } from "./numbers/rows";
export { bootstrapMean, correlation, mean, meanAndStd } from "./numbers/statistics";

// figures
export { above, beside } from "./figures/beside";
export { circuitGraph } from "./figures/circuit-graph";
export { heatmap } from "./figures/heatmap";
export { bars, lines, scatter } from "./figures/series";
export { spread } from "./figures/spread";
export { PAPER_MODEL, THIS_MODEL } from "./figures/style";
export { attentionPattern, tokenStrip } from "./figures/tokens";

// show
export { checkClaims, claim } from "./show/claims";
export { show, table, toFrame } from "./show/display";
export { progress } from "./show/progress";

// model
export { initBackend } from "./model/backend/choose";
export { forward } from "./model/forward";
export { allHeads, hasHead, headList, headName } from "./model/heads";
export { axesOf, edit, patch } from "./model/hooks";
export { equalPositions, patchHeads } from "./model/interventions";
export { disposeRun } from "./model/model";

// load
export { loadModel } from "./load/load";

// prompts
export { letterCounts, select } from "./prompts/acronyms";
export { CORRUPTIONS, corrupt, permuteTokens, resample } from "./prompts/corruption";
export { buildAcronyms, loadAcronyms } from "./prompts/dataset";
export { LETTERS, POSITIONS, lastLetterPosition, position, readoutPosition, wordPosition } from "./prompts/positions";
export { settings } from "./prompts/settings";
export { tokenRows } from "./prompts/token-rows";
export { checkWord, loadWords } from "./prompts/words";

// experiments
export { attentionAgainstLogits, attentionRows, headPattern, ovInPrompts } from "./experiments/attention";
export { attributionByPart, attributionByPosition, logitAttribution, logitLens } from "./experiments/attribution";
export { behaviour, capitalRows, corruptedBehaviour, summarise } from "./experiments/behaviour";
export {
  circuitValues,
  completeness,
  evaluateCircuits,
  faithfulness,
  growing,
  minimality,
} from "./experiments/circuit-evaluation";
export { letterReadout, logitDiffs } from "./experiments/logit-difference";
export { withInterval } from "./experiments/measure";
export { ordinalAblation } from "./experiments/order-ablation";
export {
  copyingScores,
  diagonalStatistics,
  ovCircuit,
  ovMatrix,
  ovQuadrants,
  ovRows,
  strongestWriters,
} from "./experiments/ov-circuit";
export { activationMeans, activationPatch, blockSite, headSite, patchBetween } from "./experiments/patching";
export { say } from "./experiments/playground";
export { averagedInputs, inputSite, selectivityBy, wordSelectivity } from "./experiments/query-key";
export { randomCircuits, randomSubsets } from "./experiments/random-circuits";
export { bosProbes, headProbes, residualProbes, wordProbes } from "./experiments/word-probes";
export {
  WORD_PAIRS,
  attentionShift,
  fourSwaps,
  headsHurtBy,
  swapAttention,
  swapBosSweep,
  swapEffects,
  swapName,
} from "./experiments/word-swaps";

// groups
export { CRITERIA, circuitHeads, classifyHeads } from "./groups/classify";
export { headEvidence } from "./groups/evidence";
export {
  EFFECTS,
  LOOKS,
  criteriaTable,
  evidenceCells,
  groupOf,
  groupsOf,
  marginTable,
  memberTable,
  nearMissTable,
  percent,
  previousTokenTable,
} from "./groups/group-tables";
export {
  besideFrozen,
  circuitReceivers,
  followPaths,
  inputPanels,
  strongestOfRun,
  strongestSenders,
  worstLetterPanels,
} from "./groups/followed-paths";
export { circuitPaths, drawnCircuit } from "./groups/paths-between";
export { lookTable, readoutAttention, strongestLooks } from "./groups/readout-attention";
export { sweepCriteria } from "./groups/thresholds";

// paper
export { calibrationTable } from "./paper/calibration";
export { chooseHeads, groupTable } from "./paper/choose-heads";
export { claimsAbout, figureClaims, paperFigureClaim } from "./paper/compare";
export { paperPatterns, paperReadoutAttention } from "./paper/paper-attention";
export { paperEvidence } from "./paper/paper-evidence";
export { attentionFigures, evaluationFigure, ovFigures } from "./paper/paper-figures";
export {
  averageSeeds,
  besidePaper,
  paperPatching,
  patchOverSeeds,
  patchingCells,
  patchingMap,
} from "./paper/paper-patching";
export { paperBosSwaps, paperSwapAttention, positionalFigureClaims } from "./paper/paper-positional";
export { paperBehaviour, paperFigure, paperHeads } from "./paper/paper";
export { calibrationFindings, groupAnswers, groupFindings, paperGroupFindings } from "./paper/findings/groups";
export { orderSkipsLogits, paperPathFindings, pathFindings } from "./paper/findings/paths";
export { harmByLayer, positionalFindings } from "./paper/statements";

export { withPaper } from "./paper/with-paper";

// types of all of these
export type * from "./numbers/mean-by";
export type * from "./numbers/random";
export type * from "./numbers/statistics";
export type * from "./figures/beside";
export type * from "./figures/circuit-graph";
export type * from "./figures/heatmap";
export type * from "./figures/series";
export type * from "./figures/spread";
export type * from "./figures/tokens";
export type * from "./show/claims";
export type * from "./show/display";
export type * from "./show/progress";
export type * from "./model/backend/choose";
export type * from "./model/heads";
export type * from "./model/hooks";
export type * from "./model/interventions";
export type * from "./model/model";
export type * from "./load/load";
export type * from "./prompts/acronyms";
export type * from "./prompts/corruption";
export type * from "./prompts/positions";
export type * from "./prompts/settings";
export type * from "./prompts/token-rows";
export type * from "./prompts/words";
export type * from "./experiments/attention";
export type * from "./experiments/attribution";
export type * from "./experiments/behaviour";
export type * from "./experiments/circuit-evaluation";
export type * from "./experiments/logit-difference";
export type * from "./experiments/measure";
export type * from "./experiments/ov-circuit";
export type * from "./experiments/patching";
export type * from "./experiments/path-patching";
export type * from "./experiments/playground";
export type * from "./experiments/query-key";
export type * from "./experiments/word-probes";
export type * from "./experiments/word-swaps";
export type * from "./groups/classify";
export type * from "./groups/evidence";
export type * from "./groups/group-tables";
export type * from "./groups/followed-paths";
export type * from "./groups/paths-between";
export type * from "./groups/readout-attention";
export type * from "./groups/thresholds";
export type * from "./paper/choose-heads";
export type * from "./paper/compare";
export type * from "./paper/findings/groups";
export type * from "./paper/findings/paths";
export type * from "./paper/paper-figures";
export type * from "./paper/paper-patching";
export type * from "./paper/paper-positional";
export type * from "./paper/paper";
export type * from "./paper/statements";
