/** npm run site: the site in out/site/; --serve opens it on this machine. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { filesOf } from "../../page/build";
import { computeTables } from "../../page/compute-tables";
import { serve } from "../../page/serve";
import { ROOT } from "../setup/paths.mjs";
import { inWords } from "../setup/problem.mjs";
import { buildSite } from "./build";

async function main(): Promise<void> {
  const out = join(ROOT, "out", "site");
  const start = performance.now();
  await buildSite(out, await computeTables());
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const files = filesOf(out);
  const bytes = files.reduce((sum, file) => sum + statSync(join(out, file)).size, 0);
  console.log(`The site is in ${out}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB, ${seconds} s`);
  if (!process.argv.includes("--serve")) return console.log("npm run site -- --serve opens it");
  const { address } = await serve(out);
  console.log(`It is at ${address}; Ctrl+C ends it`);
}

main().catch((error) => {
  console.error(inWords(error));
  process.exitCode = 1;
});
