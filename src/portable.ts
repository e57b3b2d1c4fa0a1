// biome-ignore-all assist/source/organizeImports: in the order of the rooms

/** What a notebook may import and any host can run, by room. */
export * as tf from "@tensorflow/tfjs";

// numbers
export { grid, range } from "./numbers/lists";
export { meanBy } from "./numbers/mean-by";
export { random } from "./numbers/random";
export { groupBy, strongest, strongestName, where } from "./numbers/rows";
export { bootstrapMean, mean, share } from "./numbers/statistics";
export { planeThrough } from "./numbers/subspace";

// figures
export { above, beside } from "./figures/beside";
export { circuitGraph } from "./figures/circuit-graph";
export { heatmap } from "./figures/heatmap";
export { profiles } from "./figures/profiles";
export { bars, lines, scatter } from "./figures/series";
export { spread } from "./figures/spread";
export { PAPER_MODEL, THIS_MODEL } from "./figures/style";
export { attentionPattern, tokenStrip } from "./figures/tokens";

// model
export { forward } from "./model/forward";
export { allHeads, hasHead, headList, headName } from "./model/heads";
export { axesOf, edit, patch } from "./model/hooks";
export { equalPositions, hideKeys, patchHeads } from "./model/interventions";
export { disposeModel, disposeRun } from "./model/model";

// prompts
export { acronymTask } from "./prompts/acronym-task";
export { dealOut, distinctLetters, letterCounts, select, wordsApart } from "./prompts/acronyms";
export { CORRUPTIONS, corrupt, permuteTokens, resample } from "./prompts/corruption";
export { LETTERS, POSITIONS, lastLetterPosition, position, readoutPosition, wordPosition } from "./prompts/positions";
export { buildPrompts } from "./prompts/task";
export { tokenRows } from "./prompts/token-rows";

// experiments
export { activationMeans } from "./experiments/activation-means";
export { alignedSubspace } from "./experiments/alignment-search";
export { attentionAgainstLogits, attentionRows, attentionTable, ovInPrompts } from "./experiments/attention";
export {
  attributionByPart,
  attributionByPosition,
  logitAttribution,
  rankHeads,
  sumOfParts,
} from "./experiments/attribution";
export { averagedInputs, inputSite } from "./experiments/averaged-inputs";
export { beforeAndAfter, behaviour, corruptedBehaviour, hiddenByMean, summarise } from "./experiments/behaviour";
export { bestWrongCapitals, capitalRows } from "./experiments/capitals";
export { completeness, faithfulness, minimality } from "./experiments/circuit-criteria";
export { circuitValues } from "./experiments/circuit-evaluation";
export { circuitRanks, compareCircuits } from "./experiments/circuit-ranks";
export { attentionLogits, copiedByHead, otherCopiers } from "./experiments/copying";
export { forcedLetters, waysOf } from "./experiments/forced-letters";
export { givingBack } from "./experiments/giving-back";
export { gapOfAllDirections, interchangeAccuracy } from "./experiments/interchange";
export { hiddenBehaviour, hidingTable, wordHidings } from "./experiments/hidden-words";
export { jointLosses, mlpAblation } from "./experiments/joint-ablation";
export { letterReadout, logitDiffs } from "./experiments/logit-difference";
export { logitLens } from "./experiments/logit-lens";
export { neededHeads } from "./experiments/needed-heads";
export { lossByMean } from "./experiments/order-ablation";
export { EXCHANGES, TURNS, UNMOVED, predictedLetters, shiftedWords } from "./experiments/order-model";
export {
  activationSite,
  bosSite,
  headPlanes,
  headPoints,
  meansPlane,
  partsOf,
  placeMeans,
  residualPoints,
  together,
  wordsInPlane,
} from "./experiments/order-sites";
export { diagonalTable, ovCircuit, ovMap, ovMatrix, ovPanels, ovQuadrants, ovRows } from "./experiments/ov-circuit";
export { blockSite, headSite, promptSite } from "./experiments/patch-sites";
export { activationPatch, headsHarmingMost, patchByPrompt } from "./experiments/patching";
export { seenSelectivity, strongestProducts, wordSelectivity } from "./experiments/query-key";
export { attentionShift, ownWordMoves, swapAttention } from "./experiments/swap-attention";
export { accuracyByLayer, bosProbes, headProbes, probesOfRuns, residualProbes } from "./experiments/word-probes";
export {
  WORD_PAIRS,
  fourSwaps,
  headsHurtBy,
  pairName,
  swap,
  swapBosOfPairs,
  swapEffects,
} from "./experiments/word-swaps";
export { acronymsWritten, writeLetters, writingSummary } from "./experiments/writing";

