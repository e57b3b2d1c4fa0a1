/** What a reader has chosen and done: one value, and the part of a link that holds it. */
import { type HeadId, hasHead, headName, sameHead } from "../src/model/heads";
import { LETTERS, type Letter, POSITIONS, type Position } from "../src/prompts/acronym-task";

export type Words = readonly [string, string, string];

/** What of a layer is taken from the other prompt at one position. */
const ACTIVATIONS = ["hook_resid_pre", "hook_attn_out", "hook_mlp_out"] as const;
export type Activation = (typeof ACTIVATIONS)[number];

/** One activation that is taken from the other prompt: at a position, or all that a head gives out. */
export type Patch =
  | { readonly activation: Activation; readonly layer: number; readonly position: Position }
  | { readonly activation: "z"; readonly layer: number; readonly head: number };

export type Ablation = "mean" | "zero";
export type Direction = "noising" | "denoising";

/** Two words that exchange what tells their place. */
export interface Exchange {
  readonly pair: readonly [Position, Position];
  /** Their position embeddings. */
  readonly embeddings: boolean;
  /** Their clock: how much every head attends from them to BOS. */
  readonly clock: boolean;
}

export interface State {
  readonly words: Words;
  /** The prompt that activations are taken from; for denoising the one they are put into. */
  readonly others: Words;
  readonly direction: Direction;
  /** What the map of positions patches. */
  readonly activation: Activation;
  /** The letter that the maps are about. */
  readonly letter: Letter;
  readonly patches: readonly Patch[];
  readonly off: readonly HeadId[];
  readonly ablation: Ablation;
  /** Every position has the same embedding. */
  readonly alike: boolean;
  readonly exchange?: Exchange;
}

/** What the page begins with. */
export const OPENING: State = {
  words: ["Grouse", "Kite", "Dune"],
  others: ["Zeta", "Pint", "Wren"],
  direction: "noising",
  activation: "hook_resid_pre",
  letter: 2,
  patches: [],
  off: [],
  ablation: "mean",
  alike: false,
};

export const PAIRS: readonly Exchange["pair"][] = [
  ["C1", "C2"],
  ["C1", "C3"],
  ["C2", "C3"],
];

/** Whether anything is done to the run. */
export const isTouched = ({ patches, off, alike, exchange }: State): boolean =>
  patches.length > 0 || off.length > 0 || alike || isExchange(exchange);

export const isExchange = (exchange: Exchange | undefined): exchange is Exchange =>
  exchange !== undefined && (exchange.embeddings || exchange.clock);

/** The same run as nobody has touched it. */
export const untouched = (state: State): State => ({
  ...state,
  patches: [],
  off: [],
  alike: false,
  exchange: undefined,
});

const samePatch = (a: Patch, b: Patch): boolean => patchName(a) === patchName(b);

/** "hook_resid_pre 2 C2", "z 1.3": a patch as the link and lists write it. */
export const patchName = (patch: Patch): string =>
  patch.activation === "z" ? `z ${headName(patch)}` : `${patch.activation} ${patch.layer} ${patch.position}`;

export const hasPatch = ({ patches }: State, patch: Patch): boolean => patches.some((one) => samePatch(one, patch));

/** With the patch if it wasn't there, without it if it was. */
export const togglePatch = (state: State, patch: Patch): State => ({
  ...state,
  patches: hasPatch(state, patch) ? state.patches.filter((one) => !samePatch(one, patch)) : [...state.patches, patch],
});

/** Switches a head off, or on again. */
export const toggleHead = (state: State, head: HeadId): State => ({
  ...state,
  off: hasHead(state.off, head)
    ? state.off.filter((one) => !sameHead(one, head))
    : [...state.off, { layer: head.layer, head: head.head }],
});

/** A state's parts as a link writes them. */
const written = (state: State): Record<keyof State, string> => {
  const { exchange } = state;
  const told = exchange && [
    ...exchange.pair,
    ...(exchange.embeddings ? ["embeddings"] : []),
    ...(exchange.clock ? ["clock"] : []),
  ];
  return {
    words: state.words.join(","),
    others: state.others.join(","),
    direction: state.direction,
    activation: state.activation,
    letter: `${state.letter}`,
    patches: state.patches.map((patch) => patchName(patch).replaceAll(" ", ".")).join(","),
    off: state.off.map(headName).join(","),
    ablation: state.ablation,
    alike: state.alike ? "yes" : "",
    exchange: isExchange(exchange) ? told!.join(".") : "",
  };
};

