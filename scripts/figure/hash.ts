import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import { weightFiles } from "../../src/load/weight-files";

/** One hash of all that a model is made of: config.json and the files of its weights. */
export async function hashModel(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const names = ["config.json", ...weightFiles(folder)];
  for (const name of names) {
    hash.update(`\0${name}\0`);
    for await (const chunk of createReadStream(path.join(folder, name), { highWaterMark: 2 ** 20 })) hash.update(chunk);
  }
  return hash.digest("hex");
}