// discovery
export { alongEdge, levelsWithoutEdges } from "./discovery/edge-circuits";
export {
  besideReference,
  circuitsOfScores,
  METHODS,
  referenceOf,
  rocRows,
  scoreEdges,
  scoreQuality,
  strongestInto,
} from "./discovery/edge-scores";
export { edgeGraph, edgeName } from "./discovery/edges";
export { attributeHeads } from "./discovery/head-attribution";
export {
  bestBySize,
  faithfulnessAlong,
  faithfulnessOf,
  frontRows,
  greedyOrder,
  headWorth,
  orderBy,
  shapleyValues,
} from "./discovery/subset-levels";

// groups
export { CRITERIA, EFFECTS, circuitHeads, classifyHeads } from "./groups/classify";
export { headEvidence } from "./groups/evidence";
export {
  besideFrozen,
  circuitReceivers,
  followPaths,
  inputPanels,
  strongestOfRun,
  strongestSenders,
  worstLetterPanels,
} from "./groups/followed-paths";
export {
  LOOKS,
  criteriaTable,
  evidenceCells,
  groupsOf,
  marginTable,
  memberTable,
  nearMissTable,
  previousTokenTable,
} from "./groups/group-tables";
export { circuitPaths, drawnCircuit } from "./groups/paths-between";
export { lookTable, readoutAttention, strongestLooks } from "./groups/readout-attention";
export { selectivityTable } from "./groups/selectivity-table";
export { setsToRemove } from "./groups/sets-to-remove";
export { drawsTable, sizesOverDraws } from "./groups/stability";
export { jointlyMoved, sweepCriteria } from "./groups/thresholds";

// types of all of these
export type * from "./numbers/mean-by";
export type * from "./numbers/random";
export type * from "./numbers/statistics";
export type * from "./figures/beside";
export type * from "./figures/circuit-graph";
export type * from "./figures/heatmap";
export type * from "./figures/profiles";
export type * from "./figures/series";
export type * from "./figures/spread";
export type * from "./figures/tokens";
export type * from "./model/heads";
export type * from "./model/hooks";
export type * from "./model/interventions";
export type * from "./model/model";
export type * from "./prompts/acronym-task";
export type * from "./prompts/acronyms";
export type * from "./prompts/corruption";
export type * from "./prompts/positions";
export type * from "./prompts/task";
export type * from "./prompts/token-rows";
export type * from "./experiments/activation-means";
export type * from "./experiments/alignment-search";
export type * from "./experiments/attention";
export type * from "./experiments/attribution";
export type * from "./experiments/averaged-inputs";
export type * from "./experiments/behaviour";
export type * from "./experiments/capitals";
export type * from "./experiments/circuit-criteria";
export type * from "./experiments/circuit-evaluation";
export type * from "./experiments/circuit-ranks";
export type * from "./experiments/copying";
export type * from "./experiments/forced-letters";
export type * from "./experiments/giving-back";
export type * from "./experiments/interchange";
export type * from "./experiments/hidden-words";
export type * from "./experiments/joint-ablation";
export type * from "./experiments/logit-difference";
export type * from "./experiments/logit-lens";
export type * from "./experiments/needed-heads";
export type * from "./experiments/order-ablation";
export type * from "./experiments/order-model";
export type * from "./experiments/order-sites";
export type * from "./experiments/ov-circuit";
export type * from "./experiments/patch-sites";
export type * from "./experiments/patching";
export type * from "./experiments/query-key";
export type * from "./experiments/swap-attention";
export type * from "./experiments/word-probes";
export type * from "./experiments/word-swaps";
export type * from "./experiments/writing";
export type * from "./experiments/gradients";
export type * from "./discovery/edge-circuits";
export type * from "./discovery/edge-scores";
export type * from "./discovery/edges";
export type * from "./discovery/head-attribution";
export type * from "./discovery/subset-levels";
export type * from "./groups/classify";
export type * from "./groups/evidence";
export type * from "./groups/followed-paths";
export type * from "./groups/group-tables";
export type * from "./groups/paths-between";
export type * from "./groups/readout-attention";
export type * from "./groups/selectivity-table";
export type * from "./groups/sets-to-remove";
export type * from "./groups/stability";
export type * from "./groups/thresholds";
export type * from "./lessons/exercise";
export type * from "./lessons/topics";
