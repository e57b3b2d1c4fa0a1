import { host } from "../model/host";

/** Told how much of a measurement is done. */
export type Report = (done: number, total: number) => void;

/** How a measurement says how far it is: a name, under which it is shown, or a function that is told. */
export type ProgressOption = string | Report;

/** The function that is told. */
export const reporter = (progress?: ProgressOption): Report | undefined =>
  typeof progress === "string" ? host().progress(progress) : progress;

/** The same for one of `count` parts that take alike. */
export const partOf = (report: Report | undefined, index: number, count: number): Report | undefined =>
  report && ((done, total) => report(index * total + done, count * total));
