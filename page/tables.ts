/** What is computed when the page is built, by the code that the page itself runs, and comes with it as one small file. */
import type { DrawnCircuit } from "../src/groups/paths-between";
import type { Lists, Opening } from "./engine";

export interface Tables extends Lists {
  readonly config: { readonly name: string; readonly n_layers: number; readonly n_heads: number };
  readonly opening: Opening;
  /** Of the embedded model, by evidence. */
  readonly circuit: DrawnCircuit;
  readonly bigger: Fetchable;
}

/** A model that is fetched if a reader asks for it. */
export interface Fetchable {
  /** What it is called. */
  readonly name: string;
  /** Who is asked for it, as a reader is told. */
  readonly host: string;
  /** All that may be asked, with those that it redirects to: sources of a Content-Security-Policy. */
  readonly hosts: readonly string[];
  /** About; all files together. */
  readonly megabytes: number;
  readonly files: readonly { readonly name: string; readonly url: string; readonly sha256?: string }[];
}
