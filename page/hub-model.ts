/** A bigger model that the page fetches if it is asked to: worked out when the page is built, from what the library knows of the hub. */
import { type HubModel, isCommit } from "../src/load/hub/cache";
import { parseModelId, pinnedDigest } from "../src/load/hub/ids";
import { fileUrl } from "../src/load/hub/metadata";
import { HUB } from "../src/load/hub/settings";
import { MODEL_FILES } from "./model-files";
import type { Fetchable } from "./tables";

/** The hub's own hosts: it redirects to some of them for large files. */
const HUB_HOSTS = [HUB, "https://*.huggingface.co", "https://*.hf.co"];

/**
 * Where a model's files are on a hub. Its revision has to be a commit, so that what is kept never changes.
 * @param weights sha256 of its weights
 * @param hosts what the page may ask: sources of a Content-Security-Policy
 */
export function onHub(
  name: string,
  { repo, revision }: HubModel,
  {
    weights,
    megabytes,
    endpoint = HUB,
    hosts,
  }: Omit<Fetchable, "name" | "files" | "host"> & { weights: string; endpoint?: string },
): Fetchable {
  if (!isCommit(revision)) throw new Error(`${revision} of ${repo} is no commit: 40 hexadecimal digits are needed`);
  const files = MODEL_FILES.map((file) => ({
    name: file,
    url: fileUrl({ endpoint, repo, revision, file, hasToken: false }),
    ...(file === "model.safetensors" && { sha256: weights }),
  }));
  return { name, host: new URL(endpoint).host, hosts, megabytes, files };
}

const SMALL = parseModelId("gpt2")!;

/** GPT-2 Small at the state that the notebooks speak of. */
export const GPT2_SMALL = onHub("GPT-2 Small", SMALL, {
  weights: pinnedDigest(SMALL, "model.safetensors")!,
  megabytes: 549,
  hosts: HUB_HOSTS,
});
