import { setUp } from "../setup/setup.mjs";

/** Set-up alone. */
export async function main() {
  await setUp();
  console.log("Everything is set up. Next: npm start, npm run lab or npm test.");
  return 0;
}
