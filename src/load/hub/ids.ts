import type { HubModel } from "./cache";

/** Short names; all but gpt2-small were the repositories' own until they moved, and Python's tools keep them under these still. */
const ALIASES = new Map([
  ["gpt2", "openai-community/gpt2"],
  ["gpt2-small", "openai-community/gpt2"],
  ["gpt2-medium", "openai-community/gpt2-medium"],
  ["gpt2-large", "openai-community/gpt2-large"],
  ["gpt2-xl", "openai-community/gpt2-xl"],
  ["distilgpt2", "distilbert/distilgpt2"],
]);

/** The state of a repository that the notebooks' claims speak of, and sha256 of its files at that state. */
interface Pin {
  readonly revision: string;
  readonly sha256: Readonly<Record<string, string>>;
}

const PINS = new Map<string, Pin>([
  [
    "openai-community/gpt2",
    {
      revision: "607a30d783dfa663caf39e06633721c8d4cfcd7e",
      sha256: { "model.safetensors": "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707" },
    },
  ],
]);

/** A repository's name today. */
export const canonicalName = (name: string): string => ALIASES.get(name) ?? name;

/** Names under which it may be in a cache: its own first. */
export const namesOf = (repo: string): string[] => [
  repo,
  ...[...ALIASES.keys()].filter((name) => canonicalName(name) === repo),
];

/** Whether that is a short name, which stands for a model of the hub even where a folder is called so, too. */
export const isShortName = (id: string): boolean => ALIASES.has(id.split("@")[0]);

/** No part begins with a dot, so none leads out of the cache's folders; "--" stands for "/" there. */
const REPO = /^\w[\w.-]*\/\w[\w.-]*$/;
/** Most characters of `org/name`, as on the hub; and of a revision, each part of which names a file in the cache. */
export const LONGEST_NAME = 96;
const LONGEST_REVISION = 200;
const REVISION = /^\w[\w.-]*(\/\w[\w.-]*)*$/;

/**
 * Reads `gpt2`, `org/name` or `org/name@revision`. Without a revision: the pinned one if there is one, else `main`; offline, `main` may stand in
 * for the pinned one.
 * @returns undefined if that is no hub model's name
 */
export function parseModelId(id: string): HubModel | undefined {
  const [name, revision, ...more] = id.split("@");
  const repo = canonicalName(name);
  const pin = PINS.get(repo)?.revision;
  const model: HubModel = { repo, revision: revision ?? pin ?? "main" };
  const isShort = repo.length <= LONGEST_NAME && model.revision.length <= LONGEST_REVISION;
  const isName =
    isShort && more.length === 0 && !repo.includes("--") && REPO.test(repo) && REVISION.test(model.revision);
  if (!isName) return undefined;
  return revision === undefined && pin !== undefined ? { ...model, offline: "main" } : model;
}

/** sha256 that a file must have, if it is pinned. */
export function pinnedDigest({ repo, revision }: HubModel, file: string): string | undefined {
  const pin = PINS.get(repo);
  return pin?.revision === revision ? pin.sha256[file] : undefined;
}