/** The state as the part of a link behind "#": only what differs from the opening. */
export function toHash(state: State): string {
  const preset = written(OPENING);
  return Object.entries(written(state))
    .filter(([name, value]) => value !== preset[name as keyof State])
    .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`)
    .join("&");
}

/** A state, and what of a link could not be understood. */
export interface Read {
  readonly state: State;
  /** Each part as text, with what it could be. */
  readonly refused: readonly string[];
}

/** More of anything than this is no work of a reader. */
const MOST = 200;
const LONGEST_WORD = 40;

/** Reads the part of a link behind "#", which anybody may have written: what is not understood is left out, and told. */
export function fromHash(hash: string, { n_layers, n_heads }: { n_layers: number; n_heads: number }): Read {
  const refused: string[] = [];
  const given = new URLSearchParams(hash.replace(/^#/, "").slice(0, 20_000));
  /** What `parse` makes of a parameter; undefined, and told, if it is none of what there is. */
  const read = <T>(name: keyof State, allowed: string, parse: (text: string) => T | undefined): T | undefined => {
    const text = given.get(name);
    if (text === null) return undefined;
    const value = parse(text);
    if (value === undefined) refused.push(`${name} is “${text.slice(0, 60)}”; it can be ${allowed}`);
    return value;
  };
  const oneOf = <T extends string>(name: keyof State, values: readonly T[]): T | undefined =>
    read(name, values.join(", "), (text) => values.find((value) => value === text));
  const index = (text: string, n: number) => (/^\d{1,4}$/.test(text) && Number(text) < n ? Number(text) : undefined);
  const head = (text: string): HeadId | undefined => {
    const [layer, number, ...more] = text.split(".");
    const [l, h] = [index(layer, n_layers), index(number ?? "", n_heads)];
    return l === undefined || h === undefined || more.length > 0 ? undefined : { layer: l, head: h };
  };
  const patch = (text: string): Patch | undefined => {
    const [activation, ...rest] = text.split(".");
    if (activation === "z") {
      const one = head(rest.join("."));
      return one && { activation, ...one };
    }
    const kind = ACTIVATIONS.find((value) => value === activation);
    const [layer, position] = [index(rest[0] ?? "", n_layers), POSITIONS.find((label) => label === rest[1])];
    return kind === undefined || layer === undefined || position === undefined || rest.length > 2
      ? undefined
      : { activation: kind, layer, position };
  };
  const list =
    <T>(parse: (text: string) => T | undefined, name: (item: T) => string) =>
    (text: string): T[] | undefined => {
      const items = text === "" ? [] : text.split(",").slice(0, MOST).map(parse);
      if (items.some((item) => item === undefined)) return undefined;
      return [...new Map((items as T[]).map((item) => [name(item), item])).values()];
    };
  const words = (text: string): Words | undefined => {
    const all = text.split(",");
    return all.length === 3 && all.every((word) => word !== "" && word.length <= LONGEST_WORD)
      ? (all as unknown as Words)
      : undefined;
  };
  const exchange = (text: string): Exchange | undefined => {
    const [a, b, ...what] = text.split(".");
    const pair = PAIRS.find(([one, other]) => one === a && other === b);
    const known = what.every((one) => one === "embeddings" || one === "clock");
    if (!pair || !known || what.length === 0) return undefined;
    return { pair, embeddings: what.includes("embeddings"), clock: what.includes("clock") };
  };
  const heads = `heads such as 0.1, up to ${n_layers - 1}.${n_heads - 1}`;
  const found: { -readonly [K in keyof State]?: State[K] } = {
    words: read("words", "three words", words),
    others: read("others", "three words", words),
    direction: oneOf("direction", ["noising", "denoising"]),
    activation: oneOf("activation", ACTIVATIONS),
    letter: read("letter", "1, 2 or 3", (text) => LETTERS.find((letter) => `${letter}` === text)),
    patches: read("patches", `such as hook_resid_pre.1.C2 or z.0.1, of ${n_layers} layers`, list(patch, patchName)),
    off: read("off", heads, list(head, headName)),
    ablation: oneOf("ablation", ["mean", "zero"]),
    alike: read("alike", "yes", (text) => (text === "yes" ? true : undefined)),
    exchange: read("exchange", "such as C1.C2.clock", exchange),
  };
  const known = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  return { state: { ...OPENING, ...known }, refused };
}
