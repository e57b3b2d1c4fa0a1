import { readdirSync, readFileSync } from "node:fs";

/** A file of /proc; empty if the process has ended, or the system has none. */
function proc(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** This process's children, their children, and so on. */
function descendants(): string[] {
  const parents = readdirSync("/proc").flatMap((pid) => {
    const parent = /^\d+$/.test(pid) ? /^PPid:\s+(\d+)/m.exec(proc(`${pid}/status`))?.[1] : undefined;
    return parent === undefined ? [] : [{ pid, parent }];
  });
  const found = [String(process.pid)];
  for (const ancestor of found)
    found.push(...parents.filter(({ parent }) => parent === ancestor).map(({ pid }) => pid));
  return found.slice(1);
}

/** The largest memory that a kernel below this process has ever had (bytes); undefined without /proc or kernel. */
export function kernelPeak(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const kernels = descendants().filter((pid) => proc(`${pid}/cmdline`).includes("kernel.cjs"));
  const peaks = kernels.map((pid) => 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(proc(`${pid}/status`))?.[1] ?? 0));
  return peaks.length > 0 ? Math.max(...peaks) : undefined;
}
