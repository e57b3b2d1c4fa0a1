import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../setup/paths.mjs";
import { orUsage } from "../setup/problem.mjs";
import { setUp } from "../setup/setup.mjs";
import { buildSlides, LIVE } from "../slides/slides.mjs";

const USAGE = `npm run slides -- [notebook …] [--out DIR]

  notebook  a number or the beginning of a name, with lesson- before a lesson's: 03, lesson-2; what docs/lesson-plan.md shows live if none is given
  --out     where the slides go (out/slides)`;

/**
 * Set-up, then slides of notebooks and lessons.
 * @param {string[]} args
 */
export async function main(args) {
  const { values, positionals } = parse(args);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  await setUp();
  const out = values.out ? resolve(process.env.INIT_CWD ?? process.cwd(), values.out) : join(ROOT, "out", "slides");
  const names = await buildSlides({
    out,
    selection: positionals.length > 0 ? positionals : LIVE,
    onResult: ({ name, seconds }) => console.log(`✓ lesson ${name}  ${seconds.toFixed(1)} s`),
  });
  console.log(`Slides of ${names.join(", ")}: ${relative(process.cwd(), out) || "."}`);
  return 0;
}

/** @param {string[]} args */
const parse = (args) =>
  orUsage(USAGE, () =>
    parseArgs({
      args,
      allowPositionals: true,
      options: { out: { type: "string" }, help: { type: "boolean", short: "h" } },
    }),
  );
