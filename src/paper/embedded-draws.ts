import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GroupDraw } from "../groups/stability";
import { dataFolder } from "../load/resolve";

/** The embedded model's groups for twelve draws of prompts: a committed table, made by `npm run stability`. */
export const DRAWS_FILE = join(dataFolder, "embedded", "stability.json");
export const embeddedDraws = (): GroupDraw[] => JSON.parse(readFileSync(DRAWS_FILE, "utf8"));
