import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CLAIMS_MIME, type Claim, checkClaims, claim, countClaims, given } from "../../../src/show/claims";
import { inNotebook } from "../../fixtures/notebook";

const is = (value: boolean): boolean => value;
const holds = claim("accuracy is at least 99%", is(true), "0.994");
const fails = claim("letter 2 < letter 3", is(false), "5.1 > 4.9");

describe("claim", () => {
  it("keeps text, outcome and evidence", () => {
    assert.deepEqual(fails, { claim: "letter 2 < letter 3", passed: false, evidence: "5.1 > 4.9" });
  });

  it("refuses an outcome that is no boolean, and empty texts", () => {
    for (const outcome of [1, 0, undefined, null, "yes", Number.NaN]) {
      assert.throws(() => claim("c", outcome as unknown as boolean, "e"), /"c" must be decided by true or false, not/);
    }
    assert.throws(() => claim(" ", is(true), "e"), /needs a text/);
    for (const evidence of ["", "  ", undefined as unknown as string]) {
      assert.throws(() => claim("c", is(true), evidence), /"c" needs evidence/);
    }
  });

  it("is refused by the compiler when it can't fail", () => {
    // @ts-expect-error always true
    claim("always", true, "none");
    const constant = true;
    // @ts-expect-error always true
    claim("constant", constant, "none");
  });
});

describe("checkClaims", () => {
  it("is written in the page's own ink, which can be read in the dark, too", async () => {
    const [{ data }] = await inNotebook(() => checkClaims([holds, fails]));
    assert.match(`${data["text/html"]}`, /✓.*✗/);
    assert.doesNotMatch(`${data["text/html"]}`, /color/);
  });
});

describe("countClaims", () => {
  it("counts what holds and what fails", () => {
    const { passed, failed } = countClaims([holds, fails, claim("another", is(true), "1")]);
    assert.deepEqual([passed, failed], [2, 1]);
  });

  it("refuses no claims, the same claim twice, and claims made by hand without evidence", () => {
    assert.throws(() => countClaims([]), /no claims/);
    assert.throws(() => countClaims([holds, holds]), /"accuracy is at least 99%" comes twice/);
    assert.throws(() => countClaims([{ claim: "c", passed: true } as Claim]), /needs evidence/);
  });
});

describe("checkClaims", () => {
  it("shows a table, and the claims for programs, in one output", async () => {
    const [output] = await inNotebook(() => checkClaims([holds, fails]));
    assert.deepEqual(output.data[CLAIMS_MIME], { claims: [holds, fails] });
    assert.equal(
      output.data["text/plain"],
      "✓ accuracy is at least 99% (0.994)\n✗ letter 2 < letter 3 (5.1 > 4.9)\n1 of 2 claims hold, 1 FAILED",
    );
    const html = output.data["text/html"] as string;
    assert.ok(html.includes("letter 2 &lt; letter 3") && html.includes("5.1 &gt; 4.9") && html.includes("✗"));
  });

  it("shows below the findings what is given, and counts it", async () => {
    const known = given("parts add up", is(true), "gap 1e-7");
    const [output] = await inNotebook(() => checkClaims([known, holds]));
    const text = output.data["text/plain"] as string;
    assert.match(text, /^✓ accuracy .*\nno findings, but .*:\n✓ parts add up \(gap 1e-7\)\n2 of 2 claims hold$/);
    assert.match(`${output.data["text/html"]}`, /accuracy.*no findings, but.*parts add up/);
    const { claims } = output.data[CLAIMS_MIME] as { claims: Claim[] };
    assert.deepEqual(
      claims.map(({ claim }) => claim),
      ["parts add up", "accuracy is at least 99%"],
    );
  });

  it("returns nothing, so that a cell that ends with it shows only the table", async () => {
    await inNotebook(() => assert.equal(checkClaims([holds]), undefined));
  });
});
