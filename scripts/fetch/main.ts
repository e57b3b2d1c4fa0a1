/** npm run fetch -- gpt2 official-prompts: fetches ahead of time what notebooks would fetch when they need it. */
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { sizeText } from "../../src/load/hub/download";
import { fetchOfficialPrompts, HubError, resolveModel } from "../../src/load/resolve";

const USAGE = `npm run fetch -- WHAT …

  gpt2               GPT-2 Small, 549 MB; also gpt2-medium, gpt2-large, gpt2-xl, distilgpt2
  org/name           any model of GPT-2's architecture on the hub; org/name@revision for a branch, tag or commit
  official-prompts   the 11,000 prompts of the paper's repository, 345 kB

What is there already is not fetched again. docs/models.md says where it goes and which variables matter.`;

const PROMPTS = "official-prompts";

/** @returns a line that says what is there now */
async function fetchOne(what: string): Promise<string> {
  const started = Date.now();
  const place = what === PROMPTS ? await fetchOfficialPrompts() : await resolveModel(what);
  const files = what === PROMPTS ? [place] : readdirSync(place).map((name) => path.join(place, name));
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  return `✓ ${what}: ${files.length === 1 ? "1 file" : `${files.length} files`}, ${sizeText(bytes)}, after ${seconds} s in ${place}`;
}

/** The command; gives its exit code. What went wrong is printed. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await fetchAll(args);
  } catch (error) {
    const isKnown = error instanceof HubError || isParseError(error);
    console.error(isKnown ? `\n✗ ${error.message}` : error);
    return 1;
  }
}

const isParseError = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");

async function fetchAll(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h" } },
  });
  if (values.help || positionals.length === 0) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  for (const what of positionals) console.log(await fetchOne(what));
  return 0;
}

if (require.main === module)
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
