/** What a project for browsers imports, from `acronym-circuit/browser`: a tfjs backend of its choice has to run. */

export type * from "./load/from-bytes";
export { modelFromBytes } from "./load/from-bytes";
export * from "./portable";
export type * from "./prompts/build-acronyms";
export { acronymsAmong, checkAcronymAmong } from "./prompts/build-acronyms";
