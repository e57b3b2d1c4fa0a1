/** What is computed when the page is built, by the code that the page itself runs, and comes with it as one small file. */
import type { DrawnCircuit } from "../src/groups/paths-between";
import type { Lists, Opening } from "./engine";

export interface Tables extends Lists {
  readonly config: { readonly name: string; readonly n_layers: number; readonly n_heads: number };
  readonly opening: Opening;
  /** Of the embedded model, by evidence. */
  readonly circuit: DrawnCircuit;
}
