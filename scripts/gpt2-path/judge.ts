/** What a run on random weights of GPT-2's shape must look like. Pure. */
import type { Claim } from "../../src/show/claims";
import type { Result } from "../notebooks/notebooks.mjs";

/** A notebook's run on random weights. */
export interface Run extends Pick<Result, "name" | "claims" | "problems" | "seconds" | "figures"> {
  /** Claims in its committed outputs, those of the embedded model: what is claimed here as well is claimed of every model. */
  readonly embedded: readonly string[];
  /** Peak of its kernel's memory, bytes. */
  readonly peak?: number;
}

/** Of a kernel with GPT-2 Small in it. */
export const MEMORY_LIMIT = 2.5e9;

const isAgreement = ({ claim }: Claim) => claim.startsWith("agrees with the paper's");
const isShared = ({ claim }: Claim, { embedded }: Run) => embedded.includes(claim);

/** Everything that is wrong; empty if all is well. What the paper says of GPT-2 should fail: these are not its weights. */
export function faults(run: Run): string[] {
  const { name, claims, problems, peak } = run;
  const found = problems.filter((text) => !text.startsWith("Claim failed"));
  for (const { claim } of claims.filter((one) => isAgreement(one) && one.passed))
    found.push(`random weights pass the claim "${claim}"`);
  for (const { claim } of claims.filter((one) => isShared(one, run) && !one.passed))
    found.push(`random weights fail what should hold for every model: "${claim}"`);
  if (peak !== undefined && peak > MEMORY_LIMIT)
    found.push(`its kernel took ${gigabytes(peak)}, more than ${gigabytes(MEMORY_LIMIT)}`);
  return found.map((text) => `${name}: ${text}`);
}

const gigabytes = (bytes: number | undefined): string => (bytes === undefined ? "–" : `${(bytes / 1e9).toFixed(2)} GB`);

/** "3 of 5": held, of checked. */
const held = (claims: readonly Claim[]) => `${claims.filter(({ passed }) => passed).length} of ${claims.length}`;

/** One line of the closing table. */
export function line(run: Run): Record<string, string> {
  const { name, claims, seconds, figures, peak } = run;
  return {
    notebook: name,
    seconds: seconds.toFixed(0),
    "kernel's peak": gigabytes(peak),
    figures: String(figures),
    "claims on every model held": held(claims.filter((one) => isShared(one, run))),
    "claims on GPT-2 held": held(claims.filter((one) => !isShared(one, run))),
  };
}
