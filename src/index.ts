// biome-ignore-all assist/source/organizeImports: in the order of the rooms

/** What a notebook may import, by room: `import { forward, loadModel, show } from "../dist"`. Here is what needs Node; the rest is in portable.ts. */
export * from "./portable";

// show
export { checkClaims, claim, given } from "./show/claims";
export { show, table, toFrame } from "./show/display";
export { saveCsv, saveFigure } from "./show/files";

// model
export { initBackend } from "./model/backend/choose";

// load
export { loadModel } from "./load/load";
export { untrained } from "./load/untrained";

// prompts
export { HELD_OUT, buildAcronyms, checkAcronym, loadAcronyms } from "./prompts/dataset";
export { settings } from "./prompts/settings";
export { checkWord, loadWords } from "./prompts/words";

// paper
export { calibrationTable } from "./paper/calibration";
export { chooseHeads, groupTable, growingGroups } from "./paper/choose-heads";
export { claimsAbout, figureClaims } from "./paper/compare";
export { acdcCircuits, subsetLevels } from "./paper/discovery-table";
export { embeddedCircuits, embeddedDraws, everyRemoval } from "./paper/embedded-tables";
export {
  attributionAsInPaper,
  attributionClaims,
  attributionIdentities,
  ownWordShare,
  paperHeadLosses,
} from "./paper/findings/attribution";
export {
  behaviourAsInPaper,
  behaviourClaims,
  behaviourFindings,
  firstLetterClaim,
  paperCorruptions,
} from "./paper/findings/behaviour";
export {
  acdcClaim,
  acdcFaithfulness,
  edgeClaims,
  noEdgesIdentity,
  shapleyIdentity,
  subsetClaims,
} from "./paper/findings/discovery";
export { compareFindings } from "./paper/findings/compare-findings";
export { headSumClaims, headSums, mirrorClaim, mirrorShares } from "./paper/findings/denoising";
export {
  allButFuzzyNeeded,
  completenessFinding,
  fuzzyFindings,
  levelFindings,
  minimalityFinding,
  rankFindings,
  wholeModelIdentity,
} from "./paper/findings/evaluation";
export { calibrationFindings, groupAnswers, groupFindings, paperGroupFindings } from "./paper/findings/groups";
export {
  averagingClaims,
  legibilityClaims,
  lookingClaims,
  productsAddUp,
  writingClaims,
} from "./paper/findings/movers";
export {
  averageFigures,
  paperPatchingFigures,
  patchingClaims,
  patchingFigureClaims,
  patchingFindings,
  patchingIdentities,
  strongestBySeed,
} from "./paper/findings/patching";
export { bestOfCheckpoints, checkpointClaims, orderClaims } from "./paper/findings/order";
export { orderSkipsLogits, paperPathFindings, pathFindings } from "./paper/findings/paths";
export {
  besideFindings,
  harmByLayer,
  hidingClaims,
  maskClaims,
  placeClaims,
  positionalFindings,
  swapClaims,
} from "./paper/findings/positional";
export {
  checkpointWays,
  endPlanes,
  endTable,
  forcedClaims,
  groupsShown,
  learningCurves,
  learntSteps,
  spreadClaim,
  trainingClaims,
} from "./paper/findings/writing";
export { checkpointTable } from "./paper/order-table";
export { paperAttentionLogits, paperPatterns, paperReadoutAttention } from "./paper/paper-attention";
export { faithfulnessTable, paperGivenBack } from "./paper/paper-evaluation";
export { paperEvidence } from "./paper/paper-evidence";
export { attentionFigures, evaluationFigure, ovFigures } from "./paper/paper-figures";
export { averageSeeds, besidePaper, patchOverSeeds, patchingMap } from "./paper/paper-patching";
export { paperBosSwaps, paperSwapAttention, positionalFigureClaims } from "./paper/paper-positional";
export { paperBehaviour, paperFigure, paperHeads } from "./paper/paper";
export { trainingTable } from "./paper/training-table";
export { withPaper } from "./paper/with-paper";

// lessons
export { lesson } from "./lessons/notebook/lesson";
export { predicted } from "./lessons/notebook/predicted";

// types of all of these
export type * from "./show/claims";
export type * from "./show/display";
export type * from "./show/files";
export type * from "./model/backend/choose";
export type * from "./load/load";
export type * from "./prompts/dataset";
export type * from "./prompts/settings";
export type * from "./prompts/words";
export type * from "./paper/choose-heads";
export type * from "./paper/compare";
export type * from "./paper/discovery-table";
export type * from "./paper/embedded-tables";
export type * from "./paper/findings/discovery";
export type * from "./paper/findings/attribution";
export type * from "./paper/findings/behaviour";
export type * from "./paper/findings/compare-findings";
export type * from "./paper/findings/denoising";
export type * from "./paper/findings/groups";
export type * from "./paper/findings/movers";
export type * from "./paper/findings/order";
export type * from "./paper/findings/patching";
export type * from "./paper/findings/paths";
export type * from "./paper/findings/positional";
export type * from "./paper/findings/writing";
export type * from "./paper/order-table";
export type * from "./paper/paper-evaluation";
export type * from "./paper/paper-patching";
export type * from "./paper/paper-positional";
export type * from "./paper/paper";
export type * from "./paper/training-table";
export type * from "./paper/with-paper";
export type * from "./lessons/notebook/lesson";
