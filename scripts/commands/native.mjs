import { installNative } from "../setup/native.mjs";
import { setUp } from "../setup/setup.mjs";

/** Set-up, then tfjs's native backend, which set-up alone does not install. */
export async function main() {
  await setUp();
  await installNative();
  console.log("The native backend is installed: tfjs uses it from now on.");
  return 0;
}
