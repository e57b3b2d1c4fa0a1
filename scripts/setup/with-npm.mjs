import { readFileSync } from "node:fs";

/**
 * Ends this process, as SIGTERM would, when the npm that started it ends before it: npm passes SIGTERM to the shell between them and no
 * further, and, killed, passes nothing to anybody. Ctrl-C reaches all of them.
 */
export function endWithNpm(env = process.env) {
  if (!env.npm_execpath) return;
  const started = above();
  const watch = setInterval(() => {
    if (above() === started) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, 500).unref();
}

/** Who is above us: npm itself, or its shell and then, where that can be seen, npm. */
function above() {
  const parent = process.ppid;
  try {
    const isShell = readFileSync(`/proc/${parent}/cmdline`, "latin1").startsWith("sh\0-c\0");
    // "PID (NAME) STATE PARENT …"
    return isShell
      ? `${parent} ${readFileSync(`/proc/${parent}/stat`, "latin1").split(") ").at(-1)?.split(" ")[1]}`
      : `${parent}`;
  } catch {
    return `${parent}`; // not Linux, or the parent has just ended
  }
}
