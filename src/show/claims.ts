/** What a notebook says it has shown: checked, counted, and visible when it does not hold. */

import { escapeHtml } from "../numbers/text";
import { publish } from "./display";

export interface Claim {
  readonly claim: string;
  readonly passed: boolean;
  /** The numbers that decided, and what they were compared with. */
  readonly evidence: string;
  /** True of what is no finding: see `given`. */
  readonly given?: true;
}

export interface ClaimSummary {
  readonly claims: readonly Claim[];
  readonly passed: number;
  readonly failed: number;
}

/** The format in which a notebook's claims can be counted by a program. */
export const CLAIMS_MIME = "application/vnd.acronym-circuit.claims+json";

/**
 * A claim and whether it holds.
 * `passed` must come from a comparison: the compiler refuses a plain `true`, which can't fail.
 * Throws a TypeError if `passed` is not a boolean, or the claim or its evidence is empty.
 */
export function claim<P extends boolean>(text: string, passed: boolean extends P ? P : never, evidence: string): Claim {
  return checked({ claim: text, passed, evidence });
}

/**
 * A claim that is no finding. It holds for any weights (an identity), or model and thresholds were chosen so that it does (calibration):
 * it can fail, but what is then wrong is the program or the choice. Shown apart from findings. Throws as `claim`.
 */
export const given = <P extends boolean>(
  text: string,
  passed: boolean extends P ? P : never,
  evidence: string,
): Claim => ({
  ...claim(text, passed, evidence),
  given: true,
});

/** Counts claims. Throws a RangeError if there are none or one comes twice; TypeError as `claim` does. */
export function countClaims(claims: readonly Claim[]): ClaimSummary {
  if (claims.length === 0) throw new RangeError("there are no claims to check: a notebook must claim something");
  const seen = new Set<string>();
  for (const one of claims) {
    checked(one);
    if (seen.has(one.claim)) throw new RangeError(`the claim "${one.claim}" comes twice`);
    seen.add(one.claim);
  }
  const passed = claims.filter((one) => one.passed).length;
  return { claims, passed, failed: claims.length - passed };
}

const GIVEN = "no findings, but what holds for any weights, or was arranged by a choice";

/** Shows each claim with ✓ or ✗ and its evidence, those that are given below the findings. One that fails is shown, not thrown. Throws as `countClaims`. */
export function checkClaims(claims: readonly Claim[]): void {
  const { passed, failed } = countClaims(claims);
  const sum = `${passed} of ${claims.length} claims hold${failed > 0 ? `, ${failed} FAILED` : ""}`;
  const findings = claims.filter((one) => !one.given);
  const others = claims.filter((one) => one.given);
  const line = ({ claim, passed, evidence }: Claim) => `${passed ? "✓" : "✗"} ${claim} (${evidence})`;
  const row = ({ claim, passed, evidence }: Claim) => {
    const mark = passed ? "<td>✓</td>" : "<td><b>✗</b></td>"; // in the page's own ink: no green can be read on white and on black
    const cell = (text: string) => `<td style="text-align:left">${escapeHtml(text)}</td>`;
    return `<tr>${mark}${cell(claim)}${cell(evidence)}</tr>`;
  };
  const head = `<tr><th></th><th style="text-align:left">claim</th><th style="text-align:left">evidence</th></tr>`;
  const apart = `<tr><th></th><th colspan="2" style="text-align:left">${GIVEN}</th></tr>`;
  const rows = [...findings.map(row), ...(others.length > 0 ? [apart, ...others.map(row)] : [])];
  const lines = [...findings.map(line), ...(others.length > 0 ? [`${GIVEN}:`, ...others.map(line)] : [])];
  publish({
    [CLAIMS_MIME]: { claims: claims.map(({ claim, passed, evidence }) => ({ claim, passed, evidence })) },
    "text/html": `<table><caption>${sum}</caption><thead>${head}</thead><tbody>${rows.join("")}</tbody></table>`,
    "text/plain": [...lines, sum].join("\n"),
  });
}

function checked(one: Claim): Claim {
  if (!one.claim?.trim()) throw new TypeError("a claim needs a text");
  if (typeof one.passed !== "boolean") {
    throw new TypeError(`"${one.claim}" must be decided by true or false, not ${one.passed}`);
  }
  if (!one.evidence?.trim()) throw new TypeError(`"${one.claim}" needs evidence: the numbers that decided`);
  return one;
}
