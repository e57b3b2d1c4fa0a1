import { installNative } from "../lib/native.mjs";
import { setUp } from "../lib/setup.mjs";

/** Set-up, then tfjs's native backend built from source, for machines where its usual download is blocked. */
export async function main() {
  await setUp();
  await installNative();
  console.log("The native backend is installed: tfjs uses it from now on.");
  return 0;
}
