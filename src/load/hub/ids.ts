import type { HubModel } from "./cache";

/** Short names. */
const ALIASES: Readonly<Record<string, string>> = {
  gpt2: "openai-community/gpt2",
  "gpt2-small": "openai-community/gpt2",
  "gpt2-medium": "openai-community/gpt2-medium",
  "gpt2-large": "openai-community/gpt2-large",
  "gpt2-xl": "openai-community/gpt2-xl",
  distilgpt2: "distilbert/distilgpt2",
};

/** The state of a repository that the notebooks' claims speak of, and sha256 of its files at that state. */
interface Pin {
  readonly revision: string;
  readonly sha256: Readonly<Record<string, string>>;
}

const PINS: Readonly<Record<string, Pin>> = {
  "openai-community/gpt2": {
    revision: "607a30d783dfa663caf39e06633721c8d4cfcd7e",
    sha256: { "model.safetensors": "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707" },
  },
};

/** No part begins with a dot, so none leads out of the cache's folders; "--" stands for "/" there. */
const REPO = /^\w[\w.-]*\/\w[\w.-]*$/;
const REVISION = /^\w[\w.-]*(\/\w[\w.-]*)*$/;

/**
 * Reads `gpt2`, `org/name` or `org/name@revision`. Without a revision: the pinned one if there is one, else `main`.
 * @returns undefined if that is no hub model's name
 */
export function parseModelId(id: string): HubModel | undefined {
  const [name, revision, ...more] = id.split("@");
  const repo = ALIASES[name] ?? name;
  const model = { repo, revision: revision ?? PINS[repo]?.revision ?? "main" };
  const isName = more.length === 0 && !repo.includes("--") && REPO.test(repo) && REVISION.test(model.revision);
  return isName ? model : undefined;
}

/** sha256 that a file must have, if it is pinned. */
export function pinnedDigest({ repo, revision }: HubModel, file: string): string | undefined {
  const pin = PINS[repo];
  return pin?.revision === revision ? pin.sha256[file] : undefined;
}
