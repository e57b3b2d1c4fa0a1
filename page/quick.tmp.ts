import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { buildPage } from "./build";
import { computeTables } from "./compute-tables";

(async () => {
  const f = "/tmp/e-tables.json";
  if (!existsSync(f)) writeFileSync(f, JSON.stringify(await computeTables()));
  await buildPage("/work/wt/e/out/page", JSON.parse(readFileSync(f, "utf8")));
})();
